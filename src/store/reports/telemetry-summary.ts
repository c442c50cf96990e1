/** What telemetry events add up to. */
import { summed, type Tally, type TelemetrySummary } from "../../core/telemetry.ts";
import type { Parameter } from "../reading.ts";
import type { Store } from "../store.ts";
import { type Selection, selection, type Stretch, type TelemetryFilter } from "./telemetry-list.ts";

/** Sums over all events that fit; with a limit, over those that the listing shows. */
export function summariseTelemetry(store: Store, filter: TelemetryFilter, stretch: Stretch = {}): TelemetrySummary {
  const limited = stretch.limit !== undefined;
  const kept = !limited && !filter.search?.trim();
  const chosen = selection("*, rowid as written", filter, stretch);
  const only = kept ? onlyKept : onlyChosen;
  return {
    ...summed(kept ? tallies(store, filter) : talliesOf(store, chosen)),
    first_timestamp: edgeTime(store, chosen, limited, "asc") ?? null,
    last_timestamp: edgeTime(store, limited ? chosen : selection("*, rowid as written", filter, { newest: true }), limited, "desc") ?? null,
    run_id: filter.runId ?? only("run_id", store, filter, chosen),
    task_id: filter.taskId ?? only("task_id", store, filter, chosen),
  };
}

type OwnerColumn = "run_id" | "task_id";
type Only = (column: OwnerColumn, store: Store, filter: TelemetryFilter, chosen: Selection) => string | null;

interface Edges {
  readonly first: string | null;
  readonly last: string | null;
}

const same = ({ first, last }: Edges): string | null => (first === last ? first : null);

const edgeTime = (store: Store, { sql, parameters }: Selection, limited: boolean, way: "asc" | "desc"): string | undefined =>
  store.db
    .query<{ timestamp: string }, Parameter[]>(
      limited ? `select timestamp from (${sql}) order by julianday(timestamp) ${way}, written ${way} limit 1` : `${sql} limit 1`,
    )
    .get(...parameters)?.timestamp;

const talliesOf = (store: Store, { sql, parameters }: Selection): Tally[] =>
  store.db
    .query<Tally, Parameter[]>(`select actor, event_type, severity, count(*) as count from (${sql}) group by actor, event_type, severity`)
    .all(...parameters);

const onlyChosen: Only = (column, store, _filter, { sql, parameters }) =>
  same(store.db.query<Edges, Parameter[]>(`select min(${column}) as first, max(${column}) as last from (${sql})`).get(...parameters)!);

/** The terms of a filter on the table of totals, which a trigger keeps: what all events add up to costs no more in a large file. */
function totalTerms(filter: TelemetryFilter): { where: string; parameters: string[] } {
  const terms: [string, string | undefined][] = [
    ["task_id = ?", filter.taskId],
    ["run_id = ?", filter.runId],
    ["actor = ?", filter.actor],
    ["event_type = ?", filter.eventType],
    ["severity = ?", filter.severity],
  ];
  const given = terms.filter((term): term is [string, string] => Boolean(term[1]));
  return { where: given.map(([term]) => ` and ${term}`).join(""), parameters: given.map(([, value]) => value) };
}

/** How many events there are by actor, type and severity. A search cannot be counted in this way. */
function tallies(store: Store, filter: Omit<TelemetryFilter, "search">): Tally[] {
  const { where, parameters } = totalTerms(filter);
  const scope = filter.taskId || filter.runId ? "task" : "all";
  return store.db
    .query<Tally, Parameter[]>(
      `select actor, event_type, severity, sum(count) as count from telemetry_totals where scope = ?${where} group by actor,
        event_type, severity`,
    )
    .all(scope, ...parameters);
}

const onlyKept: Only = (column, store, filter) => {
  const { where, parameters } = totalTerms(filter);
  // Each edge is a look-up of its own, which ends at the first row that fits; of runs it goes by their own index.
  const scope = column === "run_id" ? "+scope" : "scope";
  const edge = (way: "asc" | "desc") =>
    `(select ${column} from telemetry_totals where ${scope} = 'task' and ${column} <> ''${where} order by ${column} ${way} limit 1)`;
  const sql = parameters.length
    ? `select ${edge("asc")} as first, ${edge("desc")} as last`
    : `select (select min(${column}) from telemetry_events) as first, (select max(${column}) from telemetry_events) as last`;
  return same(store.db.query<Edges, Parameter[]>(sql).get(...parameters, ...parameters)!);
};
