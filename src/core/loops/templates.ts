/** The built-in loop templates, also known as Ralph-loop presets: data that commands, help, completion and drills read. */
import { Failure } from "../failure.ts";
import type { JsonObject } from "../json.ts";

export interface LoopTemplate {
  readonly name: string;
  readonly description: string;
  readonly max_iterations: number;
  readonly cleanup_policy: string;
  /** Evidence types; their order is the order in which missing ones are named. */
  readonly required_before_continue: readonly string[];
  readonly stop_conditions: readonly string[];
  readonly artifact_requirements: JsonObject;
  readonly recommended_tools: readonly string[];
  readonly tags: readonly string[];
}

const STOP = ["max_iterations", "required_evidence"];

const ADVERSARIAL: JsonObject = {
  type: "object",
  description: "A structured attempt to disprove this iteration before the next one may start.",
  required: ["failure_mode", "check", "result"],
  properties: {
    failure_mode: { type: "string", description: "The worst failure that could realistically hide in this iteration." },
    check: { type: "string", description: "The command, test or inspection that went looking for it." },
    result: { type: "string", description: "Why the failure is ruled out, or what of it is left." },
  },
};

/** Sorted by name. */
export const LOOP_TEMPLATES: readonly LoopTemplate[] = [
  {
    name: "build_then_clear",
    description: "The build passes, then the worker's context is cleared before it goes round again.",
    max_iterations: 2,
    cleanup_policy: "clear",
    required_before_continue: ["build_passed", "cleanup"],
    stop_conditions: STOP,
    artifact_requirements: {},
    recommended_tools: [],
    tags: ["build", "context"],
  },
  {
    name: "compact_then_continue",
    description: "The worker finishes its turn and its context is compacted before it continues.",
    max_iterations: 4,
    cleanup_policy: "compact",
    required_before_continue: ["worker_completion", "cleanup"],
    stop_conditions: STOP,
    artifact_requirements: {},
    recommended_tools: [],
    tags: ["context"],
  },
  {
    name: "pr_ci_merge_loop",
    description: "Each iteration ends in a pull request that is green, merged and survived an attempt to disprove it.",
    max_iterations: 2,
    cleanup_policy: "clear",
    required_before_continue: ["pr_url", "ci_green", "merge", "adversarial_check"],
    stop_conditions: STOP,
    artifact_requirements: { adversarial_check: ADVERSARIAL },
    recommended_tools: ["gh", "verification.run_tests"],
    tags: ["repo", "ci"],
  },
  {
    name: "test_coverage_loop",
    description: "Each iteration raises or keeps the measured test coverage and is then attacked before the next.",
    max_iterations: 3,
    cleanup_policy: "clear",
    required_before_continue: ["test_coverage", "adversarial_check"],
    stop_conditions: STOP,
    artifact_requirements: { adversarial_check: ADVERSARIAL },
    recommended_tools: ["coverage", "verification.run_tests"],
    tags: ["tests"],
  },
  {
    name: "visual_diff_loop",
    description:
      "The worker's page is compared with a reference picture until the " +
      "share of differing pixels is small enough and a manager accepts it.",
    max_iterations: 4,
    cleanup_policy: "compact",
    required_before_continue: [
      "reference_artifact",
      "candidate_screenshot",
      "visual_diff_report",
      "diff_below_threshold",
      "adversarial_check",
    ],
    stop_conditions: [...STOP, "manager_accepts"],
    artifact_requirements: {
      adversarial_check: ADVERSARIAL,
      reference_artifact: { type: "path", description: "The picture of how it is wanted." },
      candidate_screenshot: { type: "path", description: "A screenshot of what the worker built." },
      visual_diff_report: { type: "path", description: "A readable report of the differences and of the screenshots that were compared." },
      diff_score: { type: "number", description: "The share of differing pixels; lower is closer." },
      viewport: { type: "string", description: "The size used for the candidate, such as 1440x900." },
    },
    recommended_tools: ["browser", "playwright", "pixelmatch"],
    tags: ["visual", "frontend", "qa"],
  },
];

export const LOOP_TEMPLATE_NAMES: readonly string[] = LOOP_TEMPLATES.map((template) => template.name);

/** The evidence types that the templates know; a policy may name others. */
export const EVIDENCE_TYPES: readonly string[] = [
  ...new Set(LOOP_TEMPLATES.flatMap((template) => template.required_before_continue)),
].sort();

/** @throws Failure naming the template and the known ones */
export function needLoopTemplate(name: string): LoopTemplate {
  const template = LOOP_TEMPLATES.find((one) => one.name === name);
  if (!template)
    throw new Failure(`unknown loop template ${JSON.stringify(name)}; there are ${LOOP_TEMPLATE_NAMES.join(", ")}`, {
      hint: "conveyor loop-templates --list",
    });
  return template;
}
