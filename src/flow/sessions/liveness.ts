/** What is on record of the tasks' parties, compared with what runs. Changes nothing. */
import type { Context } from "../../context.ts";
import { Failure } from "../../core/failure.ts";
import { liveResult, type Machine, managerWarning } from "../../core/sessions/liveness.ts";
import type { Check } from "../../store/health.ts";
import { supervisedTasks } from "../../store/sessions/liveness.ts";
import type { Store } from "../../store/store.ts";
import { alive } from "../../system/processes/processes.ts";
import { listPanes } from "../../system/terminal/panes.ts";
import { nextCommand } from "../reach/next-command.ts";
import { deadSessions } from "./reconcile.ts";
import { reviveCommands } from "./way-back.ts";

/**
 * The `live_reconcile` of `db-doctor --live`, and its line among the checks. tmux is asked once, and only when a session in it is on
 * record.
 */
export async function checkLiveness(cx: Context, store: Store, staleSeconds: number) {
  const tasks = supervisedTasks(store);
  const inTmux = tasks.some(({ worker, manager }) => Boolean(worker?.session || manager?.session));
  const { panes, error } = inTmux ? await askTmux(cx) : { panes: [], error: null };
  const machine: Machine = { nowMs: cx.nowMs(), panes, alive };
  const results = tasks.map((task) => liveResult(task, machine));
  const manager_liveness_warnings = results.flatMap((result) => managerWarning(result, staleSeconds, machine.nowMs) ?? []);
  const drift_count = results.filter((result) => result.drift.length > 0).length;
  const unfinished_command_count = results.reduce((sum, result) => sum + result.unfinished_commands.length, 0);
  const missing = results.some(({ drift }) => drift.includes("worker_missing") || drift.includes("manager_missing"));
  const next_commands = [
    ...(await wayBack(cx, store, missing)),
    ...(unfinished_command_count > 0 ? [nextCommand(cx, store, "dispatch", "status")] : []),
  ];
  const ok = drift_count === 0 && unfinished_command_count === 0 && error === null;
  const check: Check = {
    name: "live_reconcile",
    ok,
    drift_count,
    unfinished_command_count,
    manager_liveness_warning_count: manager_liveness_warnings.length,
    task_count: results.length,
  };
  return {
    check,
    live_reconcile: { ok, manager_liveness_warnings, results, next_commands, ...(error === null ? {} : { tmux_error: error }) },
  };
}

/** Who can be revived is, those of no task and those marked gone, too; what else is missing `reconcile` tells of. */
async function wayBack(cx: Context, store: Store, missing: boolean): Promise<string[]> {
  const revives = reviveCommands(cx, store, await deadSessions(cx, store));
  return revives.length > 0 ? revives : missing ? [nextCommand(cx, store, "reconcile")] : [];
}

/** A doctor reports what it could not see, too. */
async function askTmux(cx: Context): Promise<{ panes: Machine["panes"]; error: string | null }> {
  try {
    return { panes: await listPanes(cx.env), error: null };
  } catch (error) {
    if (error instanceof Failure) return { panes: null, error: error.message };
    throw error;
  }
}
