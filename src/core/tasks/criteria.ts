/** Acceptance criteria of a task: statuses, sources, and what the ledger says about being done. */
import { isAdversarialProof, shownByPerson } from "./evidence.ts";
import type { JsonObject } from "../json.ts";

export const CRITERION_STATUSES = ["proposed", "accepted", "satisfied", "deferred", "rejected"] as const;
export type CriterionStatus = (typeof CRITERION_STATUSES)[number];
export const CRITERION_SOURCES = ["user_requested", "manager_inferred", "worker_proposed", "final_audit"] as const;
export type CriterionSource = (typeof CRITERION_SOURCES)[number];

/** A row of `acceptance_criteria`, its JSON column read. */
export interface Criterion {
  readonly id: number;
  readonly task_id: string;
  readonly criterion: string;
  readonly status: CriterionStatus;
  readonly source: CriterionSource;
  readonly proof: string | null;
  readonly rationale: string | null;
  readonly evidence: JsonObject;
  readonly created_at: string;
  readonly updated_at: string;
}

export type CriteriaSummary = Readonly<Record<CriterionStatus, number>>;

/** How many criteria are in each status, all five named. */
export function summariseCriteria(criteria: readonly Criterion[]): CriteriaSummary {
  const summary = { accepted: 0, deferred: 0, proposed: 0, rejected: 0, satisfied: 0 };
  for (const { status } of criteria) summary[status]++;
  return summary;
}

/** What keeps a task from being done: criteria accepted and not yet settled. */
export const openCriteria = (criteria: readonly Criterion[]): Criterion[] =>
  criteria.filter((criterion) => criterion.status === "accepted");

/** Whether a satisfied criterion carries such a proof. */
export const hasAdversarialProof = (criteria: readonly Criterion[]): boolean =>
  criteria.some(
    ({ status, evidence }) => status === "satisfied" && (isAdversarialProof(evidence) || isAdversarialProof(shownByPerson(evidence))),
  );
