/** tmux sessions: whether one is there, and beginning one. */
import { Failure } from "../../core/failure.ts";
import { type Env, foreignNames } from "../processes/environment.ts";
import { listPanes, START_MARK } from "./panes.ts";
import { isPaneId, NEXT, paneTarget, sessionTarget, tmux, tmuxResult } from "./tmux.ts";

/** Whether a session of exactly this name (or a pane of this id) exists. */
export async function hasSession(env: Env, name: string): Promise<boolean> {
  // has-session takes a pane id that does not exist for the current session: ask the list instead.
  if (isPaneId(name)) return (await listPanes(env)).some((pane) => pane.paneId === name);
  return (await tmuxResult(env, ["has-session", "-t", sessionTarget(name)])).code === 0;
}

/** Text as it is where tmux expands formats: `#(…)` would be run by a shell. In front of `[` tmux leaves every # alone. */
const unexpanded = (text: string): string => text.replace(/#+(?![#[])/g, (marks) => marks + marks);

/**
 * Starts `argv` in a detached session of its own, as it is, without a shell, and gives its pane.
 * @param options.environment variables set over those of the server; @param options.keepDead the pane outlives its program, to be read;
 * @param options.mark by which the pane can be found again, also by whoever never heard its id
 */
export async function newSession(
  env: Env,
  options: {
    name: string;
    cwd: string;
    argv: readonly string[];
    environment?: Record<string, string>;
    keepDead?: boolean;
    mark?: string;
    width?: number;
    height?: number;
  },
): Promise<{ paneId: string; pid: number }> {
  // An older server hands on the environment it was started with, so what must not be seen is also taken away in front of the program.
  const known = await tmuxResult(env, ["show-environment", "-g"]);
  const unwanted = foreignNames([...Object.keys(env), ...known.stdout.split("\n").map((line) => line.split("=")[0] ?? "")]);
  const settings = Object.entries(options.environment ?? {}).map(([name, value]) => `${name}=${value}`);
  const out = await tmux(env, [
    "new-session",
    "-d",
    "-P",
    "-F",
    "#{pane_id} #{pane_pid} #{exit-unattached}",
    "-s",
    unexpanded(options.name),
    "-c",
    unexpanded(options.cwd),
    "-x",
    String(options.width ?? 160),
    "-y",
    String(options.height ?? 50),
    "--",
    "/usr/bin/env",
    ...unwanted.flatMap((name) => ["-u", name]),
    ...settings,
    ...options.argv,
    // In the same step: the user's own setting would end the session before the next command.
    NEXT,
    "set-option",
    "-t",
    `=${options.name}:`,
    "destroy-unattached",
    "off",
    ...(options.mark === undefined ? [] : [NEXT, "set-option", "-w", "-t", `=${options.name}:`, START_MARK, options.mark]),
    ...(options.keepDead ? [NEXT, "set-option", "-w", "-t", `=${options.name}:`, "remain-on-exit", "on"] : []),
  ]);
  const [paneId = "", pid = "", exits] = out.trim().split(" ");
  if (exits === "1" && !(await listPanes(env)).some((pane) => pane.paneId === paneId)) {
    throw new Failure(`tmux ended ${JSON.stringify(options.name)} at once: its option exit-unattached ends a server that nobody looks at`, {
      hint: "take it out of your tmux.conf, or keep a terminal attached to tmux: tmux new-session",
    });
  }
  return { paneId, pid: Number(pid) };
}

/** Whether the pane stays, to be read, when its program ends. */
export const keepDeadPane = (env: Env, target: string, keep: boolean): Promise<string> =>
  tmux(env, ["set-option", "-w", "-t", paneTarget(target), "remain-on-exit", keep ? "on" : "off"]);
