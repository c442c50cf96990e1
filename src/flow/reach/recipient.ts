/** Whom a text is for, and how that session can be reached now: its pane, its thread, and whether an arrival can be proven. */
import type { Context } from "../../context.ts";
import type { Agent } from "../../core/agent/agent.ts";
import { agentOf } from "../../core/agent/agents.ts";
import type { Writer } from "../../core/agent/machine.ts";
import { Failure } from "../../core/failure.ts";
import type { Role, Session } from "../../core/sessions/session.ts";
import { quoteCommand, quoteWord } from "../../core/shell.ts";
import { machineOf } from "../../system/agent/agents.ts";
import { sessionFamily } from "../../system/agent/kinship.ts";
import { alive, executableOf, listProcesses, openFiles } from "../../system/processes/processes.ts";
import { transcriptHeadSoFar } from "../../system/agent/transcript.ts";
import type { Pane } from "../../system/terminal/panes.ts";
import { needPane } from "./pane.ts";
import type { Subject } from "./subject.ts";

export interface Recipient {
  readonly name: string;
  /** The program that it runs. */
  readonly agent: Agent;
  /** null, like the role, for a worker that is no registered session. */
  readonly sessionId: string | null;
  readonly role: Role | null;
  readonly tmuxSession: string | null;
  readonly paneId: string | null;
  readonly pid: number | null;
  /** When it was first put on record. */
  readonly since: string | null;
  readonly threadId: string | null;
  readonly rolloutPath: string | null;
  readonly gone: boolean;
}

export const recipientOf = (session: Session): Recipient => ({
  name: session.name,
  agent: agentOf(session),
  sessionId: session.id,
  role: session.role,
  tmuxSession: session.tmux_session || null,
  paneId: session.tmux_pane_id,
  pid: session.pid,
  since: session.registered_at,
  threadId: session.codex_session_id,
  rolloutPath: session.codex_session_path,
  gone: session.state === "gone",
});

/** A worker or a session, as a name was understood. */
export const recipientOfSubject = (subject: Subject): Recipient =>
  subject.session
    ? recipientOf(subject.session)
    : {
        name: subject.name,
        agent: agentOf(subject),
        sessionId: null,
        role: null,
        tmuxSession: subject.tmuxSession,
        paneId: subject.paneId,
        pid: null,
        since: subject.since,
        threadId: null,
        rolloutPath: null,
        gone: false,
      };

export interface Reach {
  /** The pane to type into; null when the session has none, or nothing shows that the one on record is its own. */
  readonly pane: Pane | null;
  /** Why the pane on record is not typed into, in words. */
  readonly doubt: string | null;
  /** The agent that runs in the pane, so that its screen is read before anything is typed; null for anything else (a shell, `cat`). */
  readonly agent: Agent | null;
  /** The thread is being written by a living process: its own queue takes messages. */
  readonly live: boolean;
  /** The home of the agent in which the thread is written. */
  readonly home: string | null;
  /** Whether an arrival can be seen in the rollout. */
  readonly provable: boolean;
}

const homeOf = ({ agent, rolloutPath }: Pick<Recipient, "agent" | "rolloutPath">): string | null =>
  rolloutPath === null ? null : agent.transcript.homeOf(rolloutPath);

/** Whether the session's thread is being written right now. */
export function threadLock(recipient: Pick<Recipient, "agent" | "threadId" | "rolloutPath">): Writer | null {
  const home = homeOf(recipient);
  return home === null || recipient.threadId === null ? null : machineOf(recipient.agent).writer(home, recipient.threadId);
}

/**
 * Looks. Nothing is typed.
 * @throws Failure when the session is gone, its process is dead, its pane is missing or shows somebody else
 */
