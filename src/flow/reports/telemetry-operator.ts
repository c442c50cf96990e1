/** `telemetry snapshot`, `check` and `failures` over everything: how the whole state looks to whoever runs it. */
import type { Context } from "../../context.ts";
import { failureAlerts, operatorAlerts, type Thresholds } from "../../core/alerts.ts";
import { olderThan } from "../../core/time.ts";
import { countCommands, newestCommands } from "../../store/dispatch/command-report.ts";
import { countCriteria, openCriteria } from "../../store/tasks/criteria-report.ts";
import { countCycles, newestCycles } from "../../store/observe/cycle-report.ts";
import { checkHealth } from "../../store/health.ts";
import { ingestTrouble, newestIngestEvents } from "../../store/observe/ingest-report.ts";
import { snapshot } from "../../store/reading.ts";
import type { Scope } from "../../store/reports/scope.ts";
import { activeSessions, type SessionFacts } from "../../store/sessions/report.ts";
import { databaseBytes, storage } from "../../store/audit/storage.ts";
import type { Store } from "../../store/store.ts";
import { activeTasks, countActiveTasks, ingestCounts } from "../../store/reports/telemetry-metrics.ts";
import { deadSessions, type Drift, drift } from "../sessions/reconcile.ts";
import { alertLine, ownersOf, type Report, scopeOf, thresholds, type ViewFlags, windowOf } from "./telemetry-scope.ts";

/** Sessions whose heartbeat is older than the limit; one that never had any is not stale. */
const staleSessions = (sessions: readonly SessionFacts[], seconds: number, nowMs: number): SessionFacts[] =>
  sessions.filter(({ last_heartbeat_at }) => olderThan(last_heartbeat_at, seconds, nowMs));

/** The parts that the operator's views share. `scope` restricts commands, criteria and failed cycles; its window only what failed. */
function operatorParts(store: Store, found: Drift, scope: Scope, flags: ViewFlags, nowMs: number) {
  const { limit } = flags;
  const { window: _, ...always } = scope;
  const active = activeSessions(store);
  const stale = staleSessions(active, flags.workerStalenessSeconds, nowMs);
  return {
    commands: {
      total: countCommands(store, "all", always),
      unfinished_count: countCommands(store, "unfinished", always),
      failed_count: countCommands(store, "failed", scope),
      recent_unfinished: newestCommands(store, "unfinished", always, limit),
      recent_failed: newestCommands(store, "failed", scope, limit),
    },
    cycles: {
      recent_failed: newestCycles(store, "failed", scope, limit),
      recent_failed_count: countCycles(store, "failed", scope),
      stale: found.stuck_tasks.slice(0, limit),
      stale_count: found.stuck_tasks.length,
    },
    sessions: {
      active: active.slice(0, limit),
      active_count: active.length,
      stale: stale.slice(0, limit),
      stale_count: stale.length,
      dead_pid_count: found.dead_pid_sessions.length,
      dead_pid_sessions: found.dead_pid_sessions.slice(0, limit),
    },
    tasks: { active: activeTasks(store, limit), active_count: countActiveTasks(store) },
  };
}

function criteriaPart(store: Store, scope: Scope, limit: number) {
  const by_status = countCriteria(store, scope);
  return { by_status, open_accepted: openCriteria(store, scope, limit), open_accepted_count: by_status.accepted };
}

function operatorReport(cx: Context, store: Store, found: Drift, flags: ViewFlags) {
  const limits: Thresholds = thresholds(flags);
  const scope: Scope = { activeOnly: flags.activeOnly, window: windowOf(cx, flags) ?? undefined };
  const parts = operatorParts(store, found, scope, flags, cx.nowMs());
  const criteria = criteriaPart(store, { activeOnly: flags.activeOnly }, flags.limit);
  const { path: _, ...schema_health } = checkHealth(store);
  const total = databaseBytes(store);
  const alerts = operatorAlerts(
    {
      schemaOk: schema_health.ok,
      deadSessions: found.dead_pid_sessions.map(({ name }) => name),
      danglingBindings: found.dangling_bindings.length,
      stuckTasks: found.stuck_tasks.map(({ task_name }) => task_name),
      staleSessions: staleSessions(activeSessions(store), limits.worker_staleness_seconds, cx.nowMs()).map(({ name }) => name),
      unfinishedCommands: parts.commands.unfinished_count,
      openCriteria: criteria.open_accepted_count,
      storageBytes: total,
      failedCycles: parts.cycles.recent_failed_count,
      failedCommands: parts.commands.failed_count,
    },
    limits,
  );
  const kept = storage(store);
  return {
    ...parts,
    alerts,
    checks: { ok: alerts.length === 0, thresholds: limits },
    criteria,
    reconcile: { ...found, schema_health },
    storage: { database_bytes: total, total_bytes: total, retained_bytes: kept.total_retained },
  };
}

