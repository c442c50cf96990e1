/** Whom a text is for, and how that session can be reached now: its pane, its thread, and whether an arrival can be proven. */
import type { Context } from "../../context.ts";
import type { Agent } from "../../core/agent/agent.ts";
import { agentOf } from "../../core/agent/agents.ts";
import type { Writer } from "../../core/agent/machine.ts";
import { Failure } from "../../core/failure.ts";
import { type Role, type Session, wayBack } from "../../core/sessions/session.ts";
import { quoteCommand, quoteWord } from "../../core/shell.ts";
import { machineOf } from "../../system/agent/agents.ts";
import { agentHereOrNot } from "../../system/agent/cli.ts";
import { alive } from "../../system/processes/processes.ts";
import type { Pane } from "../../system/terminal/panes.ts";
import { needPane } from "./pane.ts";
import { isAsShown, isConversation, type Shown, shownIn } from "./shown.ts";
import type { Subject } from "./subject.ts";

export interface Recipient {
  readonly name: string;
  /** The program that it runs. */
  readonly agent: Agent;
  /** null, like the role, for a worker that is no registered session. */
  readonly sessionId: string | null;
  readonly role: Role | null;
  readonly cwd: string;
  readonly tmuxSession: string | null;
  readonly paneId: string | null;
  readonly pid: number | null;
  /** When it was first put on record. */
  readonly since: string | null;
  readonly threadId: string | null;
  readonly rolloutPath: string | null;
  /** Its record, once it is gone. */
  readonly gone: Session | null;
  /** Where its own server listens; null without one. */
  readonly socket: string | null;
}

/** Nothing is said to a session since its pane shows this other conversation. */
export class PaneMoved extends Failure {
  readonly to: string;
  constructor(message: string, { hint, to }: { hint: string; to: string }) {
    super(message, { hint });
    this.to = to;
  }
}

