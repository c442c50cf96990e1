/** `events`: the append-only audit of what happened; no row is ever changed. */
import { compactJson } from "../../core/json.ts";
import { seal } from "./chain.ts";
import { type Store, tx } from "../store.ts";

interface NewEvent {
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

/** Appends one row, sealed in the chain of its task, and gives its id. Call it inside the transaction of the change it reports. */
export function addEvent(store: Store, event: NewEvent): number {
  return tx(store, () => {
    const row = {
      created_at: event.createdAt ?? store.now(),
      actor: event.actor ?? "workerctl",
      command_id: event.commandId ?? null,
      correlation_id: event.correlationId ?? null,
      task_id: event.taskId ?? null,
      worker_id: event.workerId ?? null,
      manager_id: event.managerId ?? null,
      type: event.type,
    };
    const payload = event.payload ?? {};
    const { lastInsertRowid } = store.db
      .query(
        `insert into events (created_at, actor, command_id, correlation_id, task_id, worker_id, manager_id, type, payload_json)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(...Object.values(row), compactJson(payload));
    const id = Number(lastInsertRowid);
    seal(store, "events", { ...row, id, payload });
    return id;
  });
}

export interface RecordedEvent {
  readonly id: number;
  readonly type: string;
}

/** Number of the newest event; 0 when there is none. */
export const lastEventId = (store: Store): number =>
  store.db.query<{ id: number | null }, []>("select max(id) as id from events").get()!.id ?? 0;

/** Events with higher numbers, in their order. */
export const eventsAfter = (store: Store, id: number, limit: number): RecordedEvent[] =>
  store.db.query<RecordedEvent, [number, number]>("select id, type from events where id > ? order by id limit ?").all(id, limit);
