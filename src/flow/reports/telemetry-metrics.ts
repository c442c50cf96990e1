/** `telemetry metrics`: counts of a window of time, and how things stand now. */
import type { Context } from "../../context.ts";
import { type Counts, summed, table, type Tally } from "../../core/telemetry.ts";
import { countCriteria } from "../../store/tasks/criteria-report.ts";
import { snapshot } from "../../store/reading.ts";
import { activeSessions } from "../../store/sessions/report.ts";
import { storage } from "../../store/audit/storage.ts";
import {
  attemptRollup,
  commandRollup,
  countActiveTasks,
  type CycleCounts,
  cycleCounts,
  eventTallies,
  ingestCounts,
} from "../../store/reports/telemetry-metrics.ts";
import { deadSessions, drift } from "../sessions/reconcile.ts";
import { ownersOf, type Report, scopeOf, type ViewFlags, windowOf } from "./telemetry-scope.ts";

const WINDOW = "24h";

function nested(tallies: readonly Tally[]): Record<string, Record<string, Counts>> {
  const result = table<Record<string, Counts>>();
  for (const { actor, event_type, severity, count } of tallies)
    ((result[actor] ??= table<Counts>())[event_type] ??= table<number>())[severity] = count;
  return result;
}

function cycles(counts: readonly CycleCounts[]) {
  const sum = (fits: (row: CycleCounts) => boolean) => counts.filter(fits).reduce((total, { n }) => total + n, 0);
  const state = (name: CycleCounts["state"]) => sum((row) => row.state === name);
  return {
    cycles: { started: state("started"), succeeded: state("succeeded"), failed: state("failed"), total: sum(() => true) },
    pane_capture: {
      succeeded: sum((row) => row.captured === 1),
      failed: sum((row) => row.captured === 0),
      unknown: sum((row) => row.captured === null),
    },
  };
}

/** Export events, whatever part of the name says so. */
const isExport = (type: string): boolean => type.startsWith("export_") || type.endsWith("_exported");

export async function metrics(cx: Context, flags: ViewFlags): Promise<Report> {
  const store = cx.store(flags.path);
  const dead = await deadSessions(cx, store);
  return snapshot(store, () => {
    const found = drift(cx, store, dead, flags.staleCycleSeconds);
    const named = ownersOf(store, flags);
    // A run narrows what happened by itself; the task is a filter only when it was asked for.
    const owners = { ...named, task: flags.task ? named.task : null };
    const window = windowOf(cx, flags, WINDOW)!;
    const scope = scopeOf(owners, window);
    // A command can name a run of its own task only; so the others need not be read.
    const commands = scopeOf(named, window);
    const tallies = eventTallies(store, scope);
    const events = summed(tallies);
    const ingest = ingestCounts(store, scope);
    const counted = cycles(cycleCounts(store, scope));
    const { succeeded, failed } = counted.cycles;
    const rate = succeeded + failed === 0 ? null : succeeded / (succeeded + failed);
    const sessions = activeSessions(store);
    const role = (name: string) => sessions.filter((session) => session.role === name).length;
    const criteria = countCriteria(store, {});
    const kept = storage(store);
    const driftCounts = {
      dead_pid_sessions: found.dead_pid_sessions.length,
      dangling_bindings: found.dangling_bindings.length,
      stuck_tasks: found.stuck_tasks.length,
    };
    const value = {
      schema_version: 1,
      generated_at: cx.now(),
      window,
      filters: { run_id: owners.run?.id ?? null, task_id: owners.task?.id ?? null },
      counters: {
        telemetry_events: { ...events, by_actor_event_type_severity: nested(tallies) },
        ...counted,
        ingest,
        exports: { total: tallies.filter(({ event_type }) => isExport(event_type)).reduce((sum, { count }) => sum + count, 0) },
      },
      gauges: {
        active_tasks: countActiveTasks(store, owners.task?.id),
        active_sessions: { by_role: { manager: role("manager"), worker: role("worker") }, total: sessions.length },
        criteria: {
          by_status: criteria,
          open: criteria.proposed + criteria.accepted,
          total: Object.values(criteria).reduce((sum, n) => sum + n, 0),
        },
        reconcile: { ...driftCounts, total_drift: Object.values(driftCounts).reduce((sum, n) => sum + n, 0) },
        storage_bytes: {
          database_file: kept.database_file,
          terminal_captures: kept.terminal_captures.bytes,
          transcript_captures: kept.transcript_captures.bytes,
          transcript_segments: kept.transcript_segments.bytes,
          total_retained: kept.total_retained,
        },
      },
      rollups: {
        commands_by_type: commandRollup(store, commands),
        command_attempts_by_type: attemptRollup(store, commands),
        cycle_success_rate: rate,
      },
    };
    const lines = [
      `window: ${window.label}`,
      `telemetry_events: ${events.total}`,
      `cycle_success_rate: ${rate ?? "-"}`,
      `skipped_ingest_lines: ${ingest.skipped_lines}`,
    ];
    return { value, lines, exit: 0 };
  });
}
