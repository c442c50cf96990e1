/** Criteria counted and listed for reports, without their texts. */
import type { CriteriaSummary, CriterionStatus } from "../../core/tasks/criteria.ts";
import type { Parameter } from "../reading.ts";
import { type Scope, termsOf } from "../reports/scope.ts";
import type { Store } from "../store.ts";

interface CriterionFacts {
  readonly id: number;
  readonly task_id: string;
  readonly task_name: string;
  readonly source: string;
  readonly status: CriterionStatus;
  readonly proof: string | null;
  readonly created_at: string;
  readonly updated_at: string;
}

const places = { task: "k.task_id", time: "k.updated_at", run: "json_extract(k.evidence_json, '$.ralph_loop_run_id') = ?" };

/** How many criteria are in each status, all five named. */
export function countCriteria(store: Store, scope: Scope): CriteriaSummary {
  const { where, parameters } = termsOf(scope, places);
  const counts = { accepted: 0, deferred: 0, proposed: 0, rejected: 0, satisfied: 0 };
  // Over all tasks a trigger keeps the sums.
  const sql =
    where === ""
      ? "select status, count as n from criteria_totals"
      : `select status, count(*) as n from acceptance_criteria k ${where} group by status`;
  const rows = store.db.query<{ status: CriterionStatus; n: number }, Parameter[]>(sql);
  for (const { status, n } of rows.all(...parameters)) counts[status] = n;
  return counts;
}

/** Accepted and not yet satisfied, newest first. */
export function openCriteria(store: Store, scope: Scope, limit: number): CriterionFacts[] {
  const { where, parameters } = termsOf(scope, places, ["k.status = 'accepted'"]);
  return store.db
    .query<CriterionFacts, Parameter[]>(
      `select k.id, k.task_id, (select t.name from tasks t where t.id = k.task_id) as task_name, k.source, k.status, k.proof, k.created_at, k.updated_at
       from acceptance_criteria k ${where} order by k.id desc limit ?`,
    )
    .all(...parameters, limit);
}
