/** Counts of what happened in a window of time, and of how things stand. */
import { table, type Tally } from "../../core/telemetry.ts";
import type { Parameter } from "../reading.ts";
import { ACTIVE_STATES, namesRun, type Scope, termsOf } from "./scope.ts";
import type { Store } from "../store.ts";

/** Events by actor, type and severity. */
export function eventTallies(store: Store, scope: Scope): Tally[] {
  const { where, parameters } = termsOf(scope, { task: "task_id", time: "timestamp", run: "run_id = ?" });
  return store.db
    .query<Tally, Parameter[]>(
      `select actor, event_type, severity, count(*) as count from telemetry_events ${where} group by actor, event_type, severity`,
    )
    .all(...parameters);
}

interface IngestCounts {
  readonly new_events: number;
  readonly skipped_lines: number;
}

/** Sums over what reading rollouts reported. */
export function ingestCounts(store: Store, scope: Scope): IngestCounts {
  const { where, parameters } = termsOf(scope, { task: "task_id", time: "timestamp", run: "run_id = ?" }, [
    "event_type = 'codex_events_ingested'",
  ]);
  const sum = (key: string) => `coalesce(sum(json_extract(attributes_json, '$.${key}')), 0) as ${key}`;
  return store.db
    .query<IngestCounts, Parameter[]>(`select ${sum("new_events")}, ${sum("skipped_lines")} from telemetry_events ${where}`)
    .get(...parameters)!;
}

export interface CycleCounts {
  readonly state: "started" | "succeeded" | "failed";
  /** 1 captured, 0 not, null not told. */
  readonly captured: number | null;
  readonly n: number;
}

/** Cycles by state and by whether the pane was captured. */
export function cycleCounts(store: Store, scope: Scope): CycleCounts[] {
  const run = "c.id in (select s.manager_cycle_id from manager_cycle_spans s where s.run_id = ?)";
  const { where, parameters } = termsOf(scope, { task: "c.task_id", time: "c.started_at", run });
  return store.db
    .query<CycleCounts, Parameter[]>(
      `select state, json_extract(status_json, '$.pane_signal.captured') as captured, count(*) as n from manager_cycles c ${where}
        group by 1, 2`,
    )
    .all(...parameters);
}

type Rollup = Record<string, Record<string, number>>;

const rollup = (rows: readonly { type: string; state: string; n: number }[]): Rollup => {
  const result: Rollup = table();
  for (const { type, state, n } of rows) (result[type] ??= table<number>())[state] = n;
  return result;
};

/** Commands by type and state. */
export function commandRollup(store: Store, scope: Scope): Rollup {
  const { where, parameters } = termsOf(scope, { task: "c.task_id", time: "c.created_at", run: namesRun("c") });
  return rollup(
    store.db
      .query<{ type: string; state: string; n: number }, Parameter[]>(
        `select type, state, count(*) as n from commands c ${where} group by 1, 2`,
      )
      .all(...parameters),
  );
}

/** Attempts at commands by the command's type and the attempt's state. */
export function attemptRollup(store: Store, scope: Scope): Rollup {
  const { where, parameters } = termsOf(scope, { task: "c.task_id", time: "a.started_at", run: namesRun("c") });
  return rollup(
    store.db
      .query<{ type: string; state: string; n: number }, Parameter[]>(
        `select c.type, a.state, count(*) as n from command_attempts a join commands c on c.id = a.command_id ${where} group by 1, 2`,
      )
      .all(...parameters),
  );
}

/** Tasks that are still being worked on. */
export const countActiveTasks = (store: Store, taskId?: string): number =>
  store.db
    .query<{ n: number }, [string | null]>(`select count(*) as n from tasks where state in ${ACTIVE_STATES} and (?1 is null or id = ?1)`)
    .get(taskId ?? null)!.n;

interface ActiveTask {
  readonly id: string;
  readonly name: string;
  readonly goal: string;
  readonly state: string;
  readonly created_at: string;
  readonly updated_at: string;
}

/** The newest of the tasks that are still being worked on. */
export const activeTasks = (store: Store, limit: number): ActiveTask[] =>
  store.db
    .query<ActiveTask, [number]>(
      `select id, name, goal, state, created_at, updated_at from tasks where state in ${ACTIVE_STATES} order by julianday(created_at)
        desc, rowid desc limit ?`,
    )
    .all(limit);