export async function reach(cx: Context, recipient: Recipient): Promise<Reach> {
  const { program } = cx;
  if (recipient.gone)
    throw new Failure(`session ${JSON.stringify(recipient.name)} is gone`, {
      hint: `take it on record again: ${program} register-${recipient.role} --name ${quoteWord(recipient.name)} --pid PID`,
    });
  if (recipient.pid !== null && !alive(recipient.pid))
    throw new Failure(`process ${recipient.pid} of session ${JSON.stringify(recipient.name)} is dead`, { hint: `${program} reconcile` });
  const { agent } = recipient;
  const home = homeOf(recipient);
  const lock = threadLock(recipient);
  const live = lock?.held === true;
  if (recipient.tmuxSession === null) return { pane: null, doubt: null, agent: null, live, home, provable: live };
  const pane = await paneOf(cx, recipient);
  const processes = (await listProcesses(cx.env)) ?? [];
  const family = await sessionFamily(pane.pid, processes, cx.env);
  const agents: number[] = [];
  for (const pid of family) if (agent.isExecutable((await executableOf(pid, cx.env)) ?? "")) agents.push(pid);
  const written =
    home === null ? [] : [...machineOf(agent).written(home)].flatMap(([thread, pid]) => (isOneOf(family, pid) ? [thread] : []));
  const holds = await anyHolds(cx, agents, recipient.rolloutPath);
  refuseAnotherThread(cx, recipient, lock, { written, agents, holds });
  const provable = live || holds;
  const doubt = live
    ? doubtOf(recipient, pane, {
        itsOwn: holds || isOneOf(family, recipient.pid) || isOneOf(family, lock.pid),
        conversations: conversationsAmong(agent, home, written),
      })
    : null;
  if (doubt !== null) return { pane: null, doubt, agent: null, live, home, provable };
  return { pane, doubt: null, agent: provable || agents.length > 0 ? agent : null, live, home, provable };
}

const isOneOf = (family: readonly number[], pid: number | null): boolean => pid !== null && family.includes(pid);

/** The pane of the session, with a program that runs. */
async function paneOf(cx: Context, recipient: Recipient): Promise<Pane> {
  const pane = await needPane(cx, recipient);
  if (!pane.dead) return pane;
  throw new Failure(`the program in pane ${pane.paneId} of ${JSON.stringify(recipient.name)} has ended`, {
    hint: `tmux attach -t ${quoteWord(pane.session)}`,
  });
}

/** A pane whose agent writes other threads only, or has ended and left a shell, must get no keys that were meant for this one. */
function refuseAnotherThread(
  cx: Context,
  recipient: Recipient,
  lock: Writer | null,
  here: { written: readonly string[]; agents: readonly number[]; holds: boolean },
): void {
  const { threadId, name } = recipient;
  if (lock === null || threadId === null) return;
  const register = (thread: string) =>
    quoteCommand([
      cx.program,
      `register-${recipient.role}`,
      "--name",
      name,
      "--codex-session",
      thread,
      "--tmux-session",
      recipient.tmuxSession ?? "NAME",
    ]);
  const [other] = here.written;
  if (other !== undefined && !here.written.includes(threadId)) {
    throw new Failure(`the pane of ${JSON.stringify(name)} shows thread ${here.written.join(", ")} now, not ${threadId}`, {
      hint: register(other),
    });
  }
  // An older Codex makes no locks, but has its rollout open.
  if (lock.held || here.holds) return;
  const end = here.agents.length === 0 ? ": the agent in its pane has ended" : "";
  throw new Failure(`nobody writes thread ${threadId} of ${JSON.stringify(name)} any more${end}`, {
    hint: `resume it there with ${recipient.agent.resumeWords(threadId).join(" ")}, then: ${register(threadId)}`,
  });
}

/** Threads that a person may have in front. The agent keeps those it has left open, and has others for helpers of its own. */
function conversationsAmong(agent: Agent, home: string | null, threads: readonly string[]): readonly string[] {
  if (home === null || threads.length < 2) return threads;
  return threads.filter((thread) => {
    const path = machineOf(agent).transcriptOf(home, thread);
    return path !== null && transcriptHeadSoFar(agent, path)?.conversation === true;
  });
}

/** Why it cannot be said that the pane shows this very thread, though the thread lives. */
function doubtOf(recipient: Recipient, pane: Pane, seen: { itsOwn: boolean; conversations: readonly string[] }): string | null {
  const who = JSON.stringify(recipient.name);
  const where = `pane ${pane.paneId} of tmux session ${JSON.stringify(recipient.tmuxSession)}`;
  if (!seen.itsOwn) return `neither the process of ${who} nor the writer of its thread runs in ${where}`;
  return seen.conversations.length < 2
    ? null
    : `${where} has ${seen.conversations.length} conversations, and which of them it shows cannot be seen`;
}

async function anyHolds(cx: Context, agents: readonly number[], rollout: string | null): Promise<boolean> {
  for (const pid of rollout === null ? [] : agents) if ((await openFiles(pid, cx.env))?.includes(rollout!)) return true;
  return false;
}
