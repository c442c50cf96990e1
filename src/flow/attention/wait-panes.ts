/** The screens of sessions, read again when tmux says that they were written to, and never by the clock. */
import type { Context } from "../../context.ts";
import { agentOf } from "../../core/agent/agents.ts";
import type { Dialog, PageName } from "../../core/agent/screen.ts";
import { Failure } from "../../core/failure.ts";
import type { Session } from "../../core/sessions/session.ts";
import { listPanes } from "../../system/terminal/panes.ts";
import { type ControlLine, controlLine } from "../../system/terminal/control.ts";
import { placeIn } from "../reach/pane.ts";
import { sessionSubject } from "../reach/subject.ts";

/** What the terminal of a session shows. */
export interface Shown {
  /** Its program runs. */
  readonly running: boolean;
  readonly page: PageName | null;
  readonly asks: boolean;
  readonly dialog: Dialog | null;
}

export interface PaneWatch {
  /** Watches the panes of today's sessions. */
  follow(): void;
  /** Null: not seen yet, or it cannot be seen. */
  shown(sessionId: string): Shown | null;
  /** Comes when every pane was looked at once, or could not be. */
  settled(): Promise<void>;
  close(): void;
}

/** So long a pane must rest before it is read: a page is drawn in several steps. */
const QUIET_MS = 80;
/** A pane that never rests, as of an agent at work, is read so often. */
const SELDOM_MS = 3000;
/** Windows come and go in groups. */
const REPLACE_MS = 50;
const AGAIN_MS = 250;
const LATEST_MS = 30_000;

/** One pane of a session that is looked at. */
interface Pane {
  readonly session: Session;
  readonly paneId: string;
  /** When it was written to first and last since it was read; null: not since. */
  first: number | null;
  last: number;
  timer: Timer | undefined;
  /** It is read once at a time. */
  reading: Promise<void>;
}

interface Line {
  readonly line: ControlLine;
  readonly panes: Map<string, Pane>;
}

/** Who is told of what is seen. */
interface Watcher {
  /** Another page stands there than before: whatever it is to be put on record of is done before it counts. */
  changing(session: Session, now: Shown, before: Shown | null): Promise<void>;
  changed(): void;
  /** Why panes cannot be watched. */
  problem(message: string): void;
}

/** @param sessions whose panes are watched, those of the moment */
export function watchPanes(cx: Context, sessions: () => readonly Session[], { changing, changed, problem }: Watcher): PaneWatch {
  const lines = new Map<string, Line>();
  const shown = new Map<string, Shown>();
  let followed = "";
  let placing: Promise<void> = Promise.resolve();
  let timer: Timer | undefined;
  let tries = 0;
  let closed = false;

  const show = async (session: Session, now: Shown): Promise<void> => {
    const before = shown.get(session.id);
    if (closed || (before !== undefined && JSON.stringify(before) === JSON.stringify(now))) return;
    await changing(session, now, before ?? null);
    if (closed) return;
    shown.set(session.id, now);
    changed();
  };

  const read = (line: ControlLine, pane: Pane): Promise<void> =>
    (pane.reading = pane.reading
      .then(() => readNow(line, pane))
      .catch((error: Error) => problem(`what ${pane.session.name} shows could not be recorded: ${error.message}`)));

  const readNow = async (line: ControlLine, pane: Pane): Promise<void> => {
    pane.first = null;
    const screen = await line.screen(pane.paneId);
    if (closed || screen === null) return;
    tries = 0;
    const { page, asks, dialog } = agentOf(pane.session).screen.read(screen.text, screen.mode);
    await show(pane.session, { running: !screen.dead, page, asks, dialog });
  };

  /** Reads it once it rests; one that does not, after a while all the same. */
  const rest = (line: ControlLine, pane: Pane): void => {
    const now = performance.now();
    const due = Math.min(pane.last + QUIET_MS, pane.first! + SELDOM_MS);
    pane.timer = setTimeout(
      () => {
        pane.timer = undefined;
        if (performance.now() < Math.min(pane.last + QUIET_MS, pane.first! + SELDOM_MS) - 1) rest(line, pane);
        else void read(line, pane);
      },
      Math.max(1, due - now),
    );
  };

  const touch = (line: ControlLine, pane: Pane): void => {
    pane.last = performance.now();
    pane.first ??= pane.last;
    if (pane.timer === undefined) rest(line, pane);
  };

  const replaceIn = (ms: number): void => {
    clearTimeout(timer);
    timer = closed ? undefined : setTimeout(() => void (placing = place()), ms);
  };

  const drop = (name: string): void => {
    const line = lines.get(name);
    if (line === undefined) return;
    lines.delete(name);
    for (const pane of line.panes.values()) clearTimeout(pane.timer);
    line.line.close();
  };

  const listen = (name: string): Line => {
    const panes = new Map<string, Pane>();
    const line = controlLine(cx.env, name, {
      touched(paneId) {
        const pane = panes.get(paneId);
        if (pane !== undefined) touch(line, pane);
      },
      changed: () => replaceIn(REPLACE_MS),
      ended() {
        lines.delete(name);
        for (const pane of panes.values()) clearTimeout(pane.timer);
        // The session may be over, or the whole server: what is there is found anew, ever more seldom while it is not.
        replaceIn(Math.min(LATEST_MS, AGAIN_MS * 2 ** tries++));
      },
    });
    return { line, panes };
  };

  const place = async (): Promise<void> => {
    const here = sessions().filter(({ tmux_session: name, state }) => Boolean(name) && state === "active");
    const wanted = new Map<string, { session: Session; paneId: string }[]>();
    const missing: Session[] = [];
    try {
      const panes = here.length === 0 ? [] : await listPanes(cx.env);
      for (const session of here) {
        const { pane } = await placeIn(cx, panes, sessionSubject(session));
        if (pane === null) missing.push(session);
        else wanted.set(pane.session, [...(wanted.get(pane.session) ?? []), { session, paneId: pane.paneId }]);
      }
      if (closed) return;
      for (const name of lines.keys()) if (!wanted.has(name)) drop(name);
      await Promise.all(missing.map((session) => show(session, { running: false, page: null, asks: false, dialog: null })));
      await Promise.all([...wanted].map(([name, panesOf]) => watchIn(name, panesOf)));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      problem(`the terminals cannot be watched: ${error.message}`);
    }
  };

  const watchIn = async (name: string, wanted: readonly { session: Session; paneId: string }[]): Promise<void> => {
    const line = lines.get(name) ?? listen(name);
    lines.set(name, line);
    for (const [paneId, pane] of line.panes) {
      const stays = wanted.some((each) => each.paneId === paneId && each.session.id === pane.session.id);
      if (stays) continue;
      clearTimeout(pane.timer);
      line.panes.delete(paneId);
    }
    const added = wanted.filter(({ paneId }) => !line.panes.has(paneId));
    for (const { session, paneId } of added)
      line.panes.set(paneId, { session, paneId, first: null, last: 0, timer: undefined, reading: Promise.resolve() });
    await Promise.all([...line.panes.values()].map((pane) => read(line.line, pane)));
  };

  return {
    follow() {
      const now = JSON.stringify(
        sessions().map(({ id, tmux_session, tmux_pane_id, pid, state }) => [id, tmux_session, tmux_pane_id, pid, state]),
      );
      if (now === followed || closed) return;
      followed = now;
      clearTimeout(timer);
      placing = placing.then(place);
    },
    shown: (sessionId) => shown.get(sessionId) ?? null,
    settled: () => placing,
    close() {
      closed = true;
      clearTimeout(timer);
      for (const name of [...lines.keys()]) drop(name);
    },
  };
}
