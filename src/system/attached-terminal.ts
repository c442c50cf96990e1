/** A tmux client in a pseudo-terminal of its own: what a person would see and type in a terminal window, as bytes. */
import { childEnv, type Env, which } from "./child.ts";
import { tmuxResult } from "./tmux.ts";

export interface Screen {
  readonly cols: number;
  readonly rows: number;
}

export interface AttachedTerminal {
  write(keys: string): void;
  resize(screen: Screen): void;
  /** Ends the client; the session goes on. */
  close(): void;
}

export interface AttachOptions extends Screen {
  /** Keys do not reach the session, and its size is not changed. */
  readonly readOnly: boolean;
  output(bytes: Uint8Array): void;
  /** The client has ended: the session is over, or somebody detached it. Not called after `close`. */
  ended(): void;
}

/** Exact session name, or pane id. */
const target = (session: string): string => (/^%\d+$/.test(session) ? session : `=${session}`);

/** Columns and rows that show the whole current window of the session with its status line; null when there is none. */
export async function windowScreen(env: Env, session: string): Promise<Screen | null> {
  const asked = /^%\d+$/.test(session) ? session : `=${session}:`;
  const result = await tmuxResult(env, ["display-message", "-p", "-t", asked, "#{window_width} #{window_height} #{status}"]);
  const [cols, rows, status] = result.stdout.trim().split(" ");
  if (result.code !== 0 || !Number(cols) || !Number(rows)) return null;
  return { cols: Number(cols), rows: Number(rows) + (status === "off" ? 0 : status === "on" ? 1 : Number(status) || 0) };
}

/** The server that TMUX names, when we were started inside one: attaching there needs its socket, and no TMUX, which tmux would refuse as nesting. */
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
    const child = Bun.spawn(argv, {
      env: { ...childEnv({ ...env, TMUX: undefined, TMUX_PANE: undefined }), TERM: "xterm-256color" },
      terminal: { cols: options.cols, rows: options.rows, data: (_terminal, bytes) => options.output(bytes) },
    });
    const terminal = child.terminal!;
    void child.exited.then(() => {
      if (!open) return;
      open = false;
      terminal.close();
      options.ended();
    });
    return {
      write: (keys) => void (open && terminal.write(keys)),
      resize: ({ cols, rows }) => void (open && terminal.resize(cols, rows)),
      close() {
        if (!open) return;
        open = false;
        child.kill("SIGHUP");
        terminal.close();
      },
    };
  } catch {
    return null;
  }
}

/** History and screen of the session's current pane, with colours, long lines whole. */
export async function terminalHistory(env: Env, session: string, lines: number): Promise<string | null> {
  const asked = /^%\d+$/.test(session) ? session : `=${session}:`;
  const result = await tmuxResult(env, ["capture-pane", "-p", "-e", "-J", "-t", asked, "-S", `-${lines}`]);
  return result.code === 0 ? result.stdout : null;
}
