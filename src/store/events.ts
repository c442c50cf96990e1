/** `events`: the append-only audit of what happened; no row is ever changed. */
import { compactJson } from "../core/json.ts";
import type { Store } from "./store.ts";

export interface NewEvent {
  readonly type: string;
  readonly payload?: Record<string, unknown>;
  /** `workerctl` unless somebody else acted. */
  readonly actor?: string;
  readonly taskId?: string | null;
  readonly workerId?: string | null;
  readonly managerId?: string | null;
  readonly commandId?: string | null;
  readonly correlationId?: string | null;
  /** Now unless it happened before and is only brought in. */
  readonly createdAt?: string;
}

/** Appends one row and gives its id. Call it inside the transaction of the change it reports. */
export function addEvent(store: Store, event: NewEvent): number {
  return Number(
    store.db
      .query(
        `insert into events (created_at, actor, command_id, correlation_id, task_id, worker_id, manager_id, type, payload_json)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        event.createdAt ?? store.now(),
        event.actor ?? "workerctl",
        event.commandId ?? null,
        event.correlationId ?? null,
        event.taskId ?? null,
        event.workerId ?? null,
        event.managerId ?? null,
        event.type,
        compactJson(event.payload ?? {}),
      ).lastInsertRowid,
  );
}
