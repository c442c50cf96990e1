/** `manager_cycles` and their spans: what each observation of a bound task saw, and how long each phase took. */
import { compactJson, isObject, type JsonObject, parseStored } from "../../core/json.ts";
import { activeRunId } from "../record/active-run.ts";
import { messageOf } from "../../core/dispatch/queued-command.ts";
import type { InboxItem } from "../../core/dispatch/notification.ts";
import { claimItem, freeItems, type Reader } from "../dispatch/inbox.ts";
import type { Store } from "../store.ts";

/** One phase of a cycle that has ended. */
export interface Span {
  readonly phase: string;
  readonly startedAt: string;
  readonly completedAt: string;
  readonly durationMs: number;
  readonly state: "succeeded" | "failed" | "degraded";
  readonly attributes: Record<string, unknown>;
  readonly errorType?: string;
  /** The decision that was made in this phase. */
  readonly decisionId?: number;
}

/** Inserts a cycle in state `started` and gives its id. */
export const startCycle = (store: Store, taskId: string, startedAt: string): number =>
  Number(
    store.db
      .query("insert into manager_cycles (task_id, manager_id, started_at, state) values (?, null, ?, 'started')")
      .run(taskId, startedAt).lastInsertRowid,
  );

/** Writes spans in their order, with the task's active run. Call it inside the transaction that tells how the cycle went. */
export function addSpans(store: Store, cycle: { id: number; taskId: string }, spans: readonly Span[]): void {
  const run = activeRunId(store, cycle.taskId);
  const insert = store.db.query(
    `insert into manager_cycle_spans (manager_cycle_id, task_id, run_id, phase, started_at, completed_at, duration_ms, state, attributes_json, error_type, manager_decision_id)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  for (const span of spans) {
    insert.run(
      cycle.id,
      cycle.taskId,
      run,
      span.phase,
      span.startedAt,
      span.completedAt,
      span.durationMs,
      span.state,
      compactJson(span.attributes),
      span.errorType ?? null,
      span.decisionId ?? null,
    );
  }
}

/** Ends a cycle with what it saw, or with its error. */
export function endCycle(
  store: Store,
  id: number,
  end: { state: "succeeded" | "failed"; completedAt: string; status: Record<string, unknown>; error?: string },
): void {
  store.db
    .query("update manager_cycles set state = ?, completed_at = ?, status_json = ?, error = ? where id = ?")
    .run(end.state, end.completedAt, compactJson(end.status), end.error ?? null, id);
}

interface FlaggedCycle {
  readonly id: number;
  readonly task_id: string;
  readonly started_at: string;
  readonly completed_at: string | null;
  readonly state: string;
  readonly notable_pane_pattern: string;
  /** What the cycle stored. */
  readonly status: JsonObject;
}

/** The cycles of the task whose pane was flagged, newest first. */
export const flaggedCycles = (store: Store, taskId: string, limit: number): FlaggedCycle[] =>
  store.db
    .query<Omit<FlaggedCycle, "status"> & { status_json: string }, [string, number]>(
      `select id, task_id, started_at, completed_at, state, status_json, json_extract(status_json, '$.notable_pane_pattern') as notable_pane_pattern
       from manager_cycles where task_id = ? and json_extract(status_json, '$.notable_pane_pattern') is not null order by id desc limit ?`,
    )
    .all(taskId, limit)
    .map(({ status_json, ...row }) => {
      const status = parseStored<unknown>(status_json, {});
      return { ...row, status: isObject(status) ? status : {} };
    });

/** A message that a cycle took out of the manager's inbox, with its text where it has one. */
type ConsumedMessage = InboxItem & { readonly message: string | null };

/**
 * Claims what was delivered to the manager of this binding and nobody has consumed for the cycle that is about to show it, and gives it as
 * it is to be shown, oldest first. Call it inside a transaction.
 */
export function claimDelivered(
  store: Store,
  cycleId: number,
  binding: { id: string; taskId: string; managerSessionId: string },
  reader: Reader,
): ConsumedMessage[] {
  const taken = freeItems(store, binding.managerSessionId, EVERY, reader).filter(
    (item) => item.task_id === binding.taskId && item.binding_id === binding.id && item.consumed_manager_cycle_id === null,
  );
  const now = store.now();
  return taken.map((item) => {
    const claimed = { ...item, consumed_manager_cycle_id: cycleId, consumed_at: now, message: messageOf(item.payload) ?? null };
    claimItem(store, claimed, reader);
    return claimed;
  });
}

/** As a limit of SQLite: none. */
const EVERY = -1;
