/** Checklists that lead an operator by hand through a scenario, with what must be seen. Commands stand in backquotes. */
import { FLOW_PLANS } from "./plan-flows.ts";
import { LOOP_PLANS } from "./plan-loops.ts";

export interface QaMarker {
  readonly correlation_id: string;
  readonly purpose: string;
}

export interface QaPlan {
  readonly scenario: string;
  /** What to tell the manager at the beginning. */
  readonly starter_prompt?: string;
  readonly authority_boundaries?: readonly string[];
  readonly steps: readonly string[];
  readonly expected_observations: readonly string[];
  readonly acceptance_criteria?: readonly string[];
  readonly trigger_tasks?: readonly { readonly name: string; readonly trigger: string; readonly acceptance: string }[];
  /** Correlation ids to use, so that the records of a drill can be found. */
  readonly correlation_markers?: readonly QaMarker[];
  /** To be filled in while the drill runs. */
  readonly evidence_template?: Readonly<Record<string, unknown>>;
}

export const QA_SCENARIOS = [
  "self-management",
  "emergent-criteria",
  "tmux-errors",
  "dispatch-completion",
  "ralph-loop",
  "adversarial-triggers",
  "goalbuddy-conveyor",
] as const;
export type QaScenario = (typeof QA_SCENARIOS)[number];

export const qaPlan = (scenario: QaScenario): QaPlan => ({ scenario, ...{ ...FLOW_PLANS, ...LOOP_PLANS }[scenario] });
