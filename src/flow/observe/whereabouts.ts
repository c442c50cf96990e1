/**
 * Where a session is: with the conversation on record, gone on to another, which it is followed to where its server tells that for certain,
 * or moved. What is seen is put on record.
 */
import type { Context } from "../../context.ts";
import { agentOf } from "../../core/agent/agents.ts";
import { Failure } from "../../core/failure.ts";
import type { Session } from "../../core/sessions/session.ts";
import { textsUnderWay, type UnderWay } from "../../store/deliveries.ts";
import { sessionById } from "../../store/sessions/sessions.ts";
import { followConversation, noteHere, noteMoved } from "../../store/sessions/moves.ts";
import { isUnwritten } from "../../store/sqlite-failure.ts";
import type { Store } from "../../store/store.ts";
import { machineOf } from "../../system/agent/agents.ts";
import { alive } from "../../system/processes/processes.ts";
import { PaneMoved, reach, type Recipient, recipientOf, onRecordWords, takeOnRecord, threadLock } from "../reach/recipient.ts";
import { reachServed, type ServedReach } from "../reach/served.ts";
import { lookAtAsks } from "./asks.ts";
import { lookAtPage } from "./page-asks.ts";
import { lookForBroken } from "./broken-turn.ts";
import { readAhead } from "./ingest.ts";

/** A session as it is now, and the way to its server. */
export interface Whereabouts {
  readonly session: Session;
  readonly way: Exclude<ServedReach, { kind: "went on" }>;
}

/** Who only looks waits no longer for a server that has hung. */
const LOOK_MS = 2000;

/**
 * Reaches the session by its server and follows it. Whoever gets a line closes it.
 * @param limitMs as {@link reachServed} takes it
 * @throws Failure when what was seen cannot be recorded
 */
export async function reachFollowed(cx: Context, store: Store, session: Session, limitMs?: number): Promise<Whereabouts> {
  const way = await reachServed(cx, session, limitMs);
  try {
    return putOnRecord(cx, store, session, way);
  } catch (error) {
    if ("line" in way) way.line.close();
    throw error;
  }
}

function putOnRecord(cx: Context, store: Store, session: Session, way: ServedReach): Whereabouts {
  if (way.kind === "moved") noteMoved(store, session, way.to, way.by);
  if (way.kind === "here") noteHere(store, session);
  // Who is leaving is followed when the turn that it left behind has ended: that is no move that anybody must decide.
  if (way.kind !== "went on") return { session, way };
  const { line, conversation, left } = way;
  // What is just being said there begins a turn that does not show yet.
  if (left !== null && textsUnderWay(store, session.id).some((text) => isBeingSaid(text, left.id)))
    return { session, way: { kind: "leaving", to: conversation.id, line, conversation: left } };
  // What it said last in the conversation before is told of like any other.
  readAhead(cx, store, session.id);
  const now = followConversation(store, session, conversation);
  if (now.codex_session_id === conversation.id) return { session: now, way: { kind: "here", line, conversation } };
  line.close();
  noteMoved(store, now, conversation.id, "began");
  return { session: now, way: { kind: "moved", to: conversation.id, by: "began" } };
}

const isBeingSaid = ({ delivery }: UnderWay, thread: string): boolean =>
  delivery.state === "sending" && delivery.thread_id === thread && alive(delivery.sender_pid);

interface Look {
  /** What it asks is put on record, too, for this task; null: it works for none. */
  readonly asksOf?: string | null;
  /**
   * Also where the writer locks look as ever the pane is looked at: it may have become another. Of a session with a server of its own,
   * whether the turn that stands open runs.
   */
  readonly closely?: boolean;
}

/** Looks where the session is and gives it as it stands then; where nothing can be written, as it is on record. */
export async function whereIs(cx: Context, store: Store, session: Session, look: Look = {}): Promise<Session> {
  if (session.state !== "active" || (session.pid !== null && !alive(session.pid))) return session;
  try {
    if (session.socket === null) await lookAtPane(cx, store, session, look);
    else await lookAtServer(cx, store, session, look);
  } catch (error) {
    if (!isUnwritten(error)) throw error;
  }
  return sessionById(store, session.id)!;
}

