/** A private world for one test: folders, state root, tmux server, steady clock and ids, and the program run inside this process. */
import { Database } from "bun:sqlite";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { type Context, makeContext } from "../src/context.ts";
import { run } from "../src/run.ts";
import type { Store } from "../src/store/store.ts";

export interface Outcome {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout as JSON. */
  json<T = any>(): T;
}

export interface RunOptions {
  readonly stdin?: string | Uint8Array;
  readonly env?: Record<string, string | undefined>;
  readonly cwd?: string;
  /** stdin is a terminal. */
  readonly tty?: boolean;
  /** stdout is a terminal. */
  readonly ttyOut?: boolean;
  /** stderr is a terminal. */
  readonly ttyErr?: boolean;
}

const ROOT = resolve(import.meta.dir, "..");
export const BINARY = join(ROOT, "dist", "conveyor");
export const FIXTURES = join(import.meta.dir, "fixtures");

/** Splits a command line at blanks; quotes keep blanks together. */
export const words = (line: string): string[] => [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map((m) => m[1] ?? m[2] ?? m[3]!);

export class World {
  readonly dir = mkdtempSync(join(tmpdir(), "conveyor-test-"));
  readonly work = join(this.dir, "work");
  readonly stateRoot = join(this.dir, "state");
  readonly dbPath = join(this.stateRoot, "workerctl.db");
  readonly env: Record<string, string>;
  /** Milliseconds; moves on by one at every look, so that order can be seen. Set it to jump. */
  clock = Date.parse("2026-01-02T03:04:05.000Z");
  /** Real time instead of the steady clock, for tests with live processes. */
  realTime = false;
  /** By how many milliseconds real time is ahead here, for tests that jump to when something is over. */
  ahead = 0;
  private serial = 0;
  private readonly stores: Context[] = [];
  private kept: Store | undefined;

  constructor() {
    for (const sub of ["work", "home", "codex", "tmux"]) mkdirSync(join(this.dir, sub));
    this.env = {
      PATH: `${join(ROOT, "node_modules", ".bin")}:${process.env.PATH ?? "/usr/bin:/bin"}`,
      HOME: join(this.dir, "home"),
      CODEX_HOME: join(this.dir, "codex"),
      TMUX_TMPDIR: join(this.dir, "tmux"),
      WORKERCTL_STATE_ROOT: this.stateRoot,
      TZ: "UTC",
      LANG: "C.UTF-8",
      TERM: "xterm-256color",
      NO_COLOR: "1",
    };
  }

  /** A context as a command gets it; what it prints goes to `sink`. */
  context(options: RunOptions = {}, sink: (stream: "out" | "err", text: string) => void = () => {}): Context {
    const env: Record<string, string | undefined> = { ...this.env, ...options.env };
    const cx = makeContext({
      env,
      cwd: options.cwd ?? this.work,
      argv0: "conveyor",
      tty: { in: options.tty ?? false, out: options.ttyOut ?? false, err: options.ttyErr ?? false },
      write: sink,
      readStdin: (most) =>
        (typeof options.stdin === "string" ? new TextEncoder().encode(options.stdin) : (options.stdin ?? new Uint8Array())).subarray(
          0,
          most,
        ),
      clock: () => (this.realTime ? Date.now() + this.ahead : this.clock++),
      uuid: () => (this.realTime ? crypto.randomUUID() : `00000000-0000-4000-8000-${String(++this.serial).padStart(12, "0")}`),
    });
    this.stores.push(cx);
    const { kept } = this;
    return kept ? { ...cx, store: () => kept, close: () => {} } : cx;
  }

  /** From now on all commands use one open connection, and nothing is synced: for thousands of them, a quarter of the time. */
  keepOpen(): Store {
    this.kept = this.store();
    this.kept.db.run("pragma synchronous = off");
    return this.kept;
  }

  /** Runs one command in this process. A text is split at blanks, a list is taken as it is. */
  async run(line: string | readonly string[], options: RunOptions = {}): Promise<Outcome> {
    let stdout = "";
    let stderr = "";
    const cx = this.context(options, (stream, text) => {
      if (stream === "out") stdout += text;
      else stderr += text;
    });
    const exit = await run(typeof line === "string" ? words(line) : line, cx);
    return { exit, stdout, stderr, json: () => JSON.parse(stdout) };
  }

  /** Runs a command that must succeed and gives its JSON. */
  async ok<T = any>(line: string | readonly string[], options: RunOptions = {}): Promise<T> {
    const done = await this.run(line, options);
    if (done.exit !== 0) throw new Error(`${JSON.stringify(line)} ended with ${done.exit}: ${done.stderr}`);
    return (done.stdout.trim() === "" ? undefined : /^[[{n]/.test(done.stdout) ? done.json() : done.stdout) as T;
  }

  /** Runs the compiled program. */
  binary(argv: readonly string[], options: RunOptions & { binary?: string } = {}): Outcome {
    const env = Object.fromEntries(Object.entries({ ...this.env, ...options.env }).filter(([, value]) => value !== undefined)) as Record<
      string,
      string
    >;
    const done = Bun.spawnSync([options.binary ?? BINARY, ...argv], {
      env,
      cwd: options.cwd ?? this.work,
      stdin: typeof options.stdin === "string" ? new TextEncoder().encode(options.stdin) : (options.stdin ?? new Uint8Array()),
      stdout: "pipe",
      stderr: "pipe",
    });
    const stdout = done.stdout.toString();
    return { exit: done.exitCode, stdout, stderr: done.stderr.toString(), json: () => JSON.parse(stdout) };
  }

  /** The open database, created when missing. */
  store(): Store {
    return this.context().store();
  }

  /** Rows of a query on the database file, through a connection of its own. */
  rows<T = Record<string, unknown>>(sql: string, ...parameters: (string | number | null)[]): T[] {
    const db = new Database(this.dbPath);
    try {
      // After a process that was killed the first to come puts the file right, and locks it for that long.
      db.run("pragma busy_timeout = 5000");
      return db.query(sql).all(...parameters) as T[];
    } finally {
      db.close();
    }
  }

  /** Writes a file below the world's folder and gives its path. */
  async file(path: string, content: string | Uint8Array): Promise<string> {
    const full = join(this.dir, path);
    mkdirSync(dirname(full), { recursive: true });
    await Bun.write(full, content);
    return full;
  }

  close(): void {
    for (const cx of this.stores) cx.close();
    if (existsSync(join(this.dir, "tmux"))) Bun.spawnSync(["tmux", "kill-server"], { env: this.env, stdout: "ignore", stderr: "ignore" });
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/**
 * Waits until `look` gives something true; fails with `what` after `seconds`. For facts of other processes.
 * @param what what is awaited, or how to tell it once it did not come
 */
export async function until<T>(
  what: string | (() => string),
  look: () => T | Promise<T>,
  seconds = 20,
): Promise<Exclude<NonNullable<T>, false>> {
  const begin = performance.now();
  for (;;) {
    const seen = await look();
    if (seen) return seen as Exclude<NonNullable<T>, false>;
    const waited = performance.now() - begin;
    if (waited > seconds * 1000) throw new Error(`not seen within ${seconds} s: ${typeof what === "string" ? what : what()}`);
    // A look may read every process of the machine: the longer it takes, the less often.
    await Bun.sleep(Math.min(150, 10 + waited / 10));
  }
}

/** Ends processes by SIGKILL. The end of one of them, or of their terminal, may already have been another's. */
export function strike(...pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}