/** The state of everything, as JSON only. */
export async function operatorSnapshot(cx: Context, flags: ViewFlags): Promise<Report> {
  const store = cx.store(flags.path);
  const dead = await deadSessions(cx, store);
  return snapshot(store, () => ({
    value: operatorReport(cx, store, drift(cx, store, dead, flags.staleCycleSeconds), flags),
    lines: null,
    exit: 0,
  }));
}

/** The same, judged. */
export async function operatorCheck(cx: Context, flags: ViewFlags): Promise<Report> {
  const store = cx.store(flags.path);
  const dead = await deadSessions(cx, store);
  return snapshot(store, () => {
    const value = operatorReport(cx, store, drift(cx, store, dead, flags.staleCycleSeconds), flags);
    return {
      value,
      lines: [`telemetry check: ${value.checks.ok ? "healthy" : "unhealthy"}`, ...value.alerts.map(alertLine)],
      exit: value.checks.ok ? 0 : 1,
    };
  });
}

/** What went wrong: of everything, one task, one run, or a window of time. */
export async function failures(cx: Context, flags: ViewFlags): Promise<Report> {
  const store = cx.store(flags.path);
  const dead = await deadSessions(cx, store);
  return snapshot(store, () => {
    const found = drift(cx, store, dead, flags.staleCycleSeconds);
    const owners = ownersOf(store, flags);
    const window = windowOf(cx, flags);
    const scope: Scope = { ...scopeOf(owners, window), activeOnly: flags.activeOnly };
    const { window: _, ...always } = scope;
    const narrowed = owners.task !== null || flags.activeOnly || window !== null;
    const parts = operatorParts(store, narrowed ? { ...found, stuck_tasks: [] } : found, scope, flags, cx.nowMs());
    const open_criteria = criteriaPart(store, always, flags.limit);
    const trouble = ingestTrouble(store, scope);
    const cycleErrors = countCycles(store, "ingest", scope);
    const counts = {
      failed_cycles: parts.cycles.recent_failed_count,
      failed_commands: parts.commands.failed_count,
      ingest_errors: trouble.errors + cycleErrors,
      pane_capture_failures: countCycles(store, "blind", scope),
    };
    const alerts = failureAlerts({
      failedCycles: counts.failed_cycles,
      failedCommands: counts.failed_commands,
      ingestErrors: counts.ingest_errors,
      paneFailures: counts.pane_capture_failures,
      openCriteria: open_criteria.open_accepted_count,
    });
    const value = {
      schema_version: 1,
      filters: { active_only: flags.activeOnly, run_id: owners.run?.id ?? null, task_id: owners.task?.id ?? null, window },
      counts,
      failed_cycles: parts.cycles.recent_failed,
      failed_commands: parts.commands.recent_failed,
      pane_capture_failures: newestCycles(store, "blind", scope, flags.limit),
      ingest: {
        ...ingestCounts(store, scope),
        recent_skipped: newestIngestEvents(store, "skipped", scope, flags.limit),
        recent_errors: newestIngestEvents(store, "errors", scope, flags.limit),
        cycle_errors: newestCycles(store, "ingest", scope, flags.limit),
        error_count: counts.ingest_errors,
      },
      open_criteria,
      operator: { checks: { ok: alerts.length === 0, thresholds: thresholds(flags) }, ...parts },
      storage: storage(store, owners.task?.id),
      alerts,
    };
    const lines = [...Object.entries(counts).map(([name, count]) => `${name}: ${count}`), ...alerts.map(alertLine)];
    return { value, lines, exit: 0 };
  });
}
