/** Reaching a session by its own server: a connection, and whether the conversation that a person has in front is the one on record. */
import { realpathSync } from "node:fs";
import { agentOf } from "../../core/agent/agents.ts";
import { machineOf } from "../../system/agent/agents.ts";
import { NoAnswer, type ServedConversation, type ServedLine } from "../../core/agent/protocol.ts";
import { Failure } from "../../core/failure.ts";
import type { Context } from "../../context.ts";
import type { Session } from "../../core/sessions/session.ts";
import { quoteWord } from "../../core/shell.ts";
import { commandLineOf, listProcesses } from "../../system/processes/processes.ts";
import { PaneMoved, type Recipient, takeOnRecord } from "./recipient.ts";

/** A server that is there answers at once: one that has not within this has hung. */
const CONNECT_MS = 4000;

export type ServedReach =
  /** It cannot be reached so; another way may do, but not when it has hung: what draws it only passes on what is typed. */
  | { readonly kind: "none"; readonly why: string; readonly hung: boolean }
  /** The pane shows another conversation, as far as can be told. */
  | { readonly kind: "moved"; readonly to: string; readonly by: "began" | "hint" }
  /** The pane has gone on, but the turn that it left behind is not over: who followed now would never hear its end, or what it asks. */
  | { readonly kind: "leaving"; readonly to: string; readonly line: ServedLine; readonly conversation: ServedConversation }
  /** The pane has gone on to this conversation, and to no other; `left`: the one on record, where that is still loaded. */
  | {
      readonly kind: "went on";
      readonly line: ServedLine;
      readonly conversation: ServedConversation & { readonly path: string };
      readonly left: ServedConversation | null;
    }
  | { readonly kind: "here"; readonly line: ServedLine; readonly conversation: ServedConversation };

const none = (why: string, error?: unknown): ServedReach => ({ kind: "none", why, hung: error instanceof NoAnswer });

/** A conversation that the session's server has loaded, as it tells it; null when it has not, or cannot be reached. */
export async function servedConversation(session: Session, threadId: string): Promise<ServedConversation | null> {
  const { served } = machineOf(agentOf(session));
  if (served === null || session.socket === null) return null;
  const line = await served.connect(session.socket, CONNECT_MS).catch(() => null);
  try {
    return line === null ? null : await line.conversation(threadId);
  } catch {
    return null;
  } finally {
    line?.close();
  }
}

/** Connects and looks; whoever gets a line closes it. @param limitMs for its greeting, and again for what is asked then */
export async function reachServed(cx: Pick<Context, "env">, session: Session, limitMs = CONNECT_MS): Promise<ServedReach> {
  const { socket, codex_session_id: threadId } = session;
  const { served } = machineOf(agentOf(session));
  if (served === null || socket === null || threadId === null) return none("it has no server of its own");
  let line: ServedLine;
  try {
    line = await served.connect(socket, limitMs);
  } catch (error) {
    return none(`its server cannot be reached: ${(error as Error).message}`, error);
  }
  let way: ServedReach;
  try {
    way = await lookThere(cx, session, line, threadId);
  } catch (error) {
    way = none(`its server did not answer: ${(error as Error).message}`, error);
  }
  if (!("line" in way)) line.close();
  return way;
}

/** A conversation that its person began later in this very program is what they have gone on to. */
async function lookThere(cx: Pick<Context, "env">, session: Session, line: ServedLine, threadId: string): Promise<ServedReach> {
  const all = await line.conversationsSince(threadId);
  const decided = session.decided_at === null ? 0 : Date.parse(session.decided_at);
  // What some other client of the server begins is never in front of anybody by itself.
  const later = all.filter(({ id, drawn, begunAt }) => id !== threadId && drawn && begunAt > decided);
  const newest = later.at(-1);
  if (newest !== undefined) {
    const { path } = newest;
    const knownMoved = session.moved_to === newest.id && session.moved_by === "began";
    const own = all.find(({ id }) => id === threadId);
    const certain = later.length === 1 && path !== null && !knownMoved && !(await othersDraw(cx, session));
    if (!certain) return { kind: "moved", to: newest.id, by: "began" };
    if (own?.state === "active") return { kind: "leaving", to: newest.id, line, conversation: own };
    return { kind: "went on", line, conversation: { ...newest, path }, left: own ?? null };
  }
  if (session.moved_to !== null && session.moved_by === "hint") return { kind: "moved", to: session.moved_to, by: "hint" };
  const conversation = all.find(({ id }) => id === threadId);
  return conversation === undefined ? none("its server has not loaded its conversation") : { kind: "here", line, conversation };
}

/** Whether another program than that in the pane draws what the server has: then nobody can say whose a new conversation is. */
async function othersDraw(cx: Pick<Context, "env">, { socket, pid, ...session }: Session): Promise<boolean> {
  const { served } = agentOf(session);
  const processes = await listProcesses(cx.env);
  if (served === null || socket === null || pid === null || processes === null) return true;
  const sockets = [socket, realpathSync(socket)];
  const drawing = new Map<number, number>();
  for (const each of processes)
    if (served.draws((await commandLineOf(each.pid, cx.env)) ?? [], sockets)) drawing.set(each.pid, each.parent);
  // Ours is started by the process in the pane, and may be a script around another.
  return [...drawing.values()].some((parent) => parent !== pid && !drawing.has(parent));
}

/** What is told when a server has hung. @param outcome what is known of what was wanted */
export const hungServer = (cx: Context, name: string, outcome: string): Failure =>
  new Failure(`the server of ${JSON.stringify(name)} does not answer: ${outcome}`, {
    hint: `look at it with ${cx.program} open ${quoteWord(name)}; ${cx.program} stop ${quoteWord(name)} ends it`,
  });

/** What is told when nothing is said to a session since its pane shows another conversation. */
export const movedTo = (cx: Context, recipient: Recipient, thread: string): PaneMoved =>
  new PaneMoved(`the pane of ${JSON.stringify(recipient.name)} shows thread ${thread} now, not ${recipient.threadId}`, {
    hint: takeOnRecord(cx, recipient, thread),
    to: thread,
  });
