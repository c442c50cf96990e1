/**
 * git in a folder that is not trusted: it reads, writes nothing, fetches nothing, and runs no program that the repository names. What could
 * run one (a look at files, whose filters, differences and monitors the configuration names) is asked of a repository of our own, which has
 * the objects of the other and neither its configuration nor its hooks: what is never read cannot be changed between two looks either.
 */
import { copyFileSync, lstatSync, mkdirSync, realpathSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { withScratch } from "../files/scratch.ts";
import { childEnv, type Env, which } from "../processes/environment.ts";
import { type Ran, runProgram, troubleOf } from "../processes/run.ts";
import { copySplitIndex, isPlainFile } from "./tree-files.ts";

interface GitOptions {
  readonly stdin?: string;
  readonly encoding?: "utf-8" | "latin1";
}

export interface SafeGit {
  /** The nearest folder above that holds a `.git`, whatever `core.worktree` says. */
  readonly root: string;
  /** Asks the repository itself: only for commands that look at names, objects and settings, never at files. */
  ask(words: readonly string[], options?: GitOptions): Promise<Ran>;
  /** Looks at files, with our own repository. */
  look(words: readonly string[], options?: GitOptions): Promise<Ran>;
}

/** Flags for every diff: no program for it, and none inside a submodule either, of which only the commit is compared. */
export const SAFE_DIFF: readonly string[] = ["--no-ext-diff", "--no-textconv", "--no-color", "--ignore-submodules=dirty"];

/** Over every configuration. None of these runs in what we ask; they are here for what a later git may come to do. */
const FLAGS = [
  "--no-pager",
  ...["core.fsmonitor=false", "core.hooksPath=/dev/null", "core.sshCommand=false", "core.askPass=false", "credential.helper="].flatMap(
    (setting) => ["-c", setting],
  ),
];

/** Nothing of the caller's git leaks in. */
export const cleanEnv = (env: Env): Record<string, string> => ({
  ...Object.fromEntries(Object.entries(childEnv(env)).filter(([name]) => !name.startsWith("GIT_") || name === "GIT_CONFIG_NOSYSTEM")),
  GIT_OPTIONAL_LOCKS: "0",
  GIT_TERMINAL_PROMPT: "0",
  GIT_NO_LAZY_FETCH: "1",
  GIT_ALLOW_PROTOCOL: "none",
  GIT_NO_REPLACE_OBJECTS: "1",
  LC_ALL: "C",
});

/** The nearest folder from here up that holds a `.git`; null when there is none. */
function rootOf(folder: string): string | null {
  let here: string;
  try {
    here = realpathSync(folder);
  } catch {
    return null;
  }
  for (;;) {
    if (lstatSync(join(here, ".git"), { throwIfNoEntry: false }) !== undefined) return here;
    if (dirname(here) === here) return null;
    here = dirname(here);
  }
}

const MOST_BYTES = 512 << 20;

/**
 * Opens git for one folder, as long as `use` takes.
 * @returns what `use` gives, or why there is no git, in words: it is missing, or the folder lies in no repository that it can read
 */
export async function withSafeGit<T>(
  env: Env,
  folder: string,
  timeoutMs: number,
  use: (git: SafeGit) => Promise<T>,
): Promise<{ readonly value: T } | { readonly error: string }> {
  const path = which("git", env);
  if (path === null) return { error: "git is not on PATH" };
  const root = rootOf(folder);
  if (root === null) return { error: `${folder} is not a git repository` };
  // Not beyond the root: what lies above is another repository.
  const clean = { ...cleanEnv(env), GIT_CEILING_DIRECTORIES: dirname(root) };
  const git = (settings: Record<string, string>, words: readonly string[], options: GitOptions = {}) =>
    runProgram([path, ...FLAGS, ...words], {
      env: { ...clean, ...settings },
      cwd: root,
      timeoutMs,
      graceMs: 0,
      mostBytes: MOST_BYTES,
      ...options,
    });
  const ask: SafeGit["ask"] = (words, options) => git({}, words, options);
  const places = await ask(["rev-parse", "--show-object-format", "--path-format=absolute", "--git-path", "objects", "--git-path", "index"]);
  const [format, objects, index] = places.stdout.split("\n");
  if (places.code !== 0 || !objects || !index) return { error: troubleOf(places) };
  return withScratch("conveyor-git-", async (own) => {
    makeRepository(own, format === "sha256", index);
    const settings = { GIT_DIR: own, GIT_WORK_TREE: root, GIT_OBJECT_DIRECTORY: objects, GIT_INDEX_FILE: join(own, "index") };
    return { value: await use({ root, ask, look: (words, options) => git(settings, words, options) }) };
  });
}

/** A repository of our own in an empty folder, with a copy of the other's index. */
function makeRepository(own: string, sha256: boolean, index: string): void {
  for (const name of ["objects", "refs", "info"]) mkdirSync(join(own, name));
  writeFileSync(join(own, "HEAD"), "ref: refs/heads/none\n");
  writeFileSync(
    join(own, "config"),
    `[core]\n\trepositoryformatversion = ${sha256 ? 1 : 0}\n\tbare = false\n\tignorecase = ${process.platform === "darwin"}\n` +
      (sha256 ? "[extensions]\n\tobjectformat = sha256\n" : ""),
  );
  if (!isPlainFile(index)) return;
  copyFileSync(index, join(own, "index"));
  // What was changed in the moment in which the index was written is only looked at again when that is as old (git, racy-git.txt).
  const written = Math.floor(statSync(index).mtimeMs / 1000);
  utimesSync(join(own, "index"), written, written);
  copySplitIndex(dirname(index), own);
}
