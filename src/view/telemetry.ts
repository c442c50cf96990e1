/** Telemetry as text. */
import type { Counts, TelemetryEvent, TelemetrySummary } from "../core/telemetry.ts";

/** A line for each event. */
export function* eventLines(events: Iterable<TelemetryEvent>): Generator<string> {
  for (const { timestamp, actor, event_type, severity, summary } of events)
    yield `${timestamp} ${actor} ${event_type} [${severity}] ${summary}`;
}

const listed = (heading: string, counts: Counts): string[] => [
  `${heading}:`,
  ...Object.keys(counts)
    .sort()
    .map((name) => `  ${name}: ${counts[name]}`),
];

export const summaryLines = (summary: TelemetrySummary): string[] => [
  `total: ${summary.total}`,
  `first_timestamp: ${summary.first_timestamp ?? "-"}`,
  `last_timestamp: ${summary.last_timestamp ?? "-"}`,
  ...listed("by_actor", summary.by_actor),
  ...listed("by_event_type", summary.by_event_type),
  ...listed("by_severity", summary.by_severity),
];
