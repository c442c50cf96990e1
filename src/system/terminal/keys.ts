/** Keys and pastes into a pane, if it still is as it was seen. */
import { Failure } from "../../core/failure.ts";
import type { Env } from "../processes/environment.ts";
import type { Ran } from "../processes/run.ts";
import type { Pane } from "./panes.ts";
import { NEXT, paneTarget, tmux, tmuxResult } from "./tmux.ts";

/** Puts `text` into a paste buffer of this name; the text travels by standard input. */
export const loadBuffer = (env: Env, buffer: string, text: string): Promise<string> =>
  tmux(env, ["load-buffer", "-b", buffer, "-"], { stdin: text });

/** Pieces of a text in paste buffers, in their order; what was not pasted is taken away again by `unload`, which never throws. */
export interface Loaded {
  readonly buffers: readonly string[];
  unload(): Promise<void>;
}

/** @param name of the first buffer, and what the names of the others begin with @throws Failure when tmux does not take them */
export async function loadPieces(env: Env, name: string, pieces: readonly string[]): Promise<Loaded> {
  const buffers = pieces.map((_, at) => (at === 0 ? name : `${name}-${at}`));
  const unload = async (): Promise<void> => void (await Promise.all(buffers.map((each) => deleteBuffer(env, each).catch(() => null))));
  try {
    for (const [at, piece] of pieces.entries()) await loadBuffer(env, buffers[at]!, piece);
  } catch (error) {
    await unload();
    throw error;
  }
  return { buffers, unload };
}

/**
 * How a pane must still be found when keys arrive: the same program, nothing of tmux in front of it and, for `cursor`, a composer as it was
 * seen.
 */
export interface Still {
  readonly pane: Pane;
  readonly cursor: boolean;
  /** Lines of its screen that must all still stand somewhere on it. */
  readonly lines?: readonly string[];
}

/** What the server says when a pane is not as it was seen. */
const CHANGED = "conveyor-pane-changed";

/** A message to the server holds no more than 16 KiB (MAX_IMSGSIZE), and the keys are to go into it, too. */
const MOST_WORDS = 8000;

/**
 * What the server is to look for, of a line each: its longest piece of ASCII, as a pattern of fnmatch in which whatever means anything to
 * tmux or to that is any one character. Without a star it is found in no time, whoever wrote the line.
 */
function patternsOf(lines: readonly string[]): string[] {
  let left = MOST_WORDS;
  return [...new Set(lines)].flatMap((line) => {
    const pieces = (line.match(/[ -~]+/g) ?? []).map((piece) => piece.trim());
    const longest = pieces.reduce((most, piece) => (piece.length > most.length ? piece : most), "");
    left -= longest.length + PRESENT("").length + 2;
    return longest === "" || left < 0 ? [] : [longest.replace(/[^\w ./=@+~<>&|!"'$()-]/g, "?")];
  });
}
const PRESENT = (pattern: string): string => `#{?#{C:${pattern}},1,0}`;

/**
 * Runs commands, each a list of words, if the pane is still as it was seen. The server itself looks, in the same step, so that nobody's
 * keys come in between: the name of an option is a format, and one that is no option's ends the sequence. False: it is not, and nothing was
 * done.
 */
async function ifStill(env: Env, { pane, cursor, lines = [] }: Still, ...commands: readonly (readonly string[])[]): Promise<boolean> {
  // A hidden one stands in the composer, and beside the choice of a page that asks; its composer does not move while a turn runs.
  const [format, place] = pane.cursorShown
    ? ["#{cursor_flag} #{cursor_x}", `1 ${pane.cursorX}`]
    : ["#{cursor_flag} #{cursor_x} #{cursor_y}", `0 ${pane.cursorX} ${pane.cursorY}`];
  const patterns = patternsOf(lines);
  const now = `#{pane_pid} #{pane_dead} #{pane_in_mode}${cursor ? ` ${format}` : ""} ${patterns.map(PRESENT).join("")}`;
  const seen = `${pane.pid} 0 0${cursor ? ` ${place}` : ""} ${"1".repeat(patterns.length)}`;
  const mark = "@conveyor-pane";
  const result = await tmuxResult(env, [
    "set-option",
    "-w",
    "-t",
    pane.paneId,
    `#{?#{==:${now},${seen}},${mark},${CHANGED}}`,
    "seen",
    NEXT,
    "set-option",
    "-w",
    "-u",
    "-t",
    pane.paneId,
    mark,
    ...commands.flatMap((words) => [NEXT, ...words]),
  ]);
  if (result.code === 0) return true;
  if (result.stderr.includes(CHANGED)) return false;
  throw new Failure(`tmux could not type: ${result.stderr.trim() || `exit ${result.code ?? "by signal"}`}`);
}

// A literal carriage return: some releases of tmux drop the named keys Enter and C-m and still exit 0.
const RETURN = "\r";
const returnKey = (paneId: string, literal = RETURN): string[] => ["send-keys", "-t", paneId, "-l", "--", literal];

/**
 * Pastes each buffer as one bracketed paste, so that its newlines do not submit, deletes it and presses Enter, if the pane is still as it
 * was seen; false when it is not.
 * @param literal what submits in place of Enter
 */
export const pasteAndSubmit = (env: Env, buffers: readonly string[], still: Still, literal = RETURN): Promise<boolean> =>
  ifStill(
    env,
    still,
    ...buffers.map((buffer) => ["paste-buffer", "-p", "-d", "-b", buffer, "-t", still.pane.paneId]),
    returnKey(still.pane.paneId, literal),
  );

/** Presses Enter, or what submits in place of it, if the pane is still as it was seen; false when it is not. */
export const submit = (env: Env, still: Still, literal = RETURN): Promise<boolean> =>
  ifStill(env, still, returnKey(still.pane.paneId, literal));

/** Presses named keys such as `Escape` or `C-c`, if the pane is still as it was seen; false when it is not. */
export const press = (env: Env, still: Still, ...keys: readonly string[]): Promise<boolean> =>
  ifStill(env, still, ["send-keys", "-t", still.pane.paneId, "--", ...keys]);

/** Deletes the buffer if it is still there. */
export const deleteBuffer = (env: Env, buffer: string): Promise<Ran> => tmuxResult(env, ["delete-buffer", "-b", buffer]);

/**
 * Deletes buffers whose name begins with `prefix` and that are older than `seconds`: who made them is gone. Never throws; without tmux
 * there are none.
 */
export async function dropOldBuffers(env: Env, prefix: string, seconds: number, nowMs: number): Promise<void> {
  const listed = await tmuxResult(env, ["list-buffers", "-F", "#{buffer_created} #{buffer_name}"]).catch(() => null);
  for (const line of listed?.stdout.split("\n") ?? []) {
    const [created = "", name = ""] = line.split(" ");
    if (name.startsWith(prefix) && nowMs - Number(created) * 1000 > seconds * 1000) await deleteBuffer(env, name).catch(() => null);
  }
}

/** Presses Enter, whatever is there. */
export const sendReturn = (env: Env, target: string): Promise<string> => tmux(env, returnKey(paneTarget(target)));

/** Leaves copy mode or any other mode, so that keys reach the program again. Nothing happens when there is none. */
export async function leaveMode(env: Env, target: string): Promise<void> {
  const left = await tmuxResult(env, ["copy-mode", "-q", "-t", paneTarget(target)]);
  if (left.code !== 0) await tmuxResult(env, ["send-keys", "-t", paneTarget(target), "-X", "cancel"]);
}
