/** `telemetry_events` and its full-text table: always written together. */
import { compactJson } from "../core/json.ts";
import type { Actor, Severity } from "../core/telemetry.ts";
import { belonging } from "./active-run.ts";
import type { Store } from "./store.ts";

export interface NewTelemetry {
  readonly type: string;
  readonly summary: string;
  /** `workerctl` unless said otherwise. */
  readonly actor?: Actor;
  /** `info` unless said otherwise. */
  readonly severity?: Severity;
  readonly taskId?: string | null;
  /** Brings its task with it. Absent: the task's active run, if there is one; null: none. */
  readonly runId?: string | null;
  readonly correlation?: Record<string, unknown>;
  readonly attributes?: Record<string, unknown>;
}

/** Writes one event and its search row and gives the event's id. Call it inside the transaction of the change it reports. */
export function addTelemetry(store: Store, event: NewTelemetry): string {
  const id = store.newId("telemetry");
  const { taskId, runId } = belonging(store, event);
  const actor = event.actor ?? "workerctl";
  const attributes = compactJson(event.attributes ?? {});
  store.db
    .query(
      `insert into telemetry_events (id, run_id, task_id, timestamp, actor, event_type, severity, summary, correlation_json, attributes_json)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(id, runId, taskId, store.now(), actor, event.type, event.severity ?? "info", event.summary, compactJson(event.correlation ?? {}), attributes);
  store.db
    .query("insert into telemetry_events_fts (event_id, task_id, run_id, actor, event_type, summary, attributes) values (?, ?, ?, ?, ?, ?, ?)")
    .run(id, taskId, runId, actor, event.type, event.summary, attributes);
  return id;
}
