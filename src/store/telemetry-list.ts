/** Reading `telemetry_events`: filtered and searched. */
import { shown } from "../core/row.ts";
import type { TelemetryEvent } from "../core/telemetry.ts";
import { type Parameter, rows } from "./reading.ts";
import type { Store } from "./store.ts";

/** What an event must fulfil, all of it; absent and empty texts ask for nothing. */
export interface TelemetryFilter {
  readonly runId?: string | undefined;
  readonly taskId?: string | undefined;
  readonly actor?: string | undefined;
  readonly eventType?: string | undefined;
  readonly severity?: string | undefined;
  /** Words that must all occur in summary or attributes; or the exact event type. */
  readonly search?: string | undefined;
}

export interface Stretch {
  readonly limit?: number | undefined;
  /** Youngest first, and the limit keeps the youngest. */
  readonly newest?: boolean | undefined;
}

/** Every blank-separated word as a quoted term of FTS5, so that no text is read as its query language. */
const ftsTerms = (search: string): string =>
  search
    .split(/\s+/)
    .filter(Boolean)
    .map((term) => `"${term.replaceAll('"', '""')}"`)
    .join(" AND ");

const COLUMNS = { runId: "run_id", taskId: "task_id", actor: "actor", eventType: "event_type" } as const;

/** Only the narrowest filter is looked up in an index; by the others SQLite would walk the events of all tasks. */
const NARROWEST: readonly (keyof typeof COLUMNS)[] = ["runId", "taskId", "eventType", "actor"];

function condition(filter: TelemetryFilter): { where: string; parameters: Parameter[] } {
  const terms: string[] = [];
  const parameters: Parameter[] = [];
  const narrowest = NARROWEST.find((key) => filter[key]);
  for (const [key, column] of Object.entries(COLUMNS) as [keyof typeof COLUMNS, string][]) {
    if (!filter[key]) continue;
    const indexed = key === narrowest || (narrowest === "taskId" && key === "eventType");
    terms.push(`${indexed ? "" : "+"}${column} = ?`);
    parameters.push(filter[key]);
  }
  if (filter.severity) {
    // The index of the rarer severities is used only when its own condition stands here word by word.
    const indexed = filter.severity !== "info" && (narrowest === undefined || narrowest === "actor");
    terms.push(indexed ? "severity in ('debug', 'warning', 'error') and severity = ?" : "+severity = ?");
    parameters.push(filter.severity);
  }
  if (filter.search?.trim()) {
    terms.push("(id in (select event_id from telemetry_events_fts where telemetry_events_fts match ?) or event_type = ?)");
    parameters.push(ftsTerms(filter.search), filter.search);
  }
  return { where: terms.length ? `where ${terms.join(" and ")}` : "", parameters };
}

export interface Selection {
  readonly sql: string;
  readonly parameters: Parameter[];
}

/** The query for `columns` of the events that fit, by instant and then in the order they were written. */
export function selection(columns: string, filter: TelemetryFilter, { limit, newest }: Stretch): Selection {
  const { where, parameters } = condition(filter);
  const way = newest ? "desc" : "asc";
  const sql = `select ${columns} from telemetry_events ${where} order by julianday(timestamp) ${way}, rowid ${way}`;
  return limit === undefined ? { sql, parameters } : { sql: `${sql} limit ?`, parameters: [...parameters, limit] };
}

/** The events that fit, one by one. */
export function* listTelemetry(store: Store, filter: TelemetryFilter, stretch: Stretch = {}): Generator<TelemetryEvent> {
  const { sql, parameters } = selection("*", filter, stretch);
  for (const row of rows<Record<string, unknown>>(store, sql, ...parameters)) yield shown(row) as unknown as TelemetryEvent;
}
