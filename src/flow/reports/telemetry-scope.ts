/** What a telemetry view is asked for: its flags, and the task and run that they name. */
import type { Context } from "../../context.ts";
import type { Alert, Thresholds } from "../../core/alerts.ts";
import type { Run } from "../../core/loops/run.ts";
import type { Task } from "../../core/tasks/task.ts";
import { type Window, windowSeconds, windowUntil } from "../../core/window.ts";
import { needRun } from "../../store/record/runs.ts";
import type { Scope } from "../../store/reports/scope.ts";
import type { Store } from "../../store/store.ts";
import { needNewestTask, taskById } from "../../store/tasks/tasks.ts";

/** The flags of the views, checked as far as words can be. */
export interface ViewFlags {
  readonly view_task?: string | undefined;
  readonly run?: string | undefined;
  readonly task?: string | undefined;
  readonly window?: string | undefined;
  readonly activeOnly: boolean;
  readonly limit: number;
  readonly staleCycleSeconds: number;
  readonly workerStalenessSeconds: number;
  readonly maxUnfinishedCommands?: number | undefined;
  readonly maxOpenCriteria?: number | undefined;
  readonly maxStorageBytes?: number | undefined;
  readonly path?: string | undefined;
}

/** What a view gives: its JSON, its text (null: it has none), and whether it found what it was asked to find. */
export interface Report {
  readonly value: unknown;
  readonly lines: readonly string[] | null;
  readonly exit: 0 | 1;
}

export const thresholds = (flags: ViewFlags): Thresholds => ({
  stale_cycle_seconds: flags.staleCycleSeconds,
  worker_staleness_seconds: flags.workerStalenessSeconds,
  max_unfinished_commands: flags.maxUnfinishedCommands ?? 0,
  max_open_criteria: flags.maxOpenCriteria ?? 0,
  max_storage_bytes: flags.maxStorageBytes ?? null,
});

export const alertLine = ({ severity, type, message }: Alert): string => `${severity}: ${type}: ${message}`;

/** The window asked for, else the default one, else none. */
export function windowOf(cx: Context, flags: ViewFlags, fallback?: string): Window | null {
  const label = flags.window || fallback;
  const seconds = label === undefined ? null : windowSeconds(label);
  return label === undefined || seconds === null ? null : windowUntil(label, seconds, cx.nowMs());
}

/** The task and run that the flags name; a run brings its task. Throws a Failure for an unknown one, and for a run of another task. */
export function ownersOf(store: Store, flags: Pick<ViewFlags, "task" | "run">): { task: Task | null; run: Run | null } {
  const task = flags.task ? needNewestTask(store, flags.task) : null;
  const run = flags.run ? needRun(store, flags.run, task ?? undefined) : null;
  return { task: task ?? (run && taskById(store, run.task_id)), run };
}

export const scopeOf = (owners: { task: Task | null; run: Run | null }, window: Window | null): Scope => ({
  taskId: owners.task?.id,
  runId: owners.run?.id,
  window: window ?? undefined,
});
