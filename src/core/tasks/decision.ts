/** A manager's decision, and whether it covers what is about to be done. */
import type { JsonObject } from "../json.ts";
import { instant } from "../time.ts";

export const DECISIONS = ["wait", "nudge", "interrupt", "escalate", "stop", "inspect"] as const;
export type DecisionKind = (typeof DECISIONS)[number];

/** Seconds after which a decision no longer covers an action. */
export const DECISION_MAX_AGE = 900;

/** A row of `manager_decisions`, its JSON column read. */
export interface Decision {
  readonly id: number;
  readonly task_id: string;
  readonly manager_id: string | null;
  readonly manager_cycle_id: number | null;
  readonly decision: DecisionKind;
  readonly reason: string;
  readonly payload: JsonObject;
  readonly created_at: string;
}

export interface DecisionCheck {
  /** No warnings. */
  readonly ok: boolean;
  readonly decision_id: number | null;
  readonly decision: Decision | null;
  readonly allowed_decisions: readonly DecisionKind[];
  readonly warnings: readonly string[];
  /** With the maximum beside it, when the decision was found; null when its time cannot be read. */
  readonly age_seconds?: number | null;
  readonly max_age_seconds?: number;
}

/** Does the decision of this id (`found`: null when there is none) allow an action on the task at `nowMs`? */
export function checkDecision(asked: {
  id: number | null;
  found: Decision | null;
  taskId: string;
  allowed: readonly DecisionKind[];
  nowMs: number;
}): DecisionCheck {
  const { id, found, allowed } = asked;
  const base = { decision_id: id, decision: found, allowed_decisions: allowed };
  if (id === null) return { ...base, ok: false, warnings: ["missing_decision_id"] };
  if (!found) return { ...base, ok: false, warnings: ["decision_not_found"] };
  const made = instant(found.created_at);
  const age = made === null ? null : Math.max(0, (asked.nowMs - made) / 1000);
  const warnings = [
    ...(found.task_id === asked.taskId ? [] : ["decision_task_mismatch"]),
    ...(allowed.includes(found.decision) ? [] : ["decision_mismatch"]),
    ...(age === null ? ["decision_timestamp_invalid"] : age > DECISION_MAX_AGE ? ["decision_stale"] : []),
  ];
  return {
    ...base,
    ok: warnings.length === 0,
    warnings,
    age_seconds: age === null ? null : Math.floor(age),
    max_age_seconds: DECISION_MAX_AGE,
  };
}