async function lookAtServer(cx: Context, store: Store, session: Session, { asksOf, closely }: Look): Promise<void> {
  const { session: now, way } = await reachFollowed(cx, store, session, LOOK_MS);
  if (!("line" in way)) return;
  try {
    if (asksOf !== undefined) await lookAtAsks(store, way.line, { sessionId: now.id, threadId: way.conversation.id, taskId: asksOf });
    if (closely) await lookForBroken(cx, store, now, way.line);
  } catch {
    // The server has gone meanwhile: what stands on record stays.
  } finally {
    way.line.close();
  }
}

/**
 * The session with the conversation that its process has now, where its agent lists that itself: the same one at most times, and the next
 * one after a person, or we, had it begin anew.
 */
export function followListed(cx: Pick<Context, "program">, store: Store, session: Session): Session {
  const { codex_session_path: path, codex_session_id: thread, pid } = session;
  const agent = agentOf(session);
  const { list, transcriptPlace } = machineOf(agent);
  const home = path === null || list === null ? null : agent.transcript.homeOf(path);
  if (session.state !== "active" || list === null || home === null || pid === null) return session;
  const now = list.sessions(home).find((each) => each.pid === pid);
  if (now === undefined || now.id === thread) return session;
  readAhead(cx, store, session.id);
  const followed = followConversation(store, session, { id: now.id, path: transcriptPlace(home, now.id, now.cwd) });
  if (followed.codex_session_id !== now.id) noteMoved(store, followed, now.id, "pane");
  return followed;
}

/** The recipient where {@link followListed} finds it. */
export function whereListed(cx: Pick<Context, "program">, store: Store, recipient: Recipient): Recipient {
  const session = recipient.sessionId === null || recipient.gone !== null ? null : sessionById(store, recipient.sessionId);
  if (session === null || machineOf(recipient.agent).list === null) return recipient;
  const now = followListed(cx, store, session);
  return now.codex_session_id === recipient.threadId ? recipient : recipientOf(now);
}

async function lookAtPane(cx: Context, store: Store, seen: Session, { closely = false, asksOf }: Look): Promise<void> {
  const session = followListed(cx, store, seen);
  try {
    if (asksOf !== undefined) await lookAtPage(cx, store, session, asksOf);
  } catch (error) {
    // Its terminal cannot be looked at: what stands on record stays.
    if (!(error instanceof Failure)) throw error;
  }
  const recipient = recipientOf(session);
  const lock = threadLock(recipient);
  if (lock === null || recipient.tmuxSession === null || (lock.held && !closely && session.moved_to === null)) return;
  try {
    await reach(cx, recipient);
    noteHere(store, session);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error instanceof PaneMoved) noteMoved(store, session, error.to, "pane");
  }
}

/** Where its pane has gone, as it is printed, with the command that takes that on record; null: nowhere that anybody saw. */
export function moveOf(cx: Pick<Context, "program">, { name, role, tmux_session, moved_to: to, moved_by, moved_at }: Session) {
  if (to === null) return null;
  return { to, told_by: moved_by, since: moved_at, command: takeOnRecord(cx, { name, role, tmuxSession: tmux_session || null }, to) };
}

/** The command of {@link moveOf} as its words. */
export const moveWords = (cx: Pick<Context, "program">, { name, role, tmux_session, moved_to: to }: Session): string[] | null =>
  to === null ? null : onRecordWords(cx, { name, role, tmuxSession: tmux_session || null }, to);

/** As it is printed: in which file its conversation is written now, and without what only tells how it is found. */
export function printedSession(cx: Context, session: Session) {
  const { decided_at: _, permissions_json: __, moved_to: ___, moved_by: ____, moved_at: _____, ...shown } = session;
  const { codex_session_path: path, codex_session_id: thread } = session;
  return {
    ...shown,
    codex_session_path: path && (session.state === "active" ? machineOf(agentOf(session)).newestTranscript(path, thread) : path),
    moved: moveOf(cx, session),
  };
}
