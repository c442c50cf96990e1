/**
 * The one way to run a program and to end it: an argument list (never a shell line), a process group of its own, no input that nobody
 * gave, limits on time and output, and an end that comes whatever the program does.
 */
import { closeSync } from "node:fs";
import { Failure } from "../../core/failure.ts";
import { childEnv, type Env, which } from "./environment.ts";
import { Collected, settle, within } from "./collected.ts";
import { groupLives, signalGroup } from "./process-group.ts";

/** How a program is started. What is not named is closed to it. */
export interface StartOptions {
  readonly env: Env;
  readonly cwd?: string | undefined;
  /** `pipe`: we write to it as we go; a text is given whole; else it reads its end at once. */
  readonly stdin?: "pipe" | { readonly text: string | Uint8Array<ArrayBuffer> } | undefined;
  /** A number is an open file of ours. */
  readonly stdout?: "pipe" | number | undefined;
  readonly stderr?: "pipe" | number | undefined;
  /** Its descriptor 3 is a pipe to us. */
  readonly channel?: boolean | undefined;
  /** A pseudo-terminal of its own in place of the three streams. */
  readonly terminal?: Bun.TerminalOptions | undefined;
}

export interface End {
  /** Exit status; null when a signal ended it, or when it could not be ended. */
  readonly code: number | null;
  readonly signal: string | null;
  readonly durationMs: number;
}

/** A program that was started: it leads a process group, which is ended whole. */
export interface Program {
  readonly pid: number;
  readonly child: Bun.Subprocess<"ignore" | "pipe" | Blob, "ignore" | "pipe" | number, "ignore" | "pipe" | number>;
  readonly exited: Promise<End>;
  /**
   * Asks the whole group to end, and after the grace ends it. Comes back when nothing of the group lives, at the latest {@link REAP_MS}
   * after the grace. Further calls get the same end.
   * @param graceMs 0: at once
   */
  end(graceMs?: number, signal?: "SIGTERM" | "SIGHUP"): Promise<End>;
  /** It goes on when this process has ended. */
  leave(): void;
}

/** What a failed program leaves to be told. */
interface Facts {
  readonly command: readonly string[];
  readonly folder: string | null;
  readonly code: number | null;
  readonly signal: string | null;
  readonly durationMs: number;
}

/** A program that could not be started, or did not do what it was run for. */
export class ProgramFailure extends Failure implements Facts {
  readonly command: readonly string[];
  readonly folder: string | null;
  readonly code: number | null;
  readonly signal: string | null;
  readonly durationMs: number;

  constructor(message: string, facts: Facts, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options);
    this.command = facts.command;
    this.folder = facts.folder;
    this.code = facts.code;
    this.signal = facts.signal;
    this.durationMs = facts.durationMs;
  }
}

/** Between asking a program to end and ending it. */
const GRACE_MS = 1000;
/** How long a killed program may take to be gone: one that hangs in the kernel (a dead file system) is not waited for. */
const REAP_MS = 2000;
/** Between two looks at a group whose leader has gone: nothing tells when the rest of it ends. */
const LOOK_MS = 20;
const LIMIT_MS = 5000;
const MOST_BYTES = 64 << 20;

