/** Reading `telemetry_events`: filtered and searched. */
import { shown } from "../../core/row.ts";
import type { TelemetryEvent } from "../../core/telemetry.ts";
import { type Parameter, rows } from "../reading.ts";
import type { Store } from "../store.ts";

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

/** Up to so many finds are fetched and sorted; beyond that it may cost less to go through the events themselves. */
const FEW = 5000;
/** At least so many events are gone through before that is given up. */
const WALK = 2000;

const isCommon = (store: Store, search: string): boolean =>
  store.db
    .query<{ n: number }, [string, number]>(
      "select count(*) as n from (select 1 from telemetry_events_fts where telemetry_events_fts match ? limit ?)",
    )
    .get(ftsTerms(search), FEW + 1)!.n > FEW;

type Row = Record<string, unknown>;

/**
 * The first `limit` events that fit a search, found by going through the events in order: what many events hold is soon found in some of
 * them. Null when it must be looked for in another way: not enough was found in time, or the rows of the search table do not lie beside
 * their events, as they do where each was written together with its event.
 */
function walk(store: Store, { search = "", ...filter }: TelemetryFilter, stretch: Stretch, limit: number): Row[] | null {
  const its = "from telemetry_events_fts f where f.rowid = telemetry_events.rowid";
  const columns = `*, (select f.event_id ${its}) is id as beside, exists (select 1 ${its} and f.telemetry_events_fts match ?) as hit`;
  const length = Math.max(WALK, 2 * limit);
  const { sql, parameters } = selection(columns, filter, { ...stretch, limit: length });
  const found: Row[] = [];
  let seen = 0;
  for (const { beside, hit, ...row } of rows<Row>(store, sql, ftsTerms(search), ...parameters)) {
    if (beside !== 1) return null;
    if (hit === 1 || row.event_type === search) found.push(row);
    if (found.length >= limit) return found;
    seen++;
  }
  return seen < length ? found : null;
}

/** The events that fit, one by one. */
export function* listTelemetry(store: Store, filter: TelemetryFilter, stretch: Stretch = {}): Generator<TelemetryEvent> {
  const { limit } = stretch;
  const walked = limit && filter.search?.trim() && isCommon(store, filter.search) ? walk(store, filter, stretch, limit) : null;
  const { sql, parameters } = selection("*", filter, stretch);
  for (const row of walked ?? rows<Row>(store, sql, ...parameters)) yield shown(row) as unknown as TelemetryEvent;
}
