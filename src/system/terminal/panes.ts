/** The panes of the tmux server, and what stands on them. */
import { Failure } from "../../core/failure.ts";
import type { Env } from "../processes/environment.ts";
import type { Ran } from "../processes/run.ts";
import { NEXT, noServerWords, paneTarget, tmux, tmuxResult } from "./tmux.ts";

/** One pane as `list-panes` shows it. */
export interface Pane {
  readonly session: string;
  readonly paneId: string;
  readonly pid: number;
  /** The program in it has ended and tmux kept the pane. */
  readonly dead: boolean;
  /** `copy-mode`, `tree-mode` … while keys go to tmux and not to the program; else null. */
  readonly mode: string | null;
  readonly width: number;
  readonly height: number;
  readonly cursorX: number;
  readonly cursorY: number;
  /** The program shows the cursor: keys go into a text. */
  readonly cursorShown: boolean;
  /** The active pane of the current window of its session. */
  readonly current: boolean;
  /** How many terminals look at the session. */
  readonly attached: number;
  /** When the server began, in milliseconds since the epoch: while it lives, it gives no pane id a second time. */
  readonly serverStartedAt: number;
}

const paneFormat =
  "#{pane_id} #{pane_pid} #{pane_dead} #{?pane_in_mode,#{pane_mode},-} #{pane_width} #{pane_height} #{cursor_x} #{cursor_y} " +
  "#{cursor_flag} #{?#{&&:#{pane_active},#{window_active}},1,0} #{session_attached} #{start_time} #{session_name}";

/** Every pane of the server in tmux's order; empty when no server runs. */
export async function listPanes(env: Env): Promise<Pane[]> {
  const result = await tmuxResult(env, ["list-panes", "-a", "-F", paneFormat]);
  if (result.code !== 0) {
    if (noServerWords.test(result.stderr)) return [];
    throw new Failure(`tmux list-panes failed: ${result.stderr.trim()}`);
  }
  return result.stdout.split("\n").flatMap((line) => {
    const [paneId, pid, dead, mode, width, height, cursorX, cursorY, cursorShown, current, attached, began, ...name] = line.split(" ");
    if (paneId === undefined || name.length === 0) return [];
    return {
      session: name.join(" "),
      paneId,
      pid: Number(pid),
      dead: dead === "1",
      mode: mode === "-" || mode === undefined ? null : mode,
      width: Number(width),
      height: Number(height),
      cursorX: Number(cursorX),
      cursorY: Number(cursorY),
      cursorShown: cursorShown === "1",
      current: current === "1",
      attached: Number(attached),
      serverStartedAt: Number(began) * 1000,
    };
  });
}

/** The option of tmux in which a pane carries the mark of the start that made it. */
export const START_MARK = "@conveyor-start";

/** The pane that the start of this mark made, while it stands in the window that was made for it; null when there is none. */
export async function paneOfStart(env: Env, mark: string): Promise<Pane | null> {
  const { stdout } = await tmuxResult(env, ["list-panes", "-a", "-F", `#{pane_id} #{${START_MARK}}`]);
  const marked = stdout.split("\n").flatMap((line) => (line.endsWith(` ${mark}`) ? [line.slice(0, line.indexOf(" "))] : []));
  // What somebody split off in its window carries the mark as well, and is younger.
  const [first] = marked.toSorted((one, other) => Number(one.slice(1)) - Number(other.slice(1)));
  return first === undefined ? null : ((await listPanes(env)).find((pane) => pane.paneId === first) ?? null);
}

/**
 * The text of a pane: `lines` of history above the visible screen (0: the screen alone), trailing newlines kept.
 * `styled` keeps the escape sequences, which tell a placeholder from typed text.
 */
export const capturePane = (env: Env, target: string, lines: number, styled = false): Promise<string> =>
  tmux(env, ["capture-pane", "-p", ...(styled ? ["-e"] : []), "-t", paneTarget(target), "-S", lines > 0 ? `-${lines}` : "0"]);

/**
 * The visible screens of several panes, with their escape sequences, in one call. A pane that ends meanwhile cuts the rest off:
 * what is missing in the answer is not known.
 */
export async function captureScreens(env: Env, paneIds: readonly string[]): Promise<Map<string, string>> {
  if (paneIds.length === 0) return new Map();
  const mark = `screen ${crypto.randomUUID()} `;
  const words = paneIds.flatMap((id) => [
    "display-message",
    "-p",
    "-t",
    id,
    `${mark}#{pane_id}`,
    NEXT,
    "capture-pane",
    "-p",
    "-e",
    "-t",
    id,
    NEXT,
  ]);
  const { stdout } = await tmuxResult(env, words.slice(0, -1));
  return new Map(
    stdout
      .split(mark)
      .slice(1)
      .map((part) => {
        const end = part.indexOf("\n");
        return [part.slice(0, end), part.slice(end + 1)] as const;
      }),
  );
}

/**
 * Ends a pane, wherever it is and whoever looks at it, if the program that was seen still runs in it; the server itself compares, in the
 * same step. Whether it is gone tells the next look.
 */
export const killPane = (env: Env, { paneId, pid }: Pick<Pane, "paneId" | "pid">): Promise<Ran> =>
  tmuxResult(env, ["if-shell", "-F", "-t", paneId, `#{==:#{pane_pid},${pid}}`, `kill-pane -t ${paneId}`]);
