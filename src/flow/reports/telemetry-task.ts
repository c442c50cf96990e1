/** `telemetry snapshot --task`, `task` and `check --task`: how one task looks. */
import type { Context } from "../../context.ts";
import { type Alert, checkAlerts, ingestAlerts, type Thresholds, taskAlerts } from "../../core/alerts.ts";
import { keysOf } from "../../core/dispatch/command-facts.ts";
import { panePattern } from "../../core/observe/cycle-facts.ts";
import { integrity, type Party, party } from "../../core/tasks/task-state.ts";
import type { TelemetryEvent } from "../../core/telemetry.ts";
import type { DeadSession } from "../../core/sessions/reconcile.ts";
import { ageSeconds, olderThan } from "../../core/time.ts";
import { activeRunId } from "../../store/record/active-run.ts";
import { commandStates, countCommands, newestCommands } from "../../store/dispatch/command-report.ts";
import { countCriteria, openCriteria } from "../../store/tasks/criteria-report.ts";
import { countCycles, cycleStates, latestCycle, newestCycles } from "../../store/observe/cycle-report.ts";
import { newestDecisions } from "../../store/tasks/decisions.ts";
import { checkHealth } from "../../store/health.ts";
import { ingestTrouble, newestIngestEvents } from "../../store/observe/ingest-report.ts";
import { snapshot } from "../../store/reading.ts";
import { runById } from "../../store/record/runs.ts";
import { storage } from "../../store/audit/storage.ts";
import { partiesOf } from "../../store/tasks/task-state.ts";
import { needNewestTask } from "../../store/tasks/tasks.ts";
import { listTelemetry } from "../../store/reports/telemetry-list.ts";
import { ingestCounts } from "../../store/reports/telemetry-metrics.ts";
import { summariseTelemetry } from "../../store/reports/telemetry-summary.ts";
import { alive } from "../../system/processes/processes.ts";
import { deadSessions, drift } from "../sessions/reconcile.ts";
import { alertLine, type Report, thresholds, type ViewFlags } from "./telemetry-scope.ts";
import type { Scene } from "../scene.ts";

const lifeless = (each: Party | null): string[] => (each?.alive === false ? [`${each.role} ${each.name}`] : []);

/** The scene of a view: the task as typed, and the dead sessions as the machine has shown them. */
interface ViewScene extends Scene {
  readonly dead: DeadSession[];
  readonly ref: string;
  readonly flags: ViewFlags;
}

/** Everything the views of a task have in common. */
function look(scene: ViewScene, limits: Pick<Thresholds, "max_unfinished_commands" | "max_open_criteria">) {
  const { cx, store, dead, ref, flags } = scene;
  const task = needNewestTask(store, ref);
  const taskId = task.id;
  const parties = partiesOf(store, taskId);
  const [worker, manager] = [party(parties.worker, alive, cx.nowMs()), party(parties.manager, alive, cx.nowMs())];
  const soundness = integrity(task, parties);
  const latest = latestCycle(store, taskId);
  const latest_cycle = latest && { ...latest, notable_pane_pattern: panePattern(latest.status) };
  const summary = countCriteria(store, { taskId });
  const counts = {
    unfinished_count: countCommands(store, "unfinished", { taskId }),
    failed_count: countCommands(store, "failed", { taskId }),
  };
  const telemetry = summariseTelemetry(store, { taskId });
  const found = drift(cx, store, dead, flags.staleCycleSeconds);
  const dangling = found.dangling_bindings.filter((each) => each.task_id === taskId);
  const stuck = found.stuck_tasks.filter((each) => each.binding_id === parties.binding?.id);
  const schemaOk = checkHealth(store, { rows: false }).ok;
  const pattern = latest_cycle?.notable_pane_pattern;
  const alerts = taskAlerts(
    {
      integrityIssues: soundness.issues,
      failedCycle: latest?.state === "failed" ? (latest.error ?? "") : null,
      panePattern: typeof pattern === "string" ? pattern : null,
      openCriteria: summary.accepted,
      unfinishedCommands: counts.unfinished_count,
      failedCommands: counts.failed_count,
      errorEvents: telemetry.by_severity.error ?? 0,
      danglingBindings: dangling.length,
      stuckSince: stuck[0]?.last_cycle_at ?? null,
      deadParties: [...lifeless(worker), ...lifeless(manager)],
      schemaOk,
    },
    limits,
  );
  const recent = [...listTelemetry(store, { taskId }, { limit: flags.limit, newest: true })].reverse();
  return {
    task,
    taskId,
    parties,
    worker,
    manager,
    soundness,
    latest_cycle,
    summary,
    counts,
    telemetry,
    recent,
    dangling,
    stuck,
    schemaOk,
    alerts,
  };
}

const NO_LIMITS = { max_unfinished_commands: 0, max_open_criteria: 0 };

/** What a dashboard shows of a task, as JSON only. */
export async function taskSnapshot(cx: Context, flags: ViewFlags, ref: string): Promise<Report> {
  const store = cx.store(flags.path);
  const dead = await deadSessions(cx, store);
  return snapshot(store, () => {
    const seen = look({ cx, store, dead, ref, flags }, NO_LIMITS);
    const runId = activeRunId(store, seen.taskId);
    const value = {
      task: { ...seen.task, integrity: seen.soundness },
      binding: seen.parties.binding,
      worker: seen.worker,
      manager: seen.manager,
      run: runId === null ? null : runById(store, runId),
      latest_cycle: seen.latest_cycle,
      criteria: {
        summary: seen.summary,
        open_accepted: openCriteria(store, { taskId: seen.taskId }, flags.limit),
        open_blocker_count: seen.summary.accepted,
      },
      commands: { ...seen.counts, recent: newestCommands(store, "all", { taskId: seen.taskId }, flags.limit) },
      diagnostics: { dangling_bindings: seen.dangling, dead_pid_sessions: dead, schema_ok: seen.schemaOk, stuck_tasks: seen.stuck },
      telemetry: { recent: seen.recent, summary: seen.telemetry },
      alerts: seen.alerts,
    };
    return { value, lines: null, exit: 0 };
  });
}

