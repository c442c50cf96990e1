/** What the machine shows of the sessions on record, looked at every few seconds while a page is open, and never otherwise. */
import type { Context } from "../context.ts";
import type { Agent } from "../core/agent/agent.ts";
import { agentOf } from "../core/agent/agents.ts";
import type { Dialog, PageName } from "../core/agent/screen.ts";
import type { Session } from "../core/sessions/session.ts";
import type { WriterSigns } from "../core/sessions/worker-state.ts";
import { machineProofs } from "../flow/loops/machine-proof.ts";
import { type Placed, placeIn } from "../flow/reach/pane.ts";
import { sessionSubject } from "../flow/reach/subject.ts";
import { dispatchers } from "../flow/dispatch/dispatchers.ts";
import { Troubles } from "../flow/dispatch/troubles.ts";
import { writerSigns } from "../flow/reach/writer.ts";
import { listCriteria } from "../store/tasks/criteria.ts";
import type { Store } from "../store/store.ts";
import { listTasks } from "../store/tasks/tasks.ts";
import { captureScreens, listPanes, type Pane } from "../system/terminal/panes.ts";

export interface Sign extends WriterSigns {
  /** Its terminal: null when none is recorded. */
  readonly terminal: {
    readonly running: boolean;
    readonly reason: string | null;
    readonly width: number;
    readonly height: number;
    readonly attached: number;
  } | null;
  readonly page: PageName | null;
  readonly dialog: Dialog | null;
}

const NOTHING: Sign = { processAlive: null, lockHeld: null, restsSince: null, terminal: null, page: null, dialog: null };
const EVERY_MS = 2000;
const PROOFS_EVERY_MS = 15_000;

export class Machine {
  private signs = new Map<string, Sign>();
  private dead = new Set<string>();
  private stale = new Map<string, number>();
  private staleAt = Number.NEGATIVE_INFINITY;
  /** By pane, what stood there at the last look and what that meant: reading it again is only needed when it has changed. */
  private readonly screens = new Map<
    string,
    { readonly text: string; readonly mode: string | null; readonly page: PageName; readonly dialog: Dialog | null }
  >();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running = false;
  private closed = false;
  private looking: Promise<void> | null = null;
  private readonly troubles: Troubles;

  /**
   * @param sessions those to look at; @param changed called when a sign differs from the last look; @param problem told why a look failed
   */
  constructor(
    private readonly cx: Context,
    private readonly store: Store,
    private readonly sessions: () => readonly Session[],
    private readonly changed: () => void,
    problem: (message: string) => void,
  ) {
    this.troubles = new Troubles(problem, () => performance.now());
  }

  /** What was last seen of a session; nothing is known before the first look. */
  sign(sessionId: string): Sign {
    return this.signs.get(sessionId) ?? NOTHING;
  }

  /** Whether a dispatcher's process was there at the last look; one not looked at yet counts as alive. */
  lives = (row: {
    readonly dispatcher_id: string;
    readonly host: string;
    readonly pid: number;
    readonly ended_at: string | null;
  }): boolean => row.ended_at === null && !this.dead.has(keyOf(row));

  /** How many criteria of a task are machine-proven by a proof that no longer fits. */
  staleProofs(taskId: string): number {
    return this.stale.get(taskId) ?? 0;
  }

  /** Begins to look, or stops. */
  watch(on: boolean): void {
    if (on === this.running || this.closed) return;
    this.running = on;
    clearTimeout(this.timer);
    if (on) this.turn();
  }

  /** Stops for good, and waits for the end of a look that has begun: the database is about to be closed. */
  async close(): Promise<void> {
    this.watch(false);
    this.closed = true;
    await this.looking;
  }

  /** Pages that come and go while a look lasts begin no second one beside it. */
  private turn(): void {
    this.looking ??= this.look()
      .then(
        () => this.troubles.over("a look"),
        (error: Error) => this.troubles.tell("a look", `the sessions could not be looked at: ${error.message}`),
      )
      .then(() => {
        this.looking = null;
        if (this.running) this.timer = setTimeout(() => this.turn(), EVERY_MS);
      });
  }

  /** Looks once, at everything. */
  private async look(): Promise<void> {
    const sessions = this.sessions();
    const panes = sessions.some((session) => session.tmux_session !== null) ? await listPanes(this.cx.env).catch(() => null) : [];
    const placed = new Map<string, Placed | null>();
    for (const session of sessions) placed.set(session.id, panes === null ? null : await placeIn(this.cx, panes, sessionSubject(session)));
    await this.readScreens(
      sessions.flatMap((session) => {
        const pane = placed.get(session.id)?.pane;
        return pane ? { agent: agentOf(session), pane } : [];
      }),
    );
    const next = new Map<string, Sign>();
    for (const session of sessions) {
      const place = placed.get(session.id);
      const screen = place?.pane ? this.screens.get(place.pane.paneId) : undefined;
      next.set(session.id, {
        ...writerSigns(session),
        terminal: session.tmux_session === null || place == null ? null : terminalOf(place),
        page: screen?.page ?? null,
        dialog: screen?.dialog ?? null,
      });
    }
    const before = this.seen();
    this.signs = next;
    this.dead = new Set((await dispatchers(this.cx, this.store)).filter((each) => !each.alive).map(keyOf));
    await this.lookAtProofs();
    if (this.seen() !== before) this.changed();
  }

  /** Trees change slowly and cost more to look at. */
  private async lookAtProofs(): Promise<void> {
    if (performance.now() - this.staleAt < PROOFS_EVERY_MS) return;
    this.staleAt = performance.now();
    const stale = new Map<string, number>();
    for (const task of listTasks(this.store, { active: true })) {
      const proofs = await machineProofs(this.cx, this.store, listCriteria(this.store, task.id));
      const count = [...proofs.values()].filter((proof) => proof.state !== "fresh").length;
      if (count > 0) stale.set(task.id, count);
    }
    this.stale = stale;
  }

  private readonly seen = (): string => JSON.stringify([[...this.signs], [...this.dead], [...this.stale]]);

  private async readScreens(shown: readonly { readonly agent: Agent; readonly pane: Pane }[]): Promise<void> {
    const panes = shown.map(({ pane }) => pane);
    for (const paneId of this.screens.keys()) if (!panes.some((pane) => pane.paneId === paneId)) this.screens.delete(paneId);
    const captured = await captureScreens(
      this.cx.env,
      panes.map((pane) => pane.paneId),
    ).catch(() => new Map<string, string>());
    for (const {
      agent,
      pane: { paneId, mode },
    } of shown) {
      const text = captured.get(paneId);
      const last = this.screens.get(paneId);
      if (text === undefined || (last?.text === text && last.mode === mode)) continue;
      const { page, dialog } = agent.screen.read(text, mode);
      this.screens.set(paneId, { text, mode, page, dialog });
    }
  }
}

const keyOf = (row: { readonly dispatcher_id: string; readonly host: string; readonly pid: number }): string =>
  JSON.stringify([row.dispatcher_id, row.host, row.pid]);

function terminalOf(place: Placed): Sign["terminal"] {
  if (place.pane === null) return { running: false, reason: place.reason, width: 0, height: 0, attached: 0 };
  const { width, height, attached, dead } = place.pane;
  return { running: !dead, reason: dead ? "the program in it has ended" : null, width, height, attached };
}
