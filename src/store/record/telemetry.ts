/** `telemetry_events` and its full-text table: always written together. */
import { compactJson } from "../../core/json.ts";
import type { Actor, Severity } from "../../core/telemetry.ts";
import { belonging } from "./active-run.ts";
import { seal } from "./chain.ts";
import { type Store, tx } from "../store.ts";

interface NewTelemetry {
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

/**
 * Writes one event and its search row, sealed in the chain of its task, and gives the event's id. Call it inside the transaction of the
 * change it reports.
 */
export function addTelemetry(store: Store, event: NewTelemetry): string {
  return tx(store, () => {
    const { taskId, runId } = belonging(store, event);
    const row = {
      id: store.newId("telemetry"),
      run_id: runId,
      task_id: taskId,
      timestamp: store.now(),
      actor: event.actor ?? "workerctl",
      event_type: event.type,
      severity: event.severity ?? "info",
      summary: event.summary,
    };
    const [correlation, attributes] = [event.correlation ?? {}, event.attributes ?? {}];
    store.db
      .query(
        `insert into telemetry_events (id, run_id, task_id, timestamp, actor, event_type, severity, summary, correlation_json, attributes_json)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(...Object.values(row), compactJson(correlation), compactJson(attributes));
    store.db
      .query(
        "insert into telemetry_events_fts (event_id, task_id, run_id, actor, event_type, summary, attributes) values (?, ?, ?, ?, ?, ?, ?)",
      )
      .run(row.id, taskId, runId, row.actor, row.event_type, row.summary, compactJson(attributes));
    seal(store, "telemetry_events", { ...row, correlation, attributes });
    return row.id;
  });
}
