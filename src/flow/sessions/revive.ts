/** The commands that lead on from a reconciliation: put the records right, start again who died, bind again. */
import type { Context } from "../../context.ts";
import { agentOf } from "../../core/agent/agents.ts";
import type { Session } from "../../core/sessions/session.ts";
import { quoteCommand } from "../../core/shell.ts";
import { findSession } from "../../store/sessions/sessions.ts";
import { type Applied, partiesOf } from "../../store/sessions/reconcile.ts";
import type { Store } from "../../store/store.ts";
import { machineOf } from "../../system/agent/agents.ts";
import { isThere } from "../../system/files/text-file.ts";
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
    const again = resumed(session, command);
    if (again !== null) return again;
    const folder = session.cwd === "" ? [] : ["--cwd", session.cwd];
    const party = parties.find((each) => each.manager === name);
    return command(`start-${session.role}`, "--name", name, ...folder, ...(party ? ["--task", party.task, "--worker", party.worker] : []));
  });
  const binds = parties.map(({ task, worker, manager }) => command("bind", "--task", task, "--worker", worker, "--manager", manager));
  return [...starts, ...binds, ...look.filter(() => binds.length === 0)];
}

/**
 * The thread on record gone on with in a terminal of its own, and taken on record again; null when there is nothing of it to go on with.
 */
function resumed(session: Session, command: (...words: string[]) => string): string[] | null {
  const { name, role, cwd, codex_session_id: thread, codex_session_path: path } = session;
  if (thread === null || path === null) return null;
  const agent = agentOf(session);
  if (!agent.isSessionId(thread) || !isThere(machineOf(agent).placeOfTranscript(path, thread))) return null;
  const terminal = `codex-${name}`;
  const folder = cwd === "" ? [] : ["-c", cwd];
  return [
    quoteCommand(["tmux", "new-session", "-d", "-s", terminal, ...folder, "--", ...agent.resumeWords(thread)]),
    command(`register-${role}`, "--name", name, "--codex-session", thread, "--tmux-session", terminal),
  ];
}
