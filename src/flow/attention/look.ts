/** A look at what the machine shows of the sessions on record: processes, terminals and pages, the dispatchers, and trees with proofs. */
import type { Context } from "../../context.ts";
import { agentOf } from "../../core/agent/agents.ts";
import type { Dialog, PageName } from "../../core/agent/screen.ts";
import type { Session } from "../../core/sessions/session.ts";
import type { Task } from "../../core/tasks/task.ts";
import { openAsks } from "../../store/asks.ts";
import { activeTasks } from "../../store/attention/tasks.ts";
import { type DispatcherRow, listDispatchers } from "../../store/dispatch/dispatchers.ts";
import { taskOfSession } from "../../store/sessions/bindings.ts";
import type { Store } from "../../store/store.ts";
import { listCriteria } from "../../store/tasks/criteria.ts";
import { captureScreens, listPanes, type Pane } from "../../system/terminal/panes.ts";
import { machineProofs } from "../loops/machine-proof.ts";
import { whereIs } from "../observe/whereabouts.ts";
import { dispatchers } from "../reach/dispatchers.ts";
import { type Placed, placeIn } from "../reach/pane.ts";
import { sessionSubject } from "../reach/subject.ts";
import { writerSigns } from "../reach/writer.ts";
import { type Sign, UNSEEN } from "./side.ts";

const PROOFS_EVERY_MS = 15_000;

interface Shown {
  readonly text: string;
  readonly mode: string | null;
  readonly page: PageName;
  readonly dialog: Dialog | null;
  readonly asks: boolean;
}

const NOTHING: Shown = { text: "", mode: null, page: "unknown", dialog: null, asks: false };

/** A session with the pane that it has now. */
interface Placement {
  readonly session: Session;
  readonly pane: Pane;
}

/** So long a page may still stand there after it was answered. */
const STAYS_MS = 1500;
const AGAIN_MS = 150;

type DispatcherId = Pick<DispatcherRow, "dispatcher_id" | "host" | "pid">;

export class Look {
  private signs = new Map<string, Sign>();
  private dead = new Set<string>();
  private stale = new Map<string, number>();
  private provenAtMs = Number.NEGATIVE_INFINITY;
  /** When the last look began, and that at the proofs; null before the first. */
  private at: string | null = null;
  private provenAt: string | null = null;
  /** Sessions whose screen could not be read, or showed nothing: what stands there is not known. */
  private blind = new Set<string>();
  /** By pane, what stood there at the last look and what that meant: reading it again is only needed when it has changed. */
  private readonly screens = new Map<string, Shown>();
  /** By session, the screen, and what was on record of what it asks, when it was tried to put that on record. */
  private readonly recorded = new Map<string, string>();

  private readonly met = new Set<string>();

  constructor(
    private readonly cx: Context,
    private readonly store: Store,
  ) {}

  /** What was last seen of a session; nothing is known before the first look. */
  sign(sessionId: string): Sign {
    return this.signs.get(sessionId) ?? UNSEEN;
  }

  /** Whether a dispatcher's process was there at the last look; one not looked at yet counts as alive. */
  lives = (row: DispatcherId & Pick<DispatcherRow, "ended_at">): boolean => row.ended_at === null && !this.dead.has(keyOf(row));

  /** How many criteria of a task are machine-proven by a proof that no longer fits. */
  staleProofs(taskId: string): number {
    return this.stale.get(taskId) ?? 0;
  }

  /** Whether some Dispatch carries messages; one that only tells what it would do carries none. */
  dispatches = (): boolean => listDispatchers(this.store).some((row) => row.dry_run === 0 && this.lives(row));

  /** When it was looked whether the fact of this key is so; null: never, or what could show it was not to be seen. */
  lookedAt = (key: string): string | null => {
    if (key === "stale_proof") return this.provenAt;
    return key.split(" ").some((word) => this.blind.has(word)) ? null : this.at;
  };

  /** Whether this session, where it is now, is met for the first time. */
  meets({ id, codex_session_id: thread, socket, pid }: Session): boolean {
    const where = `${id} ${thread} ${socket} ${pid}`;
    const isNew = !this.met.has(where);
    this.met.add(where);
    return isNew;
  }

