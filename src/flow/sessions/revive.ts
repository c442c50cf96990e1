/** The commands that lead on from a reconciliation: put the records right, start again who died, bind again. */
import type { Context } from "../../context.ts";
import { agentOf } from "../../core/agent/agents.ts";
import { type Session, startAnew } from "../../core/sessions/session.ts";
import { quoteCommand } from "../../core/shell.ts";
import { findSession } from "../../store/sessions/sessions.ts";
import { startWords } from "../../store/sessions/agents.ts";
import { type Applied, partiesOf } from "../../store/sessions/reconcile.ts";
import type { Store } from "../../store/store.ts";
import { homeOfAgent, machineOf } from "../../system/agent/agents.ts";
import { agentHereOrNot } from "../../system/agent/cli.ts";
import { isThere } from "../../system/files/text-file.ts";
import { dispatchers } from "../reach/dispatchers.ts";
import { nextCommand } from "../reach/next-command.ts";
import { sessionEnvironment, tmuxNameOf } from "./begin-terminal.ts";
import type { Drift } from "./reconcile.ts";

/**
 * What to run next, in this order; empty when nothing has drifted.
 * @param applied null: nothing was put right yet
 */
export async function nextCommands(cx: Context, store: Store, report: Drift, applied: Applied | null): Promise<string[]> {
  const command = (...words: string[]) => nextCommand(cx, store, ...words);
  const look = report.stuck_tasks.map(({ task_name }) => command("cycle", task_name));
  if (applied === null) {
    const drifted = report.dead_pid_sessions.length + report.dangling_bindings.length > 0;
    return drifted ? [command("reconcile", "--apply")] : look;
  }
  const parties = applied.bindings_marked_invalid.flatMap((id) => partiesOf(store, id) ?? []);
  const starts: string[] = [];
  // Also who was gone before, as after a stop: without both ends no binding can be made again.
  const gone = new Set([...applied.sessions_marked_gone, ...parties.flatMap(({ worker, manager }) => [worker, manager])]);
  for (const name of gone) {
    const session = findSession(store, name);
    if (session?.state !== "gone") continue;
    const party = parties.find((each) => each.manager === name);
    const bound = party ? ["--task", party.task, "--worker", party.worker] : [];
    starts.push(...((await resumed(cx, store, session)) ?? [command(...startAnew(session), ...bound)]));
  }
  const binds = parties.map(({ task, worker, manager }) => command("bind", "--task", task, "--worker", worker, "--manager", manager));
  const dispatch =
    starts.length + binds.length > 0 && (await dispatchEnded(cx, store)) ? [inBackground(command("dispatch", "--watch"))] : [];
  return [...starts, ...binds, ...dispatch, ...look.filter(() => binds.length === 0)];
}

/** Whether a Dispatch was at these records and none is: a restart of the machine asks it to end like anything else. */
async function dispatchEnded(cx: Context, store: Store): Promise<boolean> {
  const watches = (await dispatchers(cx, store)).filter(({ dry_run }) => dry_run === 0);
  return watches.length > 0 && !watches.some(({ alive }) => alive);
}

const inBackground = (command: string): string => `nohup ${command} > /dev/null 2>&1 &`;

/** How long the agent may take to take up its thread again. */
const RESUME_SECONDS = 60;

/**
 * The thread on record gone on with in a terminal of its own, as it was started, and taken on record again; null when there is nothing of
 * it to go on with. Of a session that we started that is one command; with which permissions one runs that was registered while it ran,
 * nobody knows, and it is left to its agent.
 */
async function resumed(cx: Context, store: Store, session: Session): Promise<string[] | null> {
  const { id, name, role, cwd, launch, permissions_json, codex_session_id: thread, codex_session_path: path } = session;
  if (thread === null || path === null) return null;
  const agent = agentOf(session);
  const place = machineOf(agent).placeOfTranscript(path, thread);
  if (!agent.isSessionId(thread) || !isThere(place)) return null;
  const home = agent.transcript.homeOf(path);
  const elsewhere = home !== null && home !== homeOfAgent(agent, cx.env) ? home : null;
  if (permissions_json !== null && (launch === "tmux" || launch === "protocol")) {
    const again = [...startAnew(session), "--launch", launch, "--resume", thread, "--timeout-seconds", String(RESUME_SECONDS)];
    const command = nextCommand(cx, store, ...again);
    return [elsewhere === null ? command : `${quoteCommand(["env", `${agent.home.variable}=${elsewhere}`])} ${command}`];
  }
  const terminal = tmuxNameOf(agent, name);
  const { path: program, features } = await agentHereOrNot(agent, cx.env);
  // By its id it is looked for in the home of whoever asks.
  const named = home !== null && elsewhere === null ? thread : place;
  // A tmux server keeps the environment of whoever started it.
  const environment = { ...sessionEnvironment(cx, agent), ...(home === null ? {} : { [agent.home.variable]: home }) };
  const settings = [
    ...(cwd === "" ? [] : ["-c", cwd]),
    ...Object.entries(environment).flatMap(([variable, value]) => ["-e", `${variable}=${value}`]),
  ];
  const words = [program, ...agent.resumeArguments(thread, features, startWords(store, id))];
  return [
    quoteCommand(["tmux", "new-session", "-d", "-s", terminal, ...settings, "--", ...words]),
    nextCommand(
      cx,
      store,
      ...[`register-${role}`, "--name", name, "--codex-session", named, "--tmux-session", terminal],
      ...["--timeout-seconds", String(RESUME_SECONDS)],
    ),
  ];
}
