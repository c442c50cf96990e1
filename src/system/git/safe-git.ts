/** git in a folder that is not trusted: it reads, writes nothing, fetches nothing, and runs no program that the repository names. */
import { childEnv, type Env, which } from "../processes/environment.ts";
import { type Ran, runProgram } from "../processes/run.ts";

export interface SafeGit {
  /** The words in front of a command's own. */
  readonly argv: readonly string[];
  readonly env: Record<string, string>;
  run(words: readonly string[], cwd?: string): Promise<Ran>;
}

/** Flags for every diff: no program for it, and none inside a submodule either, of which only the commit is compared. */
export const SAFE_DIFF: readonly string[] = ["--no-ext-diff", "--no-textconv", "--no-color", "--ignore-submodules=dirty"];

const FLAGS = ["--no-pager", "-c", "core.fsmonitor=false"];

/** Nothing of the caller's git leaks in. */
const cleanEnv = (env: Env): Record<string, string> => ({
  ...Object.fromEntries(Object.entries(childEnv(env)).filter(([name]) => !name.startsWith("GIT_"))),
  GIT_OPTIONAL_LOCKS: "0",
  GIT_TERMINAL_PROMPT: "0",
  GIT_NO_LAZY_FETCH: "1",
  LC_ALL: "C",
});

/** Drivers that the repository itself configures, from `git config --show-scope --name-only -z`: scope and name by turns. */
function ownFilters(text: string): string[] {
  const words = text.split("\0");
  const drivers = words.flatMap((scope, at) => {
    const name = at % 2 === 0 && ["local", "worktree"].includes(scope) ? /^filter\.(.*)\.[^.]*$/s.exec(words[at + 1] ?? "") : null;
    return name ? [name[1]!] : [];
  });
  return [...new Set(drivers)];
}

/** Settings over those of the repository, in the environment, where a name may hold any character. */
function withoutFilters(drivers: readonly string[]): Record<string, string> {
  const settings = drivers.flatMap((driver) => [
    ...["clean", "smudge", "process"].map((key) => [`filter.${driver}.${key}`, ""]),
    [`filter.${driver}.required`, "false"],
  ]);
  return Object.fromEntries([
    ["GIT_CONFIG_COUNT", String(settings.length)],
    ...settings.flatMap(([key, value], at) => [
      [`GIT_CONFIG_KEY_${at}`, key!],
      [`GIT_CONFIG_VALUE_${at}`, value!],
    ]),
  ]);
}

/** git for one folder. @returns why there is none, in words, when git is missing or its configuration cannot be read */
export async function safeGit(env: Env, folder: string, timeoutMs: number): Promise<SafeGit | string> {
  const path = which("git", env);
  if (path === null) return "git is not on PATH";
  const clean = cleanEnv(env);
  const argv = [path, ...FLAGS];
  const named = await runProgram([...argv, "config", "--show-scope", "--name-only", "-z", "--get-regexp", "^filter\\."], {
    env: clean,
    cwd: folder,
    timeoutMs,
  });
  // 1: there are none.
  if (named.code !== 0 && named.code !== 1) return named.stderr.trim().slice(-500) || "git gave no answer";
  const safe = { ...clean, ...withoutFilters(ownFilters(named.stdout)) };
  return { argv, env: safe, run: (words, cwd = folder) => runProgram([...argv, ...words], { env: safe, cwd, timeoutMs }) };
}
