/** Terminals in pages: each WebSocket shows one session, read-only until its person takes it over; then everybody else only watches. */
import type { ServerWebSocket } from "bun";
import type { Context } from "../context.ts";
import { isObject } from "../core/json.ts";
import { taskOfSession } from "../store/sessions/bindings.ts";
import { addEvent } from "../store/record/events.ts";
import { findSession } from "../store/sessions/sessions.ts";
import { type Store, tx } from "../store/store.ts";
import { type AttachedTerminal, attachTerminal, restoreSize, type Screen, windowScreen } from "../system/terminal/attached-terminal.ts";
import { Rate } from "./rate.ts";

/** What a terminal tells its page, besides the bytes. */
export type TerminalNews =
  | { readonly type: "watching"; readonly cols: number; readonly rows: number }
  | { readonly type: "typing" }
  | { readonly type: "ended"; readonly why: string };

export interface TerminalData {
  readonly session: string;
  state: TerminalState | null;
}

export type TerminalSocket = ServerWebSocket<TerminalData>;

interface TerminalState {
  readonly tmux: string;
  readonly keys: Rate;
  terminal: AttachedTerminal | null;
  screen: Screen;
  /** Size of the window before somebody began to type here. */
  before: Screen | null;
  typing: boolean;
  /** The tmux client through which somebody typed, and whose size the window still has. */
  resizedBy: number | null;
  /** Counts attachments: what an earlier one still says is not listened to. */
  serial: number;
}

export const MAX_TERMINALS = 12;
const KEY_LIMIT = 64 * 1024;

const size = (value: unknown, most: number): number | null =>
  typeof value === "number" && Number.isInteger(value) && value >= 2 && value <= most ? value : null;

export class Terminals {
  private readonly open = new Set<TerminalSocket>();

  constructor(
    private readonly cx: Context,
    private readonly store: Store,
  ) {}

  get count(): number {
    return this.open.size;
  }

  /** A page has connected. */
  async join(socket: TerminalSocket): Promise<void> {
    this.open.add(socket);
    const session = findSession(this.store, socket.data.session);
    if (!session?.tmux_session) return this.end(socket, session ? `${session.name} has no terminal` : "there is no such session");
    socket.data.state = {
      tmux: session.tmux_session,
      keys: new Rate(400, 200, () => performance.now()),
      terminal: null,
      screen: { cols: 80, rows: 24 },
      before: null,
      typing: false,
      resizedBy: null,
      serial: 0,
    };
    await this.watch(socket);
  }

  /** A page has gone. */
  leave(socket: TerminalSocket): void {
    this.open.delete(socket);
    const { state } = socket.data;
    if (!state) return;
    void this.restored(state, this.detach(state));
  }

  /** A message of the page: anything that is not understood, too big or too much is not passed on. */
  hear(socket: TerminalSocket, message: string | Buffer): void {
    const { state } = socket.data;
    if (!state || typeof message !== "string" || message.length > KEY_LIMIT) return;
    if (!state.keys.take()) return socket.close(1008, "too many keys");
    const said = parse(message);
    if (said.type === "take") this.takeOver(socket, state, said);
    else if (said.type === "release") void this.watch(socket);
    else if (!state.typing) return;
    else if (said.type === "keys" && typeof said.keys === "string") state.terminal?.write(said.keys);
    else if (said.type === "resize") {
      const [cols, rows] = [size(said.cols, 500), size(said.rows, 300)];
      if (cols !== null && rows !== null) state.terminal?.resize({ cols, rows });
    }
  }

  close(): void {
    for (const socket of [...this.open]) {
      this.leave(socket);
      socket.close(1001, "the dashboard has ended");
    }
  }

  /** Shows the session as it is, at the size it has. */
  private async watch(socket: TerminalSocket): Promise<void> {
    const state = socket.data.state!;
    const serial = this.detach(state);
    await this.restored(state, serial);
    const window = await windowScreen(this.cx.env, state.tmux).catch(() => null);
    if (serial !== state.serial) return;
    if (window === null) return this.end(socket, `tmux session ${state.tmux} is not running`);
    state.screen = { cols: window.cols, rows: window.rows + window.statusRows };
    state.before = { cols: window.cols, rows: window.rows };
    this.tell(socket, { type: "watching", ...state.screen });
    this.attach(socket, state, true);
  }

  /** Keys of this page go to the session from now on, and of no other page. It is on record who may type. */
  private takeOver(socket: TerminalSocket, state: TerminalState, said: Readonly<Record<string, unknown>>): void {
    const [cols, rows] = [size(said.cols, 500), size(said.rows, 300)];
    if (cols === null || rows === null || state.typing) return;
    for (const other of this.open)
      if (other !== socket && other.data.state?.typing && other.data.session === socket.data.session) void this.watch(other);
    const session = findSession(this.store, socket.data.session);
    const taskId = session && taskOfSession(this.store, session.id);
    tx(
      this.store,
      () =>
        void addEvent(this.store, {
          type: "terminal_taken_over",
          actor: "operator",
          taskId,
          payload: { session: socket.data.session, via: "dashboard" },
        }),
    );
    this.detach(state);
    state.screen = { cols, rows };
    state.typing = true;
    this.tell(socket, { type: "typing" });
    this.attach(socket, state, false);
  }

  /** Undoes what typing did to the size of the window, unless somebody has begun anew. */
  private async restored(state: TerminalState, serial: number): Promise<void> {
    const { before, resizedBy } = state;
    if (resizedBy === null || before === null || serial !== state.serial) return;
    state.resizedBy = null;
    await restoreSize(this.cx.env, state.tmux, before, resizedBy).catch(() => {});
  }

  private detach(state: TerminalState): number {
    state.serial += 1;
    if (state.typing) state.resizedBy = state.terminal?.pid ?? null;
    state.typing = false;
    state.terminal?.close();
    state.terminal = null;
    return state.serial;
  }

  private attach(socket: TerminalSocket, state: TerminalState, readOnly: boolean): void {
    const { serial } = state;
    state.terminal = attachTerminal(this.cx.env, state.tmux, {
      ...state.screen,
      readOnly,
      output: (bytes) => void (serial === state.serial && socket.sendBinary(bytes)),
      ended: () => void (serial === state.serial && this.end(socket, "the session has ended, or was detached")),
    });
    if (state.terminal === null) this.end(socket, "tmux could not be started");
  }

  private end(socket: TerminalSocket, why: string): void {
    this.tell(socket, { type: "ended", why });
    this.leave(socket);
    socket.close(1000, "ended");
  }

  private tell(socket: TerminalSocket, news: TerminalNews): void {
    socket.sendText(JSON.stringify(news));
  }
}

function parse(message: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(message);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}
