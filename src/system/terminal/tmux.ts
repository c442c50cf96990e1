/** tmux by short-lived commands with exact targets. Every call has a time limit. */
import { Failure } from "../../core/failure.ts";
import { type Env, which } from "../processes/environment.ts";
import { type Ran, runProgram } from "../processes/run.ts";

const deniedWords = /operation not permitted|permission denied|not authori[sz]ed/i;
/** `no current target`: the server is on its way out and has no session any more. */
export const noServerWords = /no server running|error connecting to|lost server|server exited unexpectedly|no current target/i;

/** Between two commands that tmux runs as one; no word of anybody can equal it. */
export const NEXT = "\0";

const noTmux = (): Failure =>
  new Failure("tmux is not on PATH", { hint: "install tmux (for instance: apt-get install tmux, brew install tmux)" });

/** @throws Failure when tmux is not on PATH */
export function needTmux(env: Env): void {
  if (which("tmux", env) === null) throw noTmux();
}

async function attempt(env: Env, args: readonly string[], options: { stdin?: string; timeoutMs?: number }): Promise<Ran> {
  // -u: without it tmux replaces every character beyond ASCII where the locale does not say UTF-8.
  // A word that ends in a semicolon would end the command there.
  const result = await runProgram(["tmux", "-u", ...args.map((word) => (word === NEXT ? ";" : word.replace(/;$/, "\\;")))], {
    env,
    timeoutMs: 10_000,
    // The server that a first call starts is nobody's child.
    leaveRest: true,
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
export async function tmuxResult(env: Env, args: readonly string[], options: { stdin?: string; timeoutMs?: number } = {}): Promise<Ran> {
  const result = await attempt(env, args, options);
  // TMUX may be inherited from a server that is long gone (a shared daemon keeps its first environment).
  if (result.code === 0 || !env.TMUX || !noServerWords.test(result.stderr)) return result;
  return attempt({ ...env, TMUX: undefined }, args, options);
}

/** Runs one tmux command and gives what it prints. @throws Failure when it fails */
export async function tmux(env: Env, args: readonly string[], options: { stdin?: string } = {}): Promise<string> {
  const result = await tmuxResult(env, args, options);
  if (result.code === 0) return result.stdout;
  throw new Failure(`tmux ${args[0]} failed: ${result.stderr.trim() || `exit ${result.code ?? "by signal"}`}`);
}

/** A pane id (`%12`) names itself; anything else is a session name, never a prefix or a pattern. */
export const isPaneId = (target: string): boolean => /^%\d+$/.test(target);
export const sessionTarget = (name: string): string => (isPaneId(name) ? name : `=${name}`);
export const paneTarget = (target: string): string => (isPaneId(target) ? target : `=${target}:`);

/** `tmux -V` in words, or null. */
export async function tmuxVersion(env: Env): Promise<string | null> {
  const result = await runProgram(["tmux", "-V"], { env });
  return result.code === 0 ? result.stdout.trim() : null;
}
