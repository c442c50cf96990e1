/** Runs short-lived programs of others: an argument list (never a shell line), an explicit environment, a time limit. */

import { signalGroup } from "./process-group.ts";

/** The environment as commands are given it; undefined members are absent. */
export type Env = Readonly<Record<string, string | undefined>>;

export interface ChildResult {
  /** Exit status; null when a signal ended it, the time ran out or it could not be started. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
  /** The program is not on PATH, or cannot be executed. */
  readonly missing: boolean;
}

/** Names that must never reach a child: what npm leaves behind steers Node programs, what Bun reads steers this very binary. */
const isForeignName = (name: string): boolean =>
  /^(npm|NPM)_/.test(name) || name === "PNPM_SCRIPT_SRC_DIR" || name === "BUN_OPTIONS" || name === "BUN_BE_BUN";

/** Those of `names` that a launched agent must not see, each once. */
export const foreignNames = (names: Iterable<string>): string[] => [...new Set(names)].filter(isForeignName).sort();

/** A copy of `env` without undefined members and without the names of {@link foreignNames}. */
export function childEnv(env: Env): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) if (value !== undefined && !isForeignName(name)) result[name] = value;
  return result;
}

/** Absolute path of `program` on the PATH of `env`, or null. */
export const which = (program: string, env: Env): string | null => Bun.which(program, { PATH: env.PATH ?? "" });

const MOST_BYTES = 1 << 20;

/** What the stream gives, to its end or to the limit; then `flooded` is called. */
async function readText(stream: ReadableStream<Uint8Array>, flooded: () => void): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    bytes += chunk.length;
    if (bytes > MOST_BYTES) {
      flooded();
      break;
    }
  }
  return text;
}

/**
 * Runs `argv` to its end and gives what it printed. Never throws for what the program does.
 * @param options.stdin bytes for its standard input, else empty; @param options.timeoutMs after which it is killed (5 s)
 * @param options.guarded it was chosen by somebody else: when it prints more than 1 MiB it is killed, and with it or with us ends all that
 * it started
 */
export async function runChild(
  argv: readonly string[],
  options: { env: Env; cwd?: string; stdin?: string; timeoutMs?: number; guarded?: boolean },
): Promise<ChildResult> {
  const [program = "", ...rest] = argv;
  const path = program.includes("/") ? program : which(program, options.env);
  const nothing = { code: null, stdout: "", stderr: "", timedOut: false, missing: true };
  if (path === null) return nothing;
  let timedOut = false;
  let giveUp = (): void => {};
  const stopped = new Promise<[string, string]>((resolve) => (giveUp = () => resolve(["", ""])));
  try {
    const child = Bun.spawn([path, ...rest], {
      env: childEnv(options.env),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      stdin: options.stdin === undefined ? "ignore" : new Blob([options.stdin]),
      stdout: "pipe",
      stderr: "pipe",
      // Ctrl-C in our terminal is for us: it must not cut off what is being typed into somebody else's in the middle.
      detached: true,
    });
    const end = (): void => signalGroup(child.pid, "SIGKILL");
    const timer = setTimeout(() => {
      timedOut = true;
      end();
      giveUp();
    }, options.timeoutMs ?? 5000);
    const interrupted = (): void => {
      end();
      process.exit(130);
    };
    if (options.guarded) {
      process.once("SIGINT", interrupted).once("SIGTERM", interrupted);
      void child.exited.then(end);
    }
    const read = (stream: ReadableStream<Uint8Array>): Promise<string> =>
      options.guarded ? readText(stream, end) : new Response(stream).text();
    try {
      // A grandchild may hold the pipes open after the program itself was killed: then its output is not waited for.
      const [stdout, stderr] = await Promise.race([Promise.all([read(child.stdout), read(child.stderr)]), stopped]);
      await child.exited;
      return { code: child.signalCode === null ? child.exitCode : null, stdout, stderr, timedOut, missing: false };
    } finally {
      clearTimeout(timer);
      process.off("SIGINT", interrupted).off("SIGTERM", interrupted);
    }
  } catch (error) {
    return { ...nothing, stderr: error instanceof Error ? error.message : String(error) };
  }
}
