/** The commands that lead on from a reconciliation: put the records right, start again who died, bind again. */
import type { Context } from "../../context.ts";
import { findSession } from "../../store/sessions/sessions.ts";
import { type Applied, partiesOf } from "../../store/sessions/reconcile.ts";
import type { Store } from "../../store/store.ts";
import { nextCommand } from "../reach/next-command.ts";
import type { Drift } from "./reconcile.ts";

/**
 * What to run next, in this order; empty when nothing has drifted.
 * @param applied null: nothing was put right yet
 */
export function nextCommands(cx: Pick<Context, "program" | "storePath">, store: Store, report: Drift, applied: Applied | null): string[] {
  const command = (...words: string[]) => nextCommand(cx, store, ...words);
  const look = report.stuck_tasks.map(({ task_name }) => command("cycle", task_name));
  if (applied === null) {
    const drifted = report.dead_pid_sessions.length + report.dangling_bindings.length > 0;
    return drifted ? [command("reconcile", "--apply")] : look;
  }
  const parties = applied.bindings_marked_invalid.flatMap((id) => partiesOf(store, id) ?? []);
  const starts = applied.sessions_marked_gone.flatMap((name) => {
    const session = findSession(store, name);
    if (session === null) return [];
    const folder = session.cwd === "" ? [] : ["--cwd", session.cwd];
    const party = parties.find((each) => each.manager === name);
    return command(`start-${session.role}`, "--name", name, ...folder, ...(party ? ["--task", party.task, "--worker", party.worker] : []));
  });
  const binds = parties.map(({ task, worker, manager }) => command("bind", "--task", task, "--worker", worker, "--manager", manager));
  return [...starts, ...binds, ...look.filter(() => binds.length === 0)];
}
