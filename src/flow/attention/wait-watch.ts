/** All that wakes a wait: commits, transcripts, the agents' own lists and servers, ends of processes, panes that were written to. */
import { OF_ROWS, OF_SCREEN, type Reason } from "../../core/attention/reason.ts";
import { Failure } from "../../core/failure.ts";
import type { Session } from "../../core/sessions/session.ts";
import { openAsks } from "../../store/asks.ts";
import { taskOfSession } from "../../store/sessions/bindings.ts";
import { sessionById } from "../../store/sessions/sessions.ts";
import { isUnwritten } from "../../store/sqlite-failure.ts";
import { type FolderWatch, watchFolder } from "../../system/files/watch.ts";
import { type EndWatch, watchEnd } from "../../system/processes/process-end.ts";
import { watchCommits } from "../commits.ts";
import { lookAtPage } from "../observe/page-asks.ts";
import { listFolderOf, watchRollouts } from "../observe/rollout-watch.ts";
import { watchServed } from "../observe/served-watch.ts";
import { whereIs } from "../observe/whereabouts.ts";
import type { Scene } from "../scene.ts";
import type { Senses } from "./wait-look.ts";
import { type Shown, watchPanes } from "./wait-panes.ts";

export interface WaitWatch extends Senses {
  /** Watches what belongs to these sessions, and nothing else. */
  follow(sessions: readonly Session[]): void;
  /** Stores what transcripts have gained: everything, or only where a turn began or ended. */
  ingest(all: boolean): void;
  /** Comes when everything was looked at once. */
  settled(): Promise<void>;
  close(): void;
}

/** Of many who wait for the same transcript one stores what it has gained, and the others find it stored: who begins is left to chance. */
const FIRST_MS = 8;

interface Watcher {
  /** Something may be so by now that was not. */
  wake(): void;
  /** A transcript has grown: what is new there is to be stored first. */
  grew(): void;
  problem(message: string): void;
}

export function watchForWait({ cx, store }: Scene, reasons: readonly Reason[], { wake, grew, ...told }: Watcher): WaitWatch {
  let sessions: readonly Session[] = [];
  let closed = false;
  // A look that was on its way when all was over may find the database closed.
  const problem = (message: string): void => void (closed || told.problem(message));
  const current = (): readonly Session[] => sessions;
  const commits = watchCommits(store, wake);
  if (reasons.every((reason) => OF_ROWS.has(reason)))
    return { follow() {}, ingest() {}, settled: async () => {}, shown: () => null, close: () => commits.close() };

  let growing: Timer | undefined;
  const soon = (): void => {
    growing ??= setTimeout(() => {
      growing = undefined;
      grew();
    }, Math.random() * FIRST_MS);
  };
  const rollouts = watchRollouts(cx, store, soon, problem, undefined, current);
  const served = watchServed(cx, store, wake, problem, current);
  const panes = reasons.some((reason) => OF_SCREEN.has(reason))
    ? watchPanes(cx, current, { changing: record, changed: wake, problem })
    : null;
  const lists = new Map<string, FolderWatch | null>();
  const ends = new Map<number, EndWatch>();
  let looked = "";
  let looking: Promise<unknown> = Promise.resolve();

  /** What a page asks is put on record before it counts, as what a protocol asks is. */
  async function record(seen: Session, now: Shown): Promise<void> {
    const session = sessionById(store, seen.id);
    if (session === null || session.socket !== null || !reasons.includes("question")) return;
    if (!now.asks && openAsks(store, session.id).length === 0) return;
    try {
      await lookAtPage(cx, store, session, taskOfSession(store, session.id));
    } catch (error) {
      if (!(error instanceof Failure) && !isUnwritten(error)) throw error;
    }
  }

  /** Where each of them is, once: its server tells what it asks to who comes later, and its agent where it has gone on. */
  const lookOnce = (): void => {
    const now = JSON.stringify(sessions.map(({ id, codex_session_id, socket, pid }) => [id, codex_session_id, socket, pid]));
    if (now === looked) return;
    looked = now;
    const look = (session: Session): Promise<Session> => {
      if (session.socket === null) return whereIs(cx, store, session);
      return whereIs(cx, store, session, {
        closely: true,
        ...(reasons.includes("question") ? { asksOf: taskOfSession(store, session.id) } : {}),
      });
    };
    looking = Promise.all(sessions.map(look)).then(wake, (error: Error) => problem(error.message));
  };

  const followLists = (): void => {
    const wanted = new Set(sessions.flatMap((session) => listFolderOf(session) ?? []));
    for (const [folder, watch] of lists)
      if (!wanted.has(folder)) {
        watch?.close();
        lists.delete(folder);
      }
    for (const folder of wanted) if (!lists.has(folder)) lists.set(folder, watchFolder(folder, wake));
  };

  const followEnds = (): void => {
    const wanted = new Set(sessions.flatMap(({ pid, state }) => (pid === null || state === "gone" ? [] : pid)));
    for (const [pid, watch] of ends)
      if (!wanted.has(pid)) {
        watch.close();
        ends.delete(pid);
      }
    for (const pid of wanted) if (!ends.has(pid)) ends.set(pid, watchEnd(pid, wake));
  };

  return {
    follow(now) {
      sessions = now;
      rollouts.follow();
      served.follow();
      panes?.follow();
      followLists();
      followEnds();
      lookOnce();
    },
    ingest(all) {
      try {
        rollouts.ingest(all);
      } catch (error) {
        // What cannot be written is read by others: their commits wake, too.
        if (!isUnwritten(error)) throw error;
        problem(`what transcripts have gained cannot be stored: ${(error as Error).message}`);
      }
    },
    settled: async () => void (await Promise.all([looking, panes?.settled()])),
    shown: (sessionId) => panes?.shown(sessionId) ?? null,
    close() {
      closed = true;
      clearTimeout(growing);
      commits.close();
      rollouts.close();
      served.close();
      panes?.close();
      for (const watch of lists.values()) watch?.close();
      for (const watch of ends.values()) watch.close();
    },
  };
}