/** Starts `argv`. @throws ProgramFailure when there is no such program, or it cannot be started */
export function startProgram(argv: readonly string[], options: StartOptions): Program {
  const [name = "", ...rest] = argv;
  const facts = { command: argv, folder: options.cwd ?? null, code: null, signal: null, durationMs: 0 };
  const path = name.includes("/") ? name : which(name, options.env);
  if (path === null) throw new ProgramFailure(`${name} is not on PATH`, facts);
  const began = performance.now();
  const { stdin, stdout = "ignore", stderr = "ignore" } = options;
  let child: Program["child"];
  try {
    const input = stdin === undefined ? "ignore" : stdin === "pipe" ? stdin : new Blob([stdin.text]);
    child = Bun.spawn([path, ...rest], {
      env: childEnv(options.env),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.terminal
        ? { terminal: options.terminal }
        : { stdio: [input, stdout, stderr, ...(options.channel ? ["pipe" as const] : [])] }),
      // A session and a group of its own: Ctrl-C in our terminal is for us. It must not cut off in the middle what is being typed into
      // somebody else's, and what the program starts in turn is ended with it.
      detached: true,
    });
  } catch (error) {
    throw new ProgramFailure(`${name} could not be started: ${(error as Error).message}`, facts, { cause: error });
  }
  const { pid } = child;
  const exited = child.exited.then((): End => ({
    code: child.signalCode === null ? child.exitCode : null,
    signal: child.signalCode === null ? null : String(child.signalCode),
    durationMs: Math.round(performance.now() - began),
  }));
  let ending: Promise<End> | undefined;
  const end = async (graceMs: number, signal: "SIGTERM" | "SIGHUP"): Promise<End> => {
    if (graceMs > 0 && groupLives(pid)) {
      signalGroup(pid, signal);
      const deadline = performance.now() + graceMs;
      // The leader may be a script around the program: its end is not the end.
      await within(graceMs, exited);
      while (groupLives(pid) && performance.now() < deadline) await Bun.sleep(LOOK_MS);
    }
    signalGroup(pid, "SIGKILL");
    const gone = await within(REAP_MS, exited);
    return gone ? exited : { code: null, signal: null, durationMs: Math.round(performance.now() - began) };
  };
  return {
    pid,
    child,
    exited,
    end: (graceMs = GRACE_MS, signal = "SIGTERM") => (ending ??= end(graceMs, signal)),
    leave: () => child.unref(),
  };
}

export interface RunOptions {
  readonly env: Env;
  readonly cwd?: string | undefined;
  /** Its whole input; else none. Bytes: what may be no UTF-8, such as names of files. */
  readonly stdin?: string | Uint8Array<ArrayBuffer> | undefined;
  /** 5 s unless named. */
  readonly timeoutMs?: number | undefined;
  /** From asking it to end until it is ended, when it ran over a limit. 0: no asking. */
  readonly graceMs?: number | undefined;
  /** Bytes on one stream after which it is ended; 64 MiB unless named. */
  readonly mostBytes?: number | undefined;
  /** `latin1`: one character for each byte, for names that may be of any bytes. */
  readonly encoding?: "utf-8" | "latin1" | undefined;
  /** What it started and left running goes on; else that ends with it. */
  readonly leaveRest?: boolean | undefined;
  /** It ends when this process is asked to end, which then ends at once: for what was chosen by somebody else. */
  readonly endsWithUs?: boolean | undefined;
  /** Its descriptor 3 is read too. */
  readonly channel?: boolean | undefined;
}

type NowOptions = Pick<RunOptions, "env" | "timeoutMs" | "mostBytes"> & { readonly cwd: string };

/** What a program did. */
export interface Ran extends Facts {
  readonly stdout: string;
  readonly stderr: string;
  /** What it wrote to its descriptor 3. */
  readonly notice: string;
  readonly timedOut: boolean;
  readonly flooded: boolean;
  /** It is not on PATH, or cannot be started; `stderr` tells why. */
  readonly missing: boolean;
}

/** What went wrong with it, in a few words: what it said last, or how it ended. */
export function troubleOf(ran: Ran): string {
  const after = `after ${(ran.durationMs / 1000).toFixed(1)} s`;
  if (ran.timedOut) return `it gave no answer and was ended ${after}`;
  if (ran.flooded) return `it printed too much and was ended ${after}`;
  return (
    ran.stderr.trim().slice(-500) || (ran.code === null ? `${ran.signal ?? "something"} ended it ${after}` : `it ended with ${ran.code}`)
  );
}