/** An event, of its attributes only the keys: they may hold what was said. */
const bodiless = ({ attributes, ...event }: TelemetryEvent) => ({ ...event, attribute_keys: keysOf(attributes) });

function taskView(scene: ViewScene, limits: Pick<Thresholds, "max_unfinished_commands" | "max_open_criteria">) {
  const { cx, store, flags } = scene;
  const seen = look(scene, limits);
  const { taskId } = seen;
  const { limit } = flags;
  const scope = { taskId };
  const trouble = ingestTrouble(store, scope);
  const cycleErrors = countCycles(store, "ingest", scope);
  const last = seen.latest_cycle?.completed_at ?? seen.latest_cycle?.started_at;
  const age = ageSeconds(last, cx.nowMs());
  const stale = olderThan(last, flags.staleCycleSeconds, cx.nowMs());
  const states = cycleStates(store, taskId);
  const value = {
    schema_version: 1,
    task: { ...seen.task, integrity: seen.soundness },
    alerts: [
      ...seen.alerts,
      ...ingestAlerts({ staleCycleAge: stale ? age : null, skippedLines: trouble.skipped_lines, errors: trouble.errors + cycleErrors }),
    ],
    cycles: {
      counts_by_state: states,
      total: Object.values(states).reduce((sum, n) => sum + n, 0),
      failed_count: states.failed ?? 0,
      history: newestCycles(store, "all", scope, limit),
      failed: newestCycles(store, "failed", scope, limit),
      last_successful: newestCycles(store, "succeeded", scope, 1)[0] ?? null,
      pane_capture_failures: newestCycles(store, "blind", scope, limit),
      pane_capture_failure_count: countCycles(store, "blind", scope),
    },
    decisions: { recent: newestDecisions(store, taskId, limit) },
    commands: {
      counts_by_state: commandStates(store, taskId),
      total: countCommands(store, "all", scope),
      failed_count: seen.counts.failed_count,
      recent: newestCommands(store, "all", scope, limit),
    },
    failed_commands: newestCommands(store, "failed", scope, limit),
    criteria: {
      summary: seen.summary,
      total: Object.values(seen.summary).reduce((sum, n) => sum + n, 0),
      open_count: seen.summary.accepted,
      open: openCriteria(store, scope, limit),
    },
    ingest: {
      ...ingestCounts(store, scope),
      recent_skipped: newestIngestEvents(store, "skipped", scope, limit),
      recent_errors: newestIngestEvents(store, "errors", scope, limit),
      cycle_errors: newestCycles(store, "ingest", scope, limit),
      error_count: trouble.errors + cycleErrors,
    },
    liveness: {
      worker_alive: seen.worker?.alive ?? null,
      manager_alive: seen.manager?.alive ?? null,
      latest_cycle_age_seconds: age,
      latest_cycle_stale: stale,
    },
    storage: storage(store, taskId),
    telemetry: { recent: seen.recent.map(bodiless), summary: seen.telemetry },
  };
  return { seen, value };
}

const said = (value: boolean | null): string => (value === null ? "unknown" : value ? "yes" : "no");

/** All about one task. */
export async function taskReport(cx: Context, flags: ViewFlags, ref: string): Promise<Report> {
  const store = cx.store(flags.path);
  const dead = await deadSessions(cx, store);
  return snapshot(store, () => {
    const { value } = taskView({ cx, store, dead, ref, flags }, NO_LIMITS);
    const lines = [
      `task: ${value.task.name}\t${value.task.state}`,
      `worker_alive: ${said(value.liveness.worker_alive)}`,
      `manager_alive: ${said(value.liveness.manager_alive)}`,
      `cycles: ${value.cycles.total}`,
      `failed_commands: ${value.commands.failed_count}`,
      ...value.alerts.map(alertLine),
    ];
    return { value, lines, exit: 0 };
  });
}

/** The same, judged by the limits given. */
export async function taskCheck(cx: Context, flags: ViewFlags, ref: string): Promise<Report> {
  const store = cx.store(flags.path);
  const limits = thresholds(flags);
  const dead = await deadSessions(cx, store);
  return snapshot(store, () => {
    const { seen, value } = taskView({ cx, store, dead, ref, flags }, limits);
    const stale = [seen.worker, seen.manager]
      .filter((each) => olderThan(each?.last_heartbeat_at, limits.worker_staleness_seconds, cx.nowMs()))
      .map((each) => each!.name);
    const alerts: Alert[] = [...value.alerts, ...checkAlerts({ storageBytes: value.storage.total_retained, staleSessions: stale }, limits)];
    const ok = alerts.length === 0;
    return {
      value: { ...value, alerts, checks: { ok, thresholds: limits } },
      lines: [`telemetry check: ${ok ? "healthy" : "unhealthy"}`, ...alerts.map(alertLine)],
      exit: ok ? 0 : 1,
    };
  });
}
