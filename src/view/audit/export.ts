/** The texts in an export: the telemetry report and the transcripts. */
import { quote } from "../../core/audit/replay.ts";
import type { Shown } from "../../core/row.ts";
import type { Task } from "../../core/tasks/task.ts";
import type { TelemetryEvent, TelemetrySummary } from "../../core/telemetry.ts";

/** A line of somebody's text inside Markdown: no line breaks, no markup that would be obeyed. */
const plain = (text: unknown): string =>
  quote(text, 2000)
    .replace(/[<>&]/g, (sign) => ({ "<": "&lt;", ">": "&gt;", "&": "&amp;" })[sign]!)
    .replaceAll("`", "'");

/** The telemetry of a task in Markdown. `limit`: how many events are listed at most, null for all. */
export function* telemetryReport(
  task: Task,
  summary: TelemetrySummary,
  events: Iterable<TelemetryEvent>,
  limit: number | null,
): Generator<string> {
  yield `# Telemetry of ${plain(task.name)}`;
  yield "";
  yield `- Task: ${task.id}`;
  yield `- Events: ${summary.total}`;
  yield `- First: ${summary.first_timestamp ?? "-"}`;
  yield `- Last: ${summary.last_timestamp ?? "-"}`;
  yield "";
  yield "## Events by type";
  yield "";
  for (const type of Object.keys(summary.by_event_type).sort()) yield `- ${plain(type)}: ${summary.by_event_type[type]}`;
  yield "";
  yield "## Events";
  yield "";
  if (limit !== null && summary.total > limit) {
    yield `Only the oldest ${limit} of ${summary.total} are listed; export with --all-telemetry for all.`;
    yield "";
  }
  for (const { timestamp, actor, event_type, severity, summary: said } of events)
    yield `- ${timestamp} ${actor} ${plain(event_type)} [${severity}] ${plain(said)}`;
}

/** Transcript segments, each below a line that says which it is. */
export function* transcriptText(segments: Iterable<Shown>): Generator<string> {
  for (const { role, id, captured_at, segment_kind, segment_text } of segments) {
    yield `=== ${role} segment ${id} ${captured_at} ${segment_kind} ===`;
    yield segment_text === null ? "[metadata only]" : String(segment_text);
  }
}
