/** A QA plan as text for the terminal. */
import { prettyJson } from "../core/json.ts";
import type { QaPlan } from "../core/qa/checklist.ts";

const section = (title: string, lines: readonly string[] | undefined): string[] => (lines?.length ? ["", `${title}:`, ...lines] : []);
const bullets = (lines: readonly string[] | undefined): string[] | undefined => lines?.map((line) => `  - ${line}`);

export const qaPlanText = (plan: QaPlan): string =>
  [
    `QA plan: ${plan.scenario}`,
    ...section("Starter prompt", plan.starter_prompt === undefined ? undefined : [`  ${plan.starter_prompt}`]),
    ...section("Authority boundaries", bullets(plan.authority_boundaries)),
    ...section(
      "Steps",
      plan.steps.map((step, at) => `  ${at + 1}. ${step}`),
    ),
    ...section("Expected observations", bullets(plan.expected_observations)),
    ...section("Acceptance criteria", bullets(plan.acceptance_criteria)),
    ...section("Trigger tasks", bullets(plan.trigger_tasks?.map(({ name, trigger, acceptance }) => `${name}: ${trigger} ${acceptance}`))),
    ...section(
      "Correlation markers",
      bullets(plan.correlation_markers?.map(({ correlation_id, purpose }) => `${correlation_id}: ${purpose}`)),
    ),
    ...section("Evidence template", plan.evidence_template && [prettyJson(plan.evidence_template)]),
  ].join("\n");
