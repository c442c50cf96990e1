/**
 * Listens to the servers of bound sessions: ends of turns and what is asked come as hints that wake, and asks are put on record. The
 * transcript stays the authority, and all goes on as before when a server is gone.
 */
import { agentOf } from "../../core/agent/agents.ts";
import type { ServedEvent, ServedLine } from "../../core/agent/protocol.ts";
import type { Session } from "../../core/sessions/session.ts";
import { endAsk, openAsks, recordAsk } from "../../store/asks.ts";
import { noteLost, textsUnderWay } from "../../store/deliveries.ts";
import { bindingOfSession, boundManagers, boundWorkers } from "../../store/sessions/bindings.ts";
import type { Store } from "../../store/store.ts";
import { machineOf } from "../../system/agent/agents.ts";

/** A server that went away is looked for again after this, then ever more seldom. */
const AGAIN_MS = 250;
const SELDOM_MS = 30_000;

export interface ServedWatch {
  /** Listens to the servers of today's bound sessions, and to no others. */
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

/** @param wake called when something may be worth a look @param problem told of what could not be recorded */
export function watchServed(store: Store, wake: () => void, problem: (message: string) => void): ServedWatch {
  const heard = new Map<string, Listening>();
  const keyOf = ({ id, socket, codex_session_id: thread }: Session): string => `${id} ${thread} ${socket}`;

  const hear = (session: Session, event: ServedEvent): void => {
    try {
      take(store, session, event);
    } catch (error) {
      problem(`what ${session.name} asks could not be recorded: ${(error as Error).message}`);
    }
    wake();
  };

  const listen = async (to: Listening): Promise<void> => {
    const { session } = to;
    to.timer = undefined;
    try {
      const line = await machineOf(agentOf(session)).served!.connect(session.socket!);
      if (to.closed) return line.close();
      to.line = line;
      line.hear((event) => hear(session, event));
      const followed = await line.follow(session.codex_session_id!);
      if ("value" in followed) to.tries = 0;
      await line.ended;
      // What it had been told and not taken may be lost with it.
      if (!to.closed)
        noteLost(
          store,
          textsUnderWay(store, session.id).map(({ delivery }) => delivery.id),
        );
    } catch {
      // Nobody is there (yet): the next try tells.
    }
    to.line = null;
    if (to.closed) return;
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

  return {
    follow() {
      const wanted = new Map(
        [...boundWorkers(store), ...boundManagers(store)]
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
    },
    close() {
      for (const key of [...heard.keys()]) drop(key);
    },
  };
}

function take(store: Store, session: Session, event: ServedEvent): void {
  const mine = (threadId: string): boolean => threadId === session.codex_session_id;
  if (event.kind === "asks" && mine(event.ask.threadId)) recordAsk(store, session.id, taskOf(store, session), event.ask);
  if (event.kind !== "answered" || !mine(event.threadId)) return;
  const ask = openAsks(store, session.id).find(({ request_id }) => request_id === event.requestId);
  // Whoever answers for us writes down itself how that went.
  if (ask !== undefined && ask.sent_at === null) endAsk(store, ask, "person", taskOf(store, session));
}

const taskOf = (store: Store, session: Session): string | null => bindingOfSession(store, session.id)?.task_id ?? null;
