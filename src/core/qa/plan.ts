/** Checklists that lead an operator by hand through a scenario, with what must be seen. Commands stand in backquotes. */
import type { QaPlan } from "./checklist.ts";
import { FLOW_PLANS } from "./plan-flows.ts";
import { LOOP_PLANS } from "./plan-loops.ts";

export const QA_SCENARIOS = [
  "self-management",
  "emergent-criteria",
  "tmux-errors",
  "dispatch-completion",
  "ralph-loop",
  "adversarial-triggers",
  "goalbuddy-conveyor",
] as const;
type QaScenario = (typeof QA_SCENARIOS)[number];

export const qaPlan = (scenario: QaScenario): QaPlan => ({ scenario, ...{ ...FLOW_PLANS, ...LOOP_PLANS }[scenario] });
