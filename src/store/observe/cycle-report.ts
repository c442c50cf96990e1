/** Manager cycles counted and listed for reports. */
import { type CycleFacts, cycleFacts, type CycleRow } from "../../core/observe/cycle-facts.ts";
import { type Row, shown } from "../../core/row.ts";
import type { Parameter } from "../reading.ts";
import { type Scope, termsOf } from "../reports/scope.ts";
import type { Store } from "../store.ts";

const INGEST = `(c.error like '%ingest%' or json_extract(c.status_json, '$.error_type') like '%ingest%')`;

const GROUPS = {
  all: [],
  failed: ["c.state = 'failed'"],
  succeeded: ["c.state = 'succeeded'"],
  /** Failed while reading a rollout. */
  ingest: ["c.state = 'failed'", INGEST],
  /** The worker's pane was not captured. The condition is that of an index, word by word. */
  blind: ["json_extract(c.status_json, '$.pane_signal.captured') = 0"],
} as const;
type CycleGroup = keyof typeof GROUPS;

const places = {
  task: "c.task_id",
  time: "coalesce(c.completed_at, c.started_at)",
  run: "c.id in (select s.manager_cycle_id from manager_cycle_spans s where s.run_id = ?)",
};

const cycleOf = (row: Row): CycleRow => shown(row) as unknown as CycleRow;

export function countCycles(store: Store, group: CycleGroup, scope: Scope): number {
  const { where, parameters } = termsOf(scope, places, GROUPS[group]);
  return store.db.query<{ n: number }, Parameter[]>(`select count(*) as n from manager_cycles c ${where}`).get(...parameters)!.n;
}

/** Cycles of a group: of one task by number, over all tasks by time; newest first, with the names of their tasks. */
export function newestCycles(store: Store, group: CycleGroup, scope: Scope, limit: number): CycleFacts[] {
  const { where, parameters } = termsOf(scope, places, GROUPS[group]);
  const order = scope.taskId === undefined ? `julianday(${places.time}) desc, c.id desc` : "c.id desc";
  return store.db
    .query<Row, Parameter[]>(
      `select c.*, (select t.name from tasks t where t.id = c.task_id) as task_name from manager_cycles c ${where} order by ${order}
        limit ?`,
    )
    .all(...parameters, limit)
    .map((row) => cycleFacts(cycleOf(row)));
}

/** The task's newest cycle with all of its status, or null. */
export function latestCycle(store: Store, taskId: string): CycleRow | null {
  const row = store.db
    .query<Row, [string]>(
      `select id, task_id, started_at, completed_at, state, status_json, health_json, decision, error from manager_cycles where task_id =
          ? order by id desc limit 1`,
    )
    .get(taskId);
  return row && cycleOf(row);
}

/** How many cycles of the task are in each state that occurs. */
export const cycleStates = (store: Store, taskId: string): Record<string, number> =>
  Object.fromEntries(
    store.db
      .query<{ state: string; n: number }, [string]>("select state, count(*) as n from manager_cycles where task_id = ? group by state")
      .all(taskId)
      .map(({ state, n }) => [state, n]),
  );
