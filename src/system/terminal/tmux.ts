/** tmux by short-lived commands with exact targets: sessions, panes, screens, keys. Every call has a time limit. */
import { Failure } from "../../core/failure.ts";
import { type ChildResult, type Env, foreignNames, runChild, which } from "../processes/child.ts";

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
  /** The program shows the cursor: keys go into a text. */
  readonly cursorShown: boolean;
  /** The active pane of the current window of its session. */
  readonly current: boolean;
  /** How many terminals look at the session. */
  readonly attached: number;
}

const deniedWords = /operation not permitted|permission denied|not authori[sz]ed/i;
/** `no current target`: the server is on its way out and has no session any more. */
const noServerWords = /no server running|error connecting to|lost server|server exited unexpectedly|no current target/i;

/** Between two commands that tmux runs as one; no word of anybody can equal it. */
export const NEXT = "\0";

const noTmux = (): Failure =>
  new Failure("tmux is not on PATH", { hint: "install tmux (for instance: apt-get install tmux, brew install tmux)" });

/** @throws Failure when tmux is not on PATH */
export function needTmux(env: Env): void {
  if (which("tmux", env) === null) throw noTmux();
}

async function attempt(env: Env, args: readonly string[], options: { stdin?: string; timeoutMs?: number }): Promise<ChildResult> {
  // -u: without it tmux replaces every character beyond ASCII where the locale does not say UTF-8.
  // A word that ends in a semicolon would end the command there.
  const result = await runChild(["tmux", "-u", ...args.map((word) => (word === NEXT ? ";" : word.replace(/;$/, "\\;")))], {
    env,
    timeoutMs: 10_000,
    ...options,
  });
  if (result.missing) {
    throw noTmux();
  }
  if (result.timedOut) throw new Failure(`tmux ${args[0]} gave no answer in time`, { hint: "tmux list-sessions" });
  if (result.code !== 0 && deniedWords.test(result.stderr)) {
    throw new Failure(`the system denied tmux access: ${result.stderr.trim()}`, { hint: "run it from a terminal that has access to tmux" });
  }
  return result;
}

/** Runs one tmux command and gives its result whatever its exit code. Throws only when tmux is absent, denied or hangs. */
export async function tmuxResult(
  env: Env,
  args: readonly string[],
  options: { stdin?: string; timeoutMs?: number } = {},
): Promise<ChildResult> {
  const result = await attempt(env, args, options);
  // TMUX may be inherited from a server that is long gone (a shared daemon keeps its first environment).
  if (result.code === 0 || !env.TMUX || !noServerWords.test(result.stderr)) return result;
  return attempt({ ...env, TMUX: undefined }, args, options);
}

async function tmux(env: Env, args: readonly string[], options: { stdin?: string } = {}): Promise<string> {
  const result = await tmuxResult(env, args, options);
  if (result.code === 0) return result.stdout;
  throw new Failure(`tmux ${args[0]} failed: ${result.stderr.trim() || `exit ${result.code ?? "by signal"}`}`);
}

/** A pane id (`%12`) names itself; anything else is a session name, never a prefix or a pattern. */
export const isPaneId = (target: string): boolean => /^%\d+$/.test(target);
const sessionTarget = (name: string): string => (isPaneId(name) ? name : `=${name}`);
const paneTarget = (target: string): string => (isPaneId(target) ? target : `=${target}:`);

/** Whether a session of exactly this name (or a pane of this id) exists. */
export async function hasSession(env: Env, name: string): Promise<boolean> {
  // has-session takes a pane id that does not exist for the current session: ask the list instead.
  if (isPaneId(name)) return (await listPanes(env)).some((pane) => pane.paneId === name);
  return (await tmuxResult(env, ["has-session", "-t", sessionTarget(name)])).code === 0;
}

const paneFormat =
  "#{pane_id} #{pane_pid} #{pane_dead} #{?pane_in_mode,#{pane_mode},-} #{pane_width} #{pane_height} #{cursor_x} #{cursor_flag} " +
  "#{?#{&&:#{pane_active},#{window_active}},1,0} #{session_attached} #{session_name}";

/** Every pane of the server in tmux's order; empty when no server runs. */
export async function listPanes(env: Env): Promise<Pane[]> {
  const result = await tmuxResult(env, ["list-panes", "-a", "-F", paneFormat]);
  if (result.code !== 0) {
    if (noServerWords.test(result.stderr)) return [];
    throw new Failure(`tmux list-panes failed: ${result.stderr.trim()}`);
  }
  return result.stdout.split("\n").flatMap((line) => {
    const [paneId, pid, dead, mode, width, height, cursorX, cursorShown, current, attached, ...name] = line.split(" ");
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
      cursorShown: cursorShown === "1",
      current: current === "1",
      attached: Number(attached),
    };
  });
}

