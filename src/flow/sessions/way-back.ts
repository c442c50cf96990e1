/** The commands that lead on from a reconciliation: revive who died, put the records right, start again who was stopped, bind again. */
import type { Context } from "../../context.ts";
import { agentOf } from "../../core/agent/agents.ts";
import type { DeadSession } from "../../core/sessions/reconcile.ts";
import { type Session, startAnew } from "../../core/sessions/session.ts";
import { quoteCommand } from "../../core/shell.ts";
import { type Applied, partiesOf } from "../../store/sessions/reconcile.ts";
import { findSession } from "../../store/sessions/sessions.ts";
import type { Store } from "../../store/store.ts";
import { homeOfAgent } from "../../system/agent/agents.ts";
import { dispatchers } from "../reach/dispatchers.ts";
import { conversationOf } from "../reach/conversation.ts";
import { nextCommand } from "../reach/next-command.ts";
import type { Drift } from "./reconcile.ts";
import { RESUME_SECONDS, unasked } from "./revive.ts";

/** Revives everybody of whom there is something to go on with; [] when there is nobody. @param dead as the machine has shown them */
export function reviveCommands(cx: Context, store: Store, dead: readonly DeadSession[]): string[] {
  const all = unasked({ cx, store }, dead, "all").filter(({ session }) => conversationOf(session) !== null);
  if (all.length === 0) return [];
  return [nextCommand(cx, store, "revive", ...(all.some(({ task }) => task === null) ? ["--all"] : []))];
}

/**
 * What to run next, in this order; empty when nothing has drifted.
 * @param applied null: nothing was put right yet
 */
export async function nextCommands(cx: Context, store: Store, report: Drift, applied: Applied | null): Promise<string[]> {
  const command = (...words: string[]) => nextCommand(cx, store, ...words);
  const look = report.stuck_tasks.map(({ task_name }) => command("cycle", task_name));
  const revives = reviveCommands(cx, store, applied === null ? report.dead_pid_sessions : []);
  if (applied === null) {
    const drifted = report.dead_pid_sessions.length + report.dangling_bindings.length > 0;
    return revives.length > 0 ? revives : drifted ? [command("reconcile", "--apply")] : look;
  }
  const parties = applied.bindings_marked_invalid.flatMap((id) => partiesOf(store, id) ?? []);
  const back = new Set(unasked({ cx, store }, [], "all").flatMap(({ session }) => (conversationOf(session) === null ? [] : session.name)));
  const starts: string[] = [];
  // Also who was gone before, as after a stop: without both ends no binding can be made again.
  const gone = new Set([...applied.sessions_marked_gone, ...parties.flatMap(({ worker, manager }) => [worker, manager])]);
  for (const name of gone) {
    const session = back.has(name) ? null : findSession(store, name);
    if (session?.state !== "gone") continue;
    const party = parties.find((each) => each.manager === name);
    const bound = party ? ["--task", party.task, "--worker", party.worker] : [];
    starts.push(resumed(cx, store, session) ?? command(...startAnew(session), ...bound));
  }
  // The others revive makes active again.
  const binds = parties
    .filter(({ worker, manager }) => !back.has(worker) || !back.has(manager))
    .map(({ task, worker, manager }) => command("bind", "--task", task, "--worker", worker, "--manager", manager));
  const dispatch = binds.length > 0 && (await dispatchEnded(cx, store)) ? [inBackground(command("dispatch", "--watch"))] : [];
  return [...revives, ...starts, ...binds, ...dispatch, ...(parties.length === 0 ? look : [])];
}

/** Whether a Dispatch was at these records and none is: a restart of the machine asks it to end like anything else. */
async function dispatchEnded(cx: Context, store: Store): Promise<boolean> {
  const watches = (await dispatchers(cx, store)).filter(({ dry_run }) => dry_run === 0);
  return watches.length > 0 && !watches.some(({ alive }) => alive);
}

const inBackground = (command: string): string => `nohup ${command} > /dev/null 2>&1 &`;

/**
 * The conversation of one that was stopped gone on with as it was started; null when there is nothing of it to go on with, or nobody knows
 * with which permissions it ran.
 */
function resumed(cx: Context, store: Store, session: Session): string | null {
  const { launch, permissions_json } = session;
  const conversation = conversationOf(session);
  if (conversation === null || permissions_json === null || (launch !== "tmux" && launch !== "protocol")) return null;
  const { thread, home } = conversation;
  const agent = agentOf(session);
  const again = [...startAnew(session), "--launch", launch, "--resume", thread, "--timeout-seconds", String(RESUME_SECONDS)];
  const command = nextCommand(cx, store, ...again);
  if (home === null || home === homeOfAgent(agent, cx.env)) return command;
  return `${quoteCommand(["env", `${agent.home.variable}=${home}`])} ${command}`;
}