export const recipientOf = (session: Session): Recipient => ({
  name: session.name,
  agent: agentOf(session),
  sessionId: session.id,
  role: session.role,
  cwd: session.cwd,
  tmuxSession: session.tmux_session || null,
  paneId: session.tmux_pane_id,
  pid: session.pid,
  since: session.registered_at,
  threadId: session.codex_session_id,
  rolloutPath:
    session.codex_session_path && machineOf(agentOf(session)).newestTranscript(session.codex_session_path, session.codex_session_id),
  gone: session.state === "gone" ? session : null,
  socket: session.socket,
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
        cwd: subject.cwd,
        tmuxSession: subject.tmuxSession,
        paneId: subject.paneId,
        pid: null,
        since: subject.since,
        threadId: null,
        rolloutPath: null,
        gone: null,
        socket: null,
      };

interface Doubt {
  readonly why: string;
  readonly help: string;
}

export interface Reach {
  /** The pane to type into; null when the session has none, or nothing shows that the one on record is its own. */
  readonly pane: Pane | null;
  /** Why the pane on record is not typed into, and what would help, in words. */
  readonly doubt: Doubt | null;
  /** The agent that runs in the pane, so that its screen is read before anything is typed; null for anything else (a shell, `cat`). */
  readonly agent: Agent | null;
  /** The thread is being written by a living process: its own queue takes messages. */
  readonly live: boolean;
  /** The home of the agent in which the thread is written. */
  readonly home: string | null;
  /** Whether an arrival can be seen in the rollout. */
  readonly provable: boolean;
  /** What all this was told from, so that a second look need not begin anew; null without a pane. */
  readonly shown: Shown | null;
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
  const who = JSON.stringify(recipient.name);
  const { agent } = recipient;
  if (recipient.gone !== null) throw new Failure(`session ${who} is gone`, { hint: wayBack(recipient.gone, program) });
  const home = homeOf(recipient);
  const lock = threadLock(recipient);
  if (recipient.pid !== null && !alive(recipient.pid))
    throw new Failure(`process ${recipient.pid} of session ${who} is dead`, {
      hint: lock?.held
        ? `its thread is written by another process now: ${takeOnRecord(cx, recipient, recipient.threadId!)}`
        : `${program} reconcile`,
    });
  if (home !== null && recipient.threadId !== null && !isConversation(agent, home, recipient.threadId))
    throw new Failure(`thread ${recipient.threadId} of ${who} is a helper's: what is typed goes to the conversation that started it`, {
      hint: `${program} deregister ${quoteWord(recipient.name)}`,
    });
  const live = lock?.held === true;
  if (recipient.tmuxSession === null) return { pane: null, doubt: null, agent: null, live, home, provable: live, shown: null };
  const pane = await paneOf(cx, recipient);
  const shown = await shownIn(cx, agent, pane, home);
  const holds = recipient.rolloutPath !== null && shown.held.has(recipient.rolloutPath);
  await refuseAnotherThread(cx, recipient, lock, shown, holds);
  const provable = live || holds;
  const doubt = live ? await doubtOf(cx, recipient, pane, lock, shown, holds) : null;
  if (doubt !== null) return { pane: null, doubt, agent: null, live, home, provable, shown };
  return { pane, doubt: null, agent: provable || shown.agents.length > 0 ? agent : null, live, home, provable, shown };
}

/**
 * Whether keys that are typed now into the pane that was found would still go to this very thread: asked again right before they are typed,
 * since a person may have begun another conversation there meanwhile. Only where the locks are no longer what they were is all looked at
 * once more; that the pane still runs the same program is looked at by the server that types.
 */
export async function stillShows(cx: Context, recipient: Recipient, way: Reach): Promise<boolean> {
  const { pid, agent } = recipient;
  if (way.live && way.shown !== null && (pid === null || alive(pid)) && isAsShown(agent, way.home, way.shown)) return way.pane !== null;
  try {
    const { pane } = await reach(cx, recipient);
    return pane !== null && pane.paneId === way.pane?.paneId;
  } catch (error) {
    if (error instanceof Failure) return false;
    throw error;
  }
}

/** The pane of the session, with a program that runs. */
async function paneOf(cx: Context, recipient: Recipient): Promise<Pane> {
  const pane = await needPane(cx, recipient);
  if (!pane.dead) return pane;
  throw new Failure(`the program in pane ${pane.paneId} of ${JSON.stringify(recipient.name)} has ended`, {
    hint: `tmux attach -t ${quoteWord(pane.session)}`,
  });
}

/** The one command that puts the session on record with this thread. */
export const takeOnRecord = (
  cx: Pick<Context, "program">,
  recipient: Pick<Recipient, "name" | "role" | "tmuxSession">,
  thread: string,
): string => quoteCommand(onRecordWords(cx, recipient, thread));

/** The same as its words. */
export const onRecordWords = (
  cx: Pick<Context, "program">,
  recipient: Pick<Recipient, "name" | "role" | "tmuxSession">,
  thread: string,
): string[] => [
  cx.program,
  `register-${recipient.role}`,
  "--name",
  recipient.name,
  "--codex-session",
  thread,
  ...(recipient.tmuxSession === null ? [] : ["--tmux-session", recipient.tmuxSession]),
];

/** A pane whose agent writes other threads only, or has ended and left a shell, must get no keys that were meant for this one. */
async function refuseAnotherThread(cx: Context, recipient: Recipient, lock: Writer | null, shown: Shown, holds: boolean): Promise<void> {
  const { threadId, name } = recipient;
  if (lock === null || threadId === null) return;
  const { conversations, agents } = shown;
  const newest = [...conversations].sort().at(-1);
  if (newest !== undefined && !conversations.includes(threadId)) {
    throw new PaneMoved(`the pane of ${JSON.stringify(name)} shows thread ${conversations.join(", ")} now, not ${threadId}`, {
      hint: takeOnRecord(cx, recipient, newest),
      to: newest,
    });
  }
  // An older Codex makes no locks, but has its rollout open.
  if (lock.held || holds) return;
  const end = agents.length === 0 ? ": the agent in its pane has ended" : "";
  throw new Failure(`nobody writes thread ${threadId} of ${JSON.stringify(name)} any more${end}`, {
    hint: `resume it there with ${await resumed(cx, recipient, threadId)}`,
  });
}

/** The command that takes the thread up again in the agent, by itself where it would share a server, and the one that puts it on record. */
async function resumed(cx: Context, recipient: Recipient, thread: string): Promise<string> {
  const { agent } = recipient;
  const { features } = await agentHereOrNot(agent, cx.env);
  return `${quoteCommand([agent.program, ...agent.resumeArguments(thread, features, null)])}, then: ${takeOnRecord(cx, recipient, thread)}`;
}

/** Why it cannot be said that the pane shows this very thread, though the thread lives. */
async function doubtOf(cx: Context, recipient: Recipient, pane: Pane, lock: Writer, shown: Shown, holds: boolean): Promise<Doubt | null> {
  const { family, conversations } = shown;
  const { agent, threadId } = recipient;
  const who = JSON.stringify(recipient.name);
  const where = `pane ${pane.paneId} of tmux session ${JSON.stringify(recipient.tmuxSession)}`;
  const isIn = (pid: number | null): boolean => pid !== null && family.includes(pid);
  const unseen = `which of them it shows cannot be seen`;
  const apart = async () => `end it there, and take it up by itself: ${await resumed(cx, recipient, threadId!)}`;
  if (conversations.length > 1) return { why: `${where} has ${conversations.length} conversations, and ${unseen}`, help: await apart() };
  if (holds || conversations.includes(threadId!)) return null;
  if (!isIn(recipient.pid))
    return {
      why: `neither the process of ${who} nor the writer of its thread runs in ${where}`,
      help: `name the terminal that shows it: ${takeOnRecord(cx, { ...recipient, tmuxSession: "TMUX_SESSION" }, threadId!)}`,
    };
  // Its client goes over to any other conversation of the server that it shares with others, and leaves no trace of that.
  const served = [...shown.written].filter(([thread, pid]) => pid === lock.pid && isConversation(agent, homeOf(recipient)!, thread));
  if (served.length < 2) return null;
  return { why: `the server behind ${where} serves ${served.length} conversations, and ${unseen}`, help: await apart() };
}
