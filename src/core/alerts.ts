/** What a report finds worth an alarm, in the order of the contract. */
import type { Severity } from "./telemetry.ts";

export interface Alert {
  readonly type: string;
  readonly severity: Extract<Severity, "warning" | "error">;
  readonly message: string;
}

export interface Thresholds {
  readonly stale_cycle_seconds: number;
  readonly worker_staleness_seconds: number;
  readonly max_unfinished_commands: number;
  readonly max_open_criteria: number;
  /** Null: not judged. */
  readonly max_storage_bytes: number | null;
}

const error = (type: string, message: string): Alert => ({ type, severity: "error", message });
const warning = (type: string, message: string): Alert => ({ type, severity: "warning", message });

const some = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

/** The alerts whose condition holds. */
const raised = (...alerts: (Alert | false | null | undefined)[]): Alert[] => alerts.filter((alert): alert is Alert => Boolean(alert));

interface OperatorFacts {
  readonly schemaOk: boolean;
  readonly deadSessions: readonly string[];
  readonly danglingBindings: number;
  readonly stuckTasks: readonly string[];
  readonly staleSessions: readonly string[];
  readonly unfinishedCommands: number;
  readonly openCriteria: number;
  readonly storageBytes: number;
  readonly failedCycles: number;
  readonly failedCommands: number;
}

/** Over all tasks. */
export const operatorAlerts = (facts: OperatorFacts, limits: Thresholds): Alert[] =>
  raised(
    !facts.schemaOk && error("schema_health", "the database does not pass db-doctor"),
    facts.deadSessions.length > 0 && error("dead_pid_sessions", `the process is gone of ${facts.deadSessions.join(", ")}`),
    facts.danglingBindings > 0 && error("reconcile_drift", `${some(facts.danglingBindings, "binding")} to a session that is gone`),
    facts.stuckTasks.length > 0 &&
      warning("stale_cycles", `no cycle for more than ${limits.stale_cycle_seconds} s: ${facts.stuckTasks.join(", ")}`),
    facts.staleSessions.length > 0 &&
      warning("stale_sessions", `no heartbeat for more than ${limits.worker_staleness_seconds} s: ${facts.staleSessions.join(", ")}`),
    unfinished(facts.unfinishedCommands, limits.max_unfinished_commands),
    openAccepted(facts.openCriteria, limits.max_open_criteria),
    storageAbove(facts.storageBytes, limits),
    facts.failedCycles > 0 && error("failed_cycles", some(facts.failedCycles, "failed cycle")),
    facts.failedCommands > 0 && error("failed_commands", some(facts.failedCommands, "failed command")),
  );

const unfinished = (count: number, limit: number) =>
  count > limit && warning("unfinished_commands", `${some(count, "command")} pending or attempted`);
const openAccepted = (count: number, limit: number) =>
  count > limit &&
  warning("open_accepted_criteria", `${count} accepted ${count === 1 ? "criterion is" : "criteria are"} not yet satisfied`);
const storageAbove = (bytes: number, { max_storage_bytes: limit }: Thresholds) =>
  limit !== null && bytes > limit && warning("storage_bytes", `${bytes} bytes are stored, more than ${limit}`);

interface TaskFacts {
  readonly integrityIssues: readonly string[];
  /** The latest cycle's error when that cycle failed; empty when it failed without a word. */
  readonly failedCycle: string | null;
  readonly panePattern: string | null;
  readonly openCriteria: number;
  readonly unfinishedCommands: number;
  readonly failedCommands: number;
  readonly errorEvents: number;
  readonly danglingBindings: number;
  readonly stuckSince: string | null;
  /** Roles and names of bound sessions whose process is gone. */
  readonly deadParties: readonly string[];
  readonly schemaOk: boolean;
}

const ISSUES: Readonly<Record<string, string>> = {
  managed_without_active_worker_binding: "the task is managed, but no worker is bound to it",
  managed_without_active_manager: "the task is managed, but no manager is bound to it",
  closed_task_has_active_manager: "the task is over, but a manager is still bound to it",
};

/** Of one task. Counts above their limit are alerts; the limits are 0 except in a check that says otherwise. */
export const taskAlerts = (
  facts: TaskFacts,
  limits: Pick<Thresholds, "max_unfinished_commands" | "max_open_criteria"> = { max_unfinished_commands: 0, max_open_criteria: 0 },
): Alert[] =>
  raised(
    ...facts.integrityIssues.map((issue) => error("integrity_issue", `${issue}: ${ISSUES[issue]}`)),
    facts.failedCycle !== null && error("latest_cycle_failed", facts.failedCycle || "the latest cycle failed"),
    facts.panePattern !== null && warning("notable_pane_pattern", `the worker's screen shows ${facts.panePattern}`),
    openAccepted(facts.openCriteria, limits.max_open_criteria),
    unfinished(facts.unfinishedCommands, limits.max_unfinished_commands),
    facts.failedCommands > 0 && error("failed_commands", some(facts.failedCommands, "failed command")),
    facts.errorEvents > 0 && error("telemetry_errors", `${some(facts.errorEvents, "event")} of severity error`),
    facts.danglingBindings > 0 && error("dangling_binding", "the task is bound to a session that is gone"),
    facts.stuckSince !== null && warning("stuck_task", `no cycle since ${facts.stuckSince}`),
    ...facts.deadParties.map((party) => error("dead_pid_session", `the process of ${party} is gone`)),
    !facts.schemaOk && error("schema_health", "the database does not pass db-doctor"),
  );

/** What the full view of a task adds. */
export const ingestAlerts = (facts: { staleCycleAge: number | null; skippedLines: number; errors: number }): Alert[] =>
  raised(
    facts.staleCycleAge !== null && warning("stale_cycle", `the latest cycle is ${facts.staleCycleAge} s old`),
    facts.skippedLines > 0 && warning("ingest_skipped_lines", `${some(facts.skippedLines, "line")} of rollouts could not be read`),
    facts.errors > 0 && error("ingest_errors", `${some(facts.errors, "error")} while reading rollouts`),
  );

/** What a check of one task adds. */
export const checkAlerts = (facts: { storageBytes: number; staleSessions: readonly string[] }, limits: Thresholds): Alert[] =>
  raised(
    storageAbove(facts.storageBytes, limits),
    facts.staleSessions.length > 0 &&
      warning("stale_sessions", `no heartbeat for more than ${limits.worker_staleness_seconds} s: ${facts.staleSessions.join(", ")}`),
  );

/** Of the list of failures. */
export const failureAlerts = (facts: {
  failedCycles: number;
  failedCommands: number;
  ingestErrors: number;
  paneFailures: number;
  openCriteria: number;
}): Alert[] =>
  raised(
    facts.failedCycles > 0 && error("failed_cycles", some(facts.failedCycles, "failed cycle")),
    facts.failedCommands > 0 && error("failed_commands", some(facts.failedCommands, "failed command")),
    facts.ingestErrors > 0 && error("ingest_errors", `${some(facts.ingestErrors, "error")} while reading rollouts`),
    facts.paneFailures > 0 &&
      warning("pane_capture_failures", `${some(facts.paneFailures, "cycle")} without a look at the worker's screen`),
    openAccepted(facts.openCriteria, 0),
  );
