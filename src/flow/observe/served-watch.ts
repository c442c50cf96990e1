/**
 * Listens to the servers of sessions: ends of turns and what is asked come as hints that wake, and asks are put on record. The
 * transcript stays the authority, and all goes on as before when a server is gone.
 */
import type { Context } from "../../context.ts";
import { agentOf } from "../../core/agent/agents.ts";
import { windowsOf } from "../../core/agent/limits.ts";
import type { ServedEvent, ServedLine } from "../../core/agent/protocol.ts";
import type { Session } from "../../core/sessions/session.ts";
import { noteLimits } from "../../store/attention/accounts.ts";
import { endAsk, openAsks, recordAsk } from "../../store/asks.ts";
import { noteLost, textsUnderWay } from "../../store/deliveries.ts";
import { boundWorkers, managersToTell, taskOfSession } from "../../store/sessions/bindings.ts";
import { noteMoved } from "../../store/sessions/moves.ts";
import { sessionById } from "../../store/sessions/sessions.ts";
import type { Store } from "../../store/store.ts";
import { machineOf } from "../../system/agent/agents.ts";
import { alive } from "../../system/processes/processes.ts";
import { lookAtAsks } from "./asks.ts";
import { lookForBroken } from "./broken-turn.ts";
import { ingest } from "./ingest.ts";
import { reachFollowed } from "./whereabouts.ts";

/** A server that went away is looked for again after this, then ever more seldom. */
const AGAIN_MS = 250;
const SELDOM_MS = 30_000;

export interface ServedWatch {
  /** Listens to the servers of today's sessions, and of no others. */
  follow(): void;
  close(): void;
}

interface Listening {
  readonly session: Session;
  line: ServedLine | null;
  timer: Timer | undefined;
  tries: number;
  closed: boolean;
}

/**
 * @param wake called when something may be worth a look @param problem told of what could not be recorded
 * @param sessions to whose servers it listens: by default to the bound ones of the moment, and to those with a text under way
 */
export function watchServed(
  cx: Context,
  store: Store,
  wake: () => void,
  problem: (message: string) => void,
  sessions: () => readonly Session[] = () => listenedTo(store),
): ServedWatch {
  const heard = new Map<string, Listening>();
  const keyOf = ({ id, socket, codex_session_id: thread }: Session): string => `${id} ${thread} ${socket}`;

  const hear = async ({ session, line }: Listening, event: ServedEvent | "listening"): Promise<void> => {
    try {
      if (event !== "listening") take(cx, store, session, event);
      if (event !== "listening" && event.kind === "taken up" && event.threadId !== session.codex_session_id) {
        // A helper's that somebody only looks at is none that anybody could have gone on to.
        const other = await line?.conversation(event.threadId);
        if (other != null) noteMoved(store, session, other.id, "hint");
      }
      // A turn that its person had left behind is what kept it from being followed: until its conversation rests, a moment after its end.
      const rests = event !== "listening" && event.kind === "rests" && event.threadId === session.codex_session_id;
      if (event === "listening" || event.kind === "began" || rests) await lookWhere(cx, store, session);
      if (sessionById(store, session.id)?.codex_session_id !== session.codex_session_id) follow();
    } catch (error) {
      problem(`what the server of ${session.name} told could not be recorded: ${(error as Error).message}`);
    }
    wake();
  };

  /** Texts under way are looked at, since something was told that may have lost them. */
  const lose = ({ session }: Listening): void => {
    try {
      noteLost(store, waitingTexts(store, session));
    } catch (error) {
      problem(`what ${session.name} may have lost could not be recorded: ${(error as Error).message}`);
    }
  };

  /** What was asked when nobody listened, or by the server before this one, may have gone unheard, and the turn that ran with it. */
  const lookBack = async (session: Session, line: ServedLine): Promise<void> => {
    const at = { sessionId: session.id, threadId: session.codex_session_id!, taskId: taskOfSession(store, session.id) };
    try {
      if (openAsks(store, session.id).length > 0) await lookAtAsks(store, line, at);
      await lookForBroken(cx, store, sessionById(store, session.id)!, line);
    } catch (error) {
      problem(`what ${session.name} was at could not be recorded: ${(error as Error).message}`);
    }
  };

  const listen = async (to: Listening): Promise<void> => {
    const { session } = to;
    to.timer = undefined;
    try {
      const line = await machineOf(agentOf(session)).served!.connect(session.socket!);
      if (to.closed) return line.close();
      to.line = line;
      line.hear((event) => void hear(to, event));
      const followed = await line.follow(session.codex_session_id!);
      if ("value" in followed) to.tries = 0;
      await lookBack(to.session, line);
      // What was said before somebody listened may have been lost unheard, and its person may have gone on.
      lose(to);
      void hear(to, "listening");
      await line.ended;
    } catch {
      // Nobody is there (yet): the next try tells.
    }
    to.line = null;
    if (to.closed) return;
    // What it had been told and not taken may be lost with it.
    lose(to);
    wake();
    to.timer = setTimeout(() => void listen(to), Math.min(SELDOM_MS, AGAIN_MS * 2 ** to.tries++));
  };

  const drop = (key: string): void => {
    const to = heard.get(key);
    if (to === undefined) return;
    to.closed = true;
    clearTimeout(to.timer);
    to.line?.close();
    heard.delete(key);
  };

  let closed = false;
  const follow = (): void => {
    if (closed) return;
    const wanted = new Map(
      sessions()
        .filter(({ socket, codex_session_id: thread, state }) => socket !== null && thread !== null && state === "active")
        .map((session) => [keyOf(session), session]),
    );
    for (const key of heard.keys()) if (!wanted.has(key)) drop(key);
    for (const [key, session] of wanted) {
      if (heard.has(key)) continue;
      const to: Listening = { session, line: null, timer: undefined, tries: 0, closed: false };
      heard.set(key, to);
      void listen(to);
    }
  };

  return {
    follow,
    close() {
      closed = true;
      for (const key of [...heard.keys()]) drop(key);
    },
  };
}

