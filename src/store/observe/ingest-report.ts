/** What was read of rollouts: what went wrong, and what nobody was shown yet. */
import { isObject, type JsonObject } from "../../core/json.ts";
import { type Row, shown } from "../../core/row.ts";
import type { TelemetryEvent } from "../../core/telemetry.ts";
import type { Parameter } from "../reading.ts";
import { type Scope, termsOf } from "../reports/scope.ts";
import type { Store } from "../store.ts";

/** Each group has an index, whose condition must stand here word by word. */
const GROUPS = {
  errors: ["instr(event_type, 'ingest') > 0", "severity in ('warning', 'error')"],
  skipped: ["+event_type = 'codex_events_ingested'", "json_extract(attributes_json, '$.skipped_lines') > 0"],
} as const;
type IngestGroup = keyof typeof GROUPS;

/** Over many tasks the group's index is walked, not the events of each task. */
const placesOf = ({ taskId }: Scope) => ({ task: taskId === undefined ? "+task_id" : "task_id", time: "timestamp", run: "run_id = ?" });
const TOLD = ["new_events", "skipped_lines", "error", "reason"];

/** The event, of its attributes only those that say how the reading went. */
const reduced = (event: TelemetryEvent): TelemetryEvent => {
  const attributes: JsonObject = isObject(event.attributes) ? event.attributes : {};
  return {
    ...event,
    attributes: Object.fromEntries(TOLD.flatMap((key) => (attributes[key] === undefined ? [] : [[key, attributes[key]]]))),
  };
};

/** Events of a group, newest first. */
export function newestIngestEvents(store: Store, group: IngestGroup, scope: Scope, limit: number): TelemetryEvent[] {
  const { where, parameters } = termsOf(scope, placesOf(scope), GROUPS[group]);
  return (
    store.db
      // Written so that SQLite does not walk the index of all times for the order: those that fit are few.
      .query<Row, Parameter[]>(`select * from telemetry_events ${where} order by -julianday(timestamp), -rowid limit ?`)
      .all(...parameters, limit)
      .map((row) => reduced(shown(row) as unknown as TelemetryEvent))
  );
}

interface IngestTrouble {
  readonly errors: number;
  readonly skipped_lines: number;
}

/** How many such events there are, and how many lines were skipped. */
export function ingestTrouble(store: Store, scope: Scope): IngestTrouble {
  const errors = termsOf(scope, placesOf(scope), GROUPS.errors);
  const skipped = termsOf(scope, placesOf(scope), GROUPS.skipped);
  return {
    errors: store.db
      .query<{ n: number }, Parameter[]>(`select count(*) as n from telemetry_events ${errors.where}`)
      .get(...errors.parameters)!.n,
    skipped_lines: store.db
      .query<{ n: number }, Parameter[]>(
        `select coalesce(sum(json_extract(attributes_json, '$.skipped_lines')), 0) as n from telemetry_events ${skipped.where}`,
      )
      .get(...skipped.parameters)!.n,
  };
}

/**
 * How much of a session's rollout was read ahead since the task's last cycle, by Dispatch or the dashboard: the next cycle is the first that
 * shows it, and counts it as its own.
 */
export const readAheadSinceCycle = (store: Store, taskId: string, sessionId: string): { new_events: number; skipped_lines: number } =>
  store.db
    .query<{ new_events: number; skipped_lines: number }, [string, string]>(
      `with last (at, number) as (
         select julianday(timestamp), rowid from telemetry_events where task_id = ?1 and event_type = 'manager_cycle_succeeded'
         order by julianday(timestamp) desc, rowid desc limit 1)
       select coalesce(sum(json_extract(attributes_json, '$.new_events')), 0) as new_events,
         coalesce(sum(json_extract(attributes_json, '$.skipped_lines')), 0) as skipped_lines
       from telemetry_events where task_id = ?1 and event_type = 'codex_events_ingested'
         and julianday(timestamp) >= coalesce((select at from last), 0) and rowid > coalesce((select number from last), 0)
         and json_extract(attributes_json, '$.read_ahead') and json_extract(correlation_json, '$.session_id') = ?2`,
    )
    .get(taskId, sessionId)!;
