/** Runs a command to its end and keeps what it did: no shell, no input, both streams in the order in which they were printed. */
import { createHash } from "node:crypto";
import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { Failure } from "../../core/failure.ts";
import { type Env, which } from "./environment.ts";
import { signalGroup } from "./process-group.ts";
import { type End, startProgram } from "./run.ts";
import { onStop } from "./this-process.ts";

export interface Recording {
  readonly durationMs: number;
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  readonly outputBytes: number;
  readonly outputSha256: string;
  /** The last lines, without the codes that move a terminal's cursor or colour it. */
  readonly tail: string;
}

export interface RecordOptions {
  readonly env: Env;
  readonly cwd: string;
  /** Absent: as long as it takes. */
  readonly timeoutMs?: number | undefined;
  readonly tailLines: number;
  /** What it started and left running ends with it. */
  readonly endsRest?: boolean | undefined;
  /** Where its whole output is kept; absent: nowhere. */
  readonly keep?: string | undefined;
}

const TAIL_BYTES = 16 * 1024;
/** Between asking a command to end and ending it. */
const GRACE_MS = 3000;

/**
 * Runs `argv`. It gets a process group of its own, which is ended with it when the time runs out or this process is interrupted.
 * @throws Failure when it cannot be started, or when this process was asked to end meanwhile
 */
export async function recordRun(argv: readonly string[], options: RecordOptions): Promise<Recording> {
  const [program = "", ...rest] = argv;
  if (!statSync(options.cwd, { throwIfNoEntry: false })?.isDirectory()) throw new Failure(`there is no folder ${options.cwd}`);
  const path = program.includes("/") ? program : which(program, options.env);
  if (path === null) throw new Failure(`the command ${JSON.stringify(program)} is not on PATH`);
  const dir = mkdtempSync(join(tmpdir(), "conveyor-run-"));
  try {
    const fd = openSync(options.keep ?? join(dir, "output"), "ax+", 0o600);
    try {
      return await run([path, ...rest], fd, options);
    } finally {
      closeSync(fd);
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Runs what a person has typed as a line of a shell, as {@link recordRun} does. */
export const recordLine = (line: string, options: RecordOptions): Promise<Recording> => recordRun(["/bin/sh", "-c", line], options);

async function run(argv: readonly string[], fd: number, { env, cwd, timeoutMs, tailLines, endsRest }: RecordOptions): Promise<Recording> {
  const program = startProgram(argv, { env, cwd, stdout: fd, stderr: fd });
  let [timedOut, interrupted] = [false, false];
  let ended = (_end: End): void => {};
  const stopped = new Promise<End>((resolve) => (ended = resolve));
  const stop = (): void => void program.end(GRACE_MS).then(ended);
  const release = onStop(() => {
    interrupted = true;
    stop();
  });
  const expire = (): void => {
    timedOut = true;
    stop();
  };
  const timer = timeoutMs === undefined ? undefined : setTimeout(expire, timeoutMs);
  let end: End;
  try {
    end = await Promise.race([program.exited, stopped]);
    // The program has ended, and what it started may still be asked to: that is waited for, and then it is ended.
    if (timedOut || interrupted) end = await stopped;
    else if (endsRest) signalGroup(program.pid, "SIGKILL");
  } finally {
    clearTimeout(timer);
    release();
  }
  if (interrupted) throw new Failure("interrupted: the command was ended and nothing is recorded");
  return { durationMs: end.durationMs, exitCode: end.code, signal: end.signal, timedOut, ...outputOf(fd, tailLines) };
}

function outputOf(fd: number, tailLines: number): Pick<Recording, "outputBytes" | "outputSha256" | "tail"> {
  const { size } = fstatSync(fd);
  const hash = createHash("sha256");
  const part = Buffer.alloc(256 * 1024);
  let at = 0;
  while (at < size) {
    const read = readSync(fd, part, 0, Math.min(part.length, size - at), at);
    if (read === 0) break;
    hash.update(part.subarray(0, read));
    at += read;
  }
  const from = Math.max(0, at - TAIL_BYTES);
  const last = Buffer.alloc(at - from);
  readSync(fd, last, 0, last.length, from);
  const lines = stripVTControlCharacters(last.toString("utf8")).trimEnd().split("\n");
  // What the cut begins in the middle of is no line.
  const whole = from > 0 && lines.length > 1 ? lines.slice(1) : lines;
  return { outputBytes: at, outputSha256: hash.digest("hex"), tail: tailLines === 0 ? "" : whole.slice(-tailLines).join("\n") };
}