/** Bound sessions, managers that wait to be told, and those with a text under way: they tell when it may be lost. */
function listenedTo(store: Store): Session[] {
  const waiting = textsUnderWay(store).flatMap(({ delivery: { session_id: id } }) => (id === null ? [] : (sessionById(store, id) ?? [])));
  return [...boundWorkers(store), ...managersToTell(store), ...waiting];
}

/** Those that nobody is sending right now: who sends one looks after it alone. */
const waitingTexts = (store: Store, { id }: Session): string[] =>
  textsUnderWay(store, id).flatMap(({ delivery }) => (delivery.state === "sending" && alive(delivery.sender_pid) ? [] : delivery.id));

/** Looks where its person is, and follows. */
async function lookWhere(cx: Context, store: Store, session: Session): Promise<void> {
  const now = sessionById(store, session.id);
  if (now === null || now.codex_session_id !== session.codex_session_id) return;
  const { way } = await reachFollowed(cx, store, now);
  if ("line" in way) way.line.close();
}

function take(cx: Context, store: Store, session: Session, event: ServedEvent): void {
  const mine = (threadId: string): boolean => threadId === session.codex_session_id;
  if (event.kind === "rewound" && mine(event.threadId)) ingest(cx, store, sessionById(store, session.id)!, true);
  if (event.kind === "turn" && mine(event.threadId) && event.turn.status !== "running") noteLost(store, waitingTexts(store, session));
  if (event.kind === "limits") noteLimits(store, session, windowsOf(event.limits, store.now()), store.now());
  if (event.kind === "asks" && mine(event.ask.threadId)) recordAsk(store, session.id, taskOfSession(store, session.id), event.ask);
  if (event.kind !== "answered" || !mine(event.threadId)) return;
  const ask = openAsks(store, session.id).find(({ request_id }) => request_id === event.requestId);
  // Whoever answers for us writes down itself how that went.
  if (ask !== undefined && ask.sent_at === null) endAsk(store, ask, { by: "person", proof: "seen" }, taskOfSession(store, session.id));
}