  /**
   * Looks once, at all of these sessions, and at the proofs of these tasks, or of all that are worked on. Gives whether anything is not as
   * it was at the last look.
   */
  async again(sessions: readonly Session[], tasks?: readonly Task[]): Promise<boolean> {
    const at = this.store.now();
    const panes = sessions.some((session) => session.tmux_session !== null) ? await listPanes(this.cx.env).catch(() => null) : [];
    const placed = new Map<string, Placed | null>();
    for (const session of sessions) placed.set(session.id, panes === null ? null : await placeIn(this.cx, panes, sessionSubject(session)));
    const shown = sessions.flatMap((session) => {
      const pane = placed.get(session.id)?.pane;
      return pane ? { session, pane } : [];
    });
    for (const paneId of this.screens.keys()) if (!shown.some(({ pane }) => pane.paneId === paneId)) this.screens.delete(paneId);
    const read = await this.readScreens(shown);
    await Promise.all(shown.map((each) => this.recordAsks(each)));
    const next = new Map<string, Sign>();
    const blind = new Set<string>();
    for (const session of sessions) {
      const place = placed.get(session.id);
      const screen = place?.pane ? this.screens.get(place.pane.paneId) : undefined;
      const signs = writerSigns(session);
      // Of one that lives and has no pane here, the pane may be where this look does not reach.
      const isRead = place?.pane ? read.has(place.pane.paneId) && screen?.page !== "blank" : place !== null && signs.processAlive !== true;
      if (session.tmux_session !== null && !isRead) blind.add(session.id);
      next.set(session.id, {
        ...signs,
        terminal: session.tmux_session === null || place == null ? null : terminalOf(place),
        page: screen?.page ?? null,
        dialog: screen?.dialog ?? null,
        recorded: screen?.asks === true && openAsks(this.store, session.id).length > 0,
      });
    }
    const before = this.seen();
    const dead = (await dispatchers(this.cx, this.store)).filter((each) => !each.alive).map(keyOf);
    this.signs = next;
    this.blind = blind;
    this.at = at;
    this.dead = new Set(dead);
    await this.lookAtProofs(tasks);
    return this.seen() !== before;
  }

  /**
   * Puts on record what its page asks, and that it no longer asks it, where that is not on record yet. A question that stands there and is on
   * no record may just have been answered: it counts when it stays.
   */
  private async recordAsks({ session, pane }: Placement): Promise<void> {
    const { text, asks, dialog } = this.screens.get(pane.paneId) ?? NOTHING;
    const open = (): string[] => openAsks(this.store, session.id).map(({ id }) => id);
    const known = open();
    const tried = `${known.join(" ")}\n${text}`;
    const served = session.socket !== null;
    // Who listens to its server puts it on record; nobody may.
    const isDue = asks ? !served || known.length === 0 : known.length > 0;
    if (!isDue || this.recorded.get(session.id) === tried) return;
    this.recorded.set(session.id, tried);
    await whereIs(this.cx, this.store, session, { asksOf: taskOfSession(this.store, session.id) });
    if (!asks || (!served && dialog?.kind === "other")) return;
    for (const end = performance.now() + STAYS_MS; open().length === 0 && performance.now() < end;) {
      await Bun.sleep(AGAIN_MS);
      await this.readScreens([{ session, pane }]);
      if (this.screens.get(pane.paneId)?.asks !== true) return;
    }
  }

  /** Trees change slowly and cost more to look at. */
  private async lookAtProofs(tasks: readonly Task[] | undefined): Promise<void> {
    if (performance.now() - this.provenAtMs < PROOFS_EVERY_MS) return;
    this.provenAtMs = performance.now();
    const at = this.store.now();
    const stale = new Map<string, number>();
    for (const task of tasks ?? activeTasks(this.store)) {
      const proofs = await machineProofs(this.cx, this.store, listCriteria(this.store, task.id));
      const count = [...proofs.values()].filter((proof) => proof.state !== "fresh").length;
      if (count > 0) stale.set(task.id, count);
    }
    this.stale = stale;
    this.provenAt = at;
  }

  private readonly seen = (): string => JSON.stringify([[...this.signs], [...this.dead], [...this.stale]]);

  /** Gives the panes that could be read. */
  private async readScreens(shown: readonly Placement[]): Promise<ReadonlySet<string>> {
    const captured = await captureScreens(
      this.cx.env,
      shown.map(({ pane }) => pane.paneId),
    ).catch(() => new Map<string, string>());
    for (const { session, pane } of shown) {
      const { paneId, mode } = pane;
      const text = captured.get(paneId);
      const last = this.screens.get(paneId);
      if (text === undefined || (last?.text === text && last.mode === mode)) continue;
      const { page, dialog, asks } = agentOf(session).screen.read(text, mode);
      this.screens.set(paneId, { text, mode, page, dialog, asks });
    }
    return new Set(captured.keys());
  }
}

const keyOf = (row: DispatcherId): string => JSON.stringify([row.dispatcher_id, row.host, row.pid]);

function terminalOf(place: Placed): Sign["terminal"] {
  if (place.pane === null) return { running: false, reason: place.reason, width: 0, height: 0, attached: 0 };
  const { width, height, attached, dead } = place.pane;
  return { running: !dead, reason: dead ? "the program in it has ended" : null, width, height, attached };
}