/**
 * The text of a pane: `lines` of history above the visible screen (0: the screen alone), trailing newlines kept.
 * `styled` keeps the escape sequences, which tell a placeholder from typed text.
 */
export const capturePane = (env: Env, target: string, lines: number, styled = false): Promise<string> =>
  tmux(env, ["capture-pane", "-p", ...(styled ? ["-e"] : []), "-t", paneTarget(target), "-S", lines > 0 ? `-${lines}` : "0"]);

/** Text as it is where tmux expands formats: `#(…)` would be run by a shell. In front of `[` tmux leaves every # alone. */
const unexpanded = (text: string): string => text.replace(/#+(?![#[])/g, (marks) => marks + marks);

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
 * Starts `argv` in a detached session of its own, as it is, without a shell, and gives its pane.
 * @param options.environment variables set over those of the server; @param options.keepDead the pane outlives its program, to be read
 */
export async function newSession(
  env: Env,
  options: {
    name: string;
    cwd: string;
    argv: readonly string[];
    environment?: Record<string, string>;
    keepDead?: boolean;
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
    "#{pane_id} #{pane_pid}",
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
    ...(options.keepDead ? [NEXT, "set-option", "-w", "-t", `=${options.name}:`, "remain-on-exit", "on"] : []),
  ]);
  const [paneId = "", pid = ""] = out.trim().split(" ");
  return { paneId, pid: Number(pid) };
}

/** Whether the pane stays, to be read, when its program ends. */
export const keepDeadPane = (env: Env, target: string, keep: boolean): Promise<string> =>
  tmux(env, ["set-option", "-w", "-t", paneTarget(target), "remain-on-exit", keep ? "on" : "off"]);

/** Puts `text` into a paste buffer of this name; the text travels by standard input. */
export const loadBuffer = (env: Env, buffer: string, text: string): Promise<string> =>
  tmux(env, ["load-buffer", "-b", buffer, "-"], { stdin: text });

/**
 * How a pane must still be found when keys arrive: the same program, nothing of tmux in front of it and, for `cursor`, a composer as it was
 * seen.
 */
export interface Still {
  readonly pane: Pane;
  readonly cursor: boolean;
}

/** What the server says when a pane is not as it was seen. */
const CHANGED = "conveyor-pane-changed";

/**
 * Runs commands, each a list of words, if the pane is still as it was seen. The server itself looks, in the same step, so that nobody's
 * keys come in between: the name of an option is a format, and one that is no option's ends the sequence. False: it is not, and nothing was
 * done.
 */
async function ifStill(env: Env, { pane, cursor }: Still, ...commands: readonly (readonly string[])[]): Promise<boolean> {
  const now = `#{pane_pid} #{pane_dead} #{pane_in_mode}${cursor ? " #{cursor_flag} #{cursor_x}" : ""}`;
  const seen = `${pane.pid} 0 0${cursor ? ` ${pane.cursorShown ? 1 : 0} ${pane.cursorX}` : ""}`;
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
const returnKey = (paneId: string): string[] => ["send-keys", "-t", paneId, "-l", "--", "\r"];

/**
 * Pastes each buffer as one bracketed paste, so that its newlines do not submit, deletes it and presses Enter, if the pane is still as it
 * was seen; false when it is not.
 */
export const pasteAndSubmit = (env: Env, buffers: readonly string[], still: Still): Promise<boolean> =>
  ifStill(
    env,
    still,
    ...buffers.map((buffer) => ["paste-buffer", "-p", "-d", "-b", buffer, "-t", still.pane.paneId]),
    returnKey(still.pane.paneId),
  );

/** Presses Enter if the pane is still as it was seen; false when it is not. */
export const submit = (env: Env, still: Still): Promise<boolean> => ifStill(env, still, returnKey(still.pane.paneId));

/** Presses named keys such as `Escape` or `C-c`, if the pane is still as it was seen; false when it is not. */
export const press = (env: Env, still: Still, ...keys: readonly string[]): Promise<boolean> =>
  ifStill(env, still, ["send-keys", "-t", still.pane.paneId, "--", ...keys]);

/** Deletes the buffer if it is still there. */
export const deleteBuffer = (env: Env, buffer: string): Promise<ChildResult> => tmuxResult(env, ["delete-buffer", "-b", buffer]);

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

/** Ends the session of exactly this name; false when it was not there. */
export const killSession = async (env: Env, name: string): Promise<boolean> =>
  (await tmuxResult(env, ["kill-session", "-t", sessionTarget(name)])).code === 0;

/** Ends one pane by its id; false when it was not there. */
export const killPane = async (env: Env, paneId: string): Promise<boolean> =>
  (await tmuxResult(env, ["kill-pane", "-t", paneId])).code === 0;

/** `tmux -V` in words, or null. */
export async function tmuxVersion(env: Env): Promise<string | null> {
  const result = await runChild(["tmux", "-V"], { env });
  return result.code === 0 ? result.stdout.trim() : null;
}
