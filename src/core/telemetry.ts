/** Telemetry events, and what is counted about them. */

export const ACTORS = ["dispatch", "manager", "operator", "system", "worker", "workerctl"] as const;
export type Actor = (typeof ACTORS)[number];
export const SEVERITIES = ["debug", "info", "warning", "error"] as const;
export type Severity = (typeof SEVERITIES)[number];

/** A row of `telemetry_events` as it is shown. */
export interface TelemetryEvent {
  readonly id: string;
  readonly run_id: string | null;
  readonly task_id: string | null;
  readonly timestamp: string;
  readonly actor: Actor;
  readonly event_type: string;
  readonly severity: Severity;
  readonly summary: string;
  readonly correlation: unknown;
  readonly attributes: unknown;
}

/** How many events there are of one actor, type and severity. */
export interface Tally {
  readonly actor: string;
  readonly event_type: string;
  readonly severity: string;
  readonly count: number;
}

export type Counts = Record<string, number>;

export interface TelemetrySummary {
  readonly total: number;
  readonly by_actor: Counts;
  readonly by_event_type: Counts;
  readonly by_severity: Counts;
  readonly first_timestamp: string | null;
  readonly last_timestamp: string | null;
  readonly run_id: string | null;
  readonly task_id: string | null;
}

/** An empty table of counts. Names are anybody's text, so nothing is inherited. */
export const table = <T>(): Record<string, T> => Object.create(null) as Record<string, T>;

/** Sums tallies by one of their names. */
function countBy(tallies: readonly Tally[], name: "actor" | "event_type" | "severity"): Counts {
  const counts = table<number>();
  for (const tally of tallies) counts[tally[name]] = (counts[tally[name]] ?? 0) + tally.count;
  return counts;
}

/** The sums of all tallies, without times and owners. */
export const summed = (tallies: readonly Tally[]): Pick<TelemetrySummary, "total" | "by_actor" | "by_event_type" | "by_severity"> => ({
  total: tallies.reduce((sum, { count }) => sum + count, 0),
  by_actor: countBy(tallies, "actor"),
  by_event_type: countBy(tallies, "event_type"),
  by_severity: countBy(tallies, "severity"),
});