/** Runs `argv` to its end, or to its limits, and gives what it printed. Never throws for what the program does. */
export async function runProgram(argv: readonly string[], options: RunOptions): Promise<Ran> {
  const common = { command: argv, folder: options.cwd ?? null, notice: "", timedOut: false, flooded: false };
  let program: Program;
  try {
    const stdin = options.stdin === undefined ? undefined : { text: options.stdin };
    program = startProgram(argv, { env: options.env, cwd: options.cwd, stdin, stdout: "pipe", stderr: "pipe", channel: options.channel });
  } catch (error) {
    if (!(error instanceof ProgramFailure)) throw error;
    return { ...common, code: null, signal: null, durationMs: 0, stdout: "", stderr: error.message, missing: true };
  }
  let [timedOut, flooded] = [false, false];
  let ended = (_end: End): void => {};
  const stopped = new Promise<End>((resolve) => (ended = resolve));
  const stop = (): void => void program.end(options.graceMs).then(ended);
  const read = (stream: unknown): Collected =>
    new Collected(stream as ReadableStream<Uint8Array>, options.encoding ?? "utf-8", options.mostBytes ?? MOST_BYTES, () => {
      flooded = true;
      stop();
    });
  const timer = setTimeout(() => {
    timedOut = true;
    stop();
  }, options.timeoutMs ?? LIMIT_MS);
  const release = options.endsWithUs ? endWithUs(program) : () => {};
  const [stdout, stderr] = [read(program.child.stdout), read(program.child.stderr)];
  const channel = options.channel ? (program.child.stdio[3] as unknown as number) : null;
  const notice = channel === null ? null : read(Bun.file(channel).stream());
  const streams = notice === null ? [stdout, stderr] : [stdout, stderr, notice];
  try {
    const end = await Promise.race([program.exited, stopped]);
    if (!options.leaveRest) signalGroup(program.pid, "SIGKILL");
    if (streams.some((each) => each.open)) await settle(streams);
    const text = { stdout: stdout.text, stderr: stderr.text, notice: notice?.text ?? "" };
    return { ...common, ...end, ...text, timedOut, flooded, missing: false };
  } finally {
    clearTimeout(timer);
    if (channel !== null) closeSync(channel);
    release();
  }
}

function endWithUs(program: Program): () => void {
  const interrupted = (): void => {
    signalGroup(program.pid, "SIGKILL");
    process.exit(130);
  };
  process.once("SIGINT", interrupted).once("SIGTERM", interrupted);
  return () => void process.off("SIGINT", interrupted).off("SIGTERM", interrupted);
}

/**
 * Starts `argv` for good, with nothing of ours open, and waits a moment for it to fail.
 * @returns its exit code (1 when a signal ended it) when it ended within this time, or null when it goes on
 * @throws ProgramFailure when it cannot be started
 */
export async function startAndLeave(argv: readonly string[], env: Env, watchMs: number): Promise<number | null> {
  const program = startProgram(argv, { env });
  const ended = await within(watchMs, program.exited);
  program.leave();
  return ended ? ((await program.exited).code ?? 1) : null;
}

/** Starts `argv` for good, with nothing of ours open, and gives its pid; null when it could not be started. */
export function startBackground(argv: readonly string[], env: Env, cwd: string): number | null {
  try {
    const program = startProgram(argv, { env, cwd });
    program.leave();
    return program.pid;
  } catch {
    return null;
  }
}

/**
 * Runs `argv` to its end while nothing else happens here: for a question that has to be answered before there is anything to wait with.
 * It ends with all that it started. What takes long, prints much or is to leave something behind is not for this.
 * @returns `code` null: there is no whole answer, since there is no such program, a signal ended it, or it was cut at a limit, as when
 * something that it started held its output open
 */
export function runProgramNow(argv: readonly string[], options: NowOptions): { code: number | null; stdout: string } {
  const { env, cwd, timeoutMs: timeout = LIMIT_MS, mostBytes: maxBuffer = MOST_BYTES } = options;
  const path = which(argv[0]!, env);
  if (path === null) return { code: null, stdout: "" };
  try {
    const limits = { timeout, maxBuffer, killSignal: "SIGKILL" as const };
    const own = { env: childEnv(env), cwd, stdin: "ignore" as const, stderr: "ignore" as const, detached: true };
    const done = Bun.spawnSync([path, ...argv.slice(1)], { ...own, ...limits });
    // Bun ends the program alone at a limit, and waits for whoever holds the pipe until then: the exit status may well be a good one.
    signalGroup(done.pid, "SIGKILL");
    const cut = done.exitedDueToTimeout === true || done.exitedDueToMaxBuffer === true;
    return { code: cut || done.signalCode !== undefined ? null : done.exitCode, stdout: done.stdout.toString() };
  } catch {
    return { code: null, stdout: "" };
  }
}
