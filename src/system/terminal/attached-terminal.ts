/** A tmux client in a pseudo-terminal of its own: what a person would see and type in a terminal window, as bytes. */
import { type Env, which } from "../processes/environment.ts";
import { startProgram } from "../processes/run.ts";
import { isPaneId, NEXT, tmuxResult } from "./tmux.ts";

export interface Screen {
  readonly cols: number;
  readonly rows: number;
}

export interface AttachedTerminal {
  write(keys: string): void;
  resize(screen: Screen): void;
  /** Ends the client; the session goes on. */
  close(): void;
  /** Of the tmux client. */
  readonly pid: number;
}

interface AttachOptions extends Screen {
  /** Keys do not reach the session, and its size is not changed. */
  readonly readOnly: boolean;
  output(bytes: Uint8Array): void;
  /** The client has ended: the session is over, or somebody detached it. Not called after `close`. */
  ended(): void;
}

/** How long tmux may take to notice that a client has gone. */
const GONE_MS = 2000;

/** Exact session name, or pane id. */
const target = (session: string): string => (isPaneId(session) ? session : `=${session}`);

/** The size of the session's current window, and the rows that its status line takes besides; null when there is none. */
export async function windowScreen(env: Env, session: string): Promise<(Screen & { readonly statusRows: number }) | null> {
  const asked = isPaneId(session) ? session : `=${session}:`;
  const result = await tmuxResult(env, ["display-message", "-p", "-t", asked, "#{window_width} #{window_height} #{status}"]);
  const [cols, rows, status] = result.stdout.trim().split(" ");
  if (result.code !== 0 || !Number(cols) || !Number(rows)) return null;
  return { cols: Number(cols), rows: Number(rows), statusRows: status === "off" ? 0 : status === "on" ? 1 : Number(status) || 0 };
}

/**
 * The server that TMUX names, when we were started inside one: attaching there needs its socket, and no TMUX, which tmux would refuse as
 * nesting.
 */
const serverOf = (env: Env): string[] => {
  const socket = env.TMUX?.split(",")[0];
  return socket ? ["-S", socket] : [];
};

/** Attaches to the session of exactly this name, or null when tmux is missing or will not start. */
export function attachTerminal(env: Env, session: string, options: AttachOptions): AttachedTerminal | null {
  const tmux = which("tmux", env);
  if (tmux === null) return null;
  const argv = [tmux, ...serverOf(env), "-u", "attach-session", ...(options.readOnly ? ["-r"] : []), "-t", target(session)];
  let open = true;
  try {
    const program = startProgram(argv, {
      env: { ...env, TMUX: undefined, TMUX_PANE: undefined, TERM: "xterm-256color" },
      terminal: { cols: options.cols, rows: options.rows, data: (_terminal, bytes) => options.output(bytes) },
    });
    const terminal = program.child.terminal!;
    void program.exited.then(() => {
      if (!open) return;
      open = false;
      terminal.close();
      options.ended();
    });
    return {
      pid: program.pid,
      write: (keys) => void (open && terminal.write(keys)),
      resize: ({ cols, rows }) => void (open && terminal.resize(cols, rows)),
      close() {
        if (!open) return;
        open = false;
        void program.end(GONE_MS, "SIGHUP");
        terminal.close();
      },
    };
  } catch {
    return null;
  }
}

/**
 * Gives the session's window back the size it had before the client of process `pid` came, unless somebody else is attached whose
 * size counts: a program that was made narrow would stay so, and its screen be read wrong.
 */
export async function restoreSize(env: Env, session: string, { cols, rows }: Screen, pid: number): Promise<void> {
  const asked = isPaneId(session) ? session : `=${session}:`;
  const listed = async (): Promise<string[][]> => {
    const { stdout } = await tmuxResult(env, ["list-clients", "-t", target(session), "-F", "#{client_pid} #{client_flags}"]);
    return stdout
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => line.split(" "));
  };
  // The server notices a little later that its client has gone, and until then would go by its size again.
  let clients = await listed();
  for (
    const end = performance.now() + GONE_MS;
    clients.some(([client]) => Number(client) === pid) && performance.now() < end;
    clients = await listed()
  )
    await Bun.sleep(20);
  if (clients.some(([, flags]) => !flags?.includes("ignore-size"))) return;
  await tmuxResult(env, [
    "resize-window",
    "-t",
    asked,
    "-x",
    String(cols),
    "-y",
    String(rows),
    NEXT,
    "set-option",
    "-w",
    "-u",
    "-t",
    asked,
    "window-size",
  ]);
}

/** History and screen of the session's current pane, with colours, long lines whole. */
export async function terminalHistory(env: Env, session: string, lines: number): Promise<string | null> {
  const asked = isPaneId(session) ? session : `=${session}:`;
  const result = await tmuxResult(env, ["capture-pane", "-p", "-e", "-J", "-t", asked, "-S", `-${lines}`]);
  return result.code === 0 ? result.stdout : null;
}
