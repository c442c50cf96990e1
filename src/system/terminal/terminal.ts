/** Terminal windows of the desktop: which program opens one here, and opening one on a tmux session. */
import { existsSync } from "node:fs";
import { basename } from "node:path";
import { Failure } from "../../core/failure.ts";
import { quoteCommand } from "../../core/shell.ts";
import { type Env, which } from "../processes/environment.ts";
import { runProgram, startAndLeave, troubleOf } from "../processes/run.ts";
import { realPath } from "../files/folders.ts";

export const TERMINALS = ["auto", "ghostty", "terminal"] as const;
export type TerminalChoice = (typeof TERMINALS)[number];

export interface Window {
  readonly terminal: Exclude<TerminalChoice, "auto">;
  /** What opens it; without a terminal program, what attaches right here. */
  readonly command: readonly string[];
  /** Why no window can be opened here; null: it can. */
  readonly unavailable: string | null;
}

/** What stands between the program's name and the command to run in it; -e for any other. */
const runFlags: Readonly<Record<string, readonly string[]>> = {
  "gnome-terminal": ["--"],
  ptyxis: ["--"],
  kgx: ["--"],
  "xfce4-terminal": ["-x"],
  kitty: ["--"],
  foot: [],
  wezterm: ["start", "--"],
};

const emulators = [
  "x-terminal-emulator",
  "gnome-terminal",
  "ptyxis",
  "kgx",
  "konsole",
  "xfce4-terminal",
  "kitty",
  "alacritty",
  "wezterm",
  "foot",
  "xterm",
];

/** The words that attach to a session, on the server that this process is in when that is not the usual one. */
export function attachWords(env: Env, session: string): string[] {
  const socket = env.TMUX?.split(",")[0] ?? "";
  // tmux names its socket by the real path of the folder, and /tmp is a link on macOS.
  const usual = realPath(`${env.TMUX_TMPDIR || "/tmp"}/tmux-${process.getuid?.() ?? 0}/default`);
  return ["tmux", ...(socket === "" || realPath(socket) === usual || !existsSync(socket) ? [] : ["-S", socket]), "attach", "-t", session];
}

/** How a window on `session` is opened by this choice. Nothing is started. */
export function windowFor(env: Env, choice: TerminalChoice, session: string, platform: string = process.platform): Window {
  const attach = attachWords(env, session);
  return platform === "darwin" ? macWindow(env, choice, attach) : linuxWindow(env, choice, attach);
}

function macWindow(env: Env, choice: TerminalChoice, attach: readonly string[]): Window {
  const ghostty = ["/Applications", `${env.HOME ?? ""}/Applications`].some((folder) => existsSync(`${folder}/Ghostty.app`));
  if (choice === "ghostty" || (choice === "auto" && ghostty)) {
    return { terminal: "ghostty", command: ["open", "-na", "Ghostty.app", "--args", "-e", ...attach], unavailable: null };
  }
  const line = quoteCommand(attach).replaceAll("\\", "\\\\").replaceAll('"', '\\"');
  return {
    terminal: "terminal",
    command: ["osascript", "-e", `tell application "Terminal" to do script "${line}"`, "-e", 'tell application "Terminal" to activate'],
    unavailable: null,
  };
}

function linuxWindow(env: Env, choice: TerminalChoice, attach: readonly string[]): Window {
  const noDisplay = env.DISPLAY || env.WAYLAND_DISPLAY ? null : "there is no display";
  const own = (env.TERMINAL ?? "").split(/\s+/).filter((word) => word !== "");
  const wanted = own.length > 0 && which(own[0]!, env) ? own : null;
  const isGhostty =
    choice === "ghostty" || (choice === "auto" && (wanted ? basename(wanted[0]!) === "ghostty" : which("ghostty", env) !== null));
  if (isGhostty) {
    const missing = which("ghostty", env) === null ? "ghostty is not on PATH" : null;
    return { terminal: "ghostty", command: ["ghostty", "-e", ...attach], unavailable: missing ?? noDisplay };
  }
  const found = emulators.find((name) => which(name, env) !== null);
  const program = wanted ?? (found === undefined ? null : [found]);
  if (!program)
    return { terminal: "terminal", command: attach, unavailable: noDisplay ?? "no terminal program is on PATH ($TERMINAL names one)" };
  return { terminal: "terminal", command: [...program, ...(runFlags[basename(program[0]!)] ?? ["-e"]), ...attach], unavailable: noDisplay };
}

/** Within this time a program that cannot open a window has said so. */
const FAILS_WITHIN_MS = 1500;

/** Opens the window and leaves it to itself. @throws Failure that tells how to attach when it cannot be opened */
export async function openWindow(env: Env, { command, unavailable }: Window, session: string): Promise<void> {
  const hint = { hint: `attach from a terminal of your own: ${quoteCommand(attachWords(env, session))}` };
  if (unavailable !== null) throw new Failure(`no terminal window can be opened: ${unavailable}`, hint);
  // A window that opens inside of tmux would refuse to attach.
  const outside = { ...env, TMUX: undefined, TMUX_PANE: undefined };
  if (process.platform === "darwin") {
    const done = await runProgram(command, { env: outside, timeoutMs: 15_000 });
    if (done.code !== 0) throw new Failure(`${command[0]} could not open a window: ${troubleOf(done)}`, hint);
    return;
  }
  const code = await startAndLeave(command, outside, FAILS_WITHIN_MS).catch((error: Error) => {
    throw new Failure(error.message, hint);
  });
  if (code !== null && code !== 0) throw new Failure(`${command[0]} could not open a window: it ended with ${code}`, hint);
}
