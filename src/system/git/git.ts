/** What git tells of a working folder that is not trusted: names and counts of changes, never their content. */
import { relative } from "node:path";
import { realPath } from "../files/folders.ts";
import type { Env } from "../processes/environment.ts";
import { troubleOf } from "../processes/run.ts";
import { SAFE_DIFF, type SafeGit, withSafeGit } from "./safe-git.ts";

interface ChangeSummary {
  readonly branch_diff_stat: string;
  readonly branch_diff_name_only: string;
  readonly working_tree_diff_stat: string;
  readonly working_tree_diff_name_only: string;
  /** Why something is missing, or null. */
  readonly error: string | null;
}

const LIMIT_MS = 10_000;
const KEPT = 5000;
const NOTHING = { branch_diff_stat: "", branch_diff_name_only: "", working_tree_diff_stat: "", working_tree_diff_name_only: "" };

const commitOf = async (git: SafeGit, name: string): Promise<string | null> =>
  (await git.ask(["rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`])).stdout.trim() || null;

/** What a folder has checked out, and which of its files are not as HEAD has them. */
export interface Checkout {
  /** null: HEAD is detached. */
  readonly branch: string | null;
  /** Changed, new and deleted files by name, without those that are ignored. */
  readonly changed: readonly string[];
}

/**
 * The branch that the folder has checked out and its changed files; null: it lies in no repository, or git would not say. It believes what
 * the index says of files, which is quick, and enough to show: nothing may be decided by it.
 * @param apart a folder that is not looked into, as that of our own records
 */
export async function checkoutOf(env: Env, folder: string, apart: string): Promise<Checkout | null> {
  const done = await withSafeGit(env, folder, LIMIT_MS, async (git): Promise<Checkout | null> => {
    const head = await commitOf(git, "HEAD");
    const names = [
      await git.look(["diff", ...SAFE_DIFF, "--name-only", "-z", head ?? "--cached", "--"]),
      await git.look(["ls-files", "-z", "--others", "--exclude-standard"]),
    ];
    if (names.some(({ code }) => code !== 0)) return null;
    const ours = relative(git.root, realPath(apart));
    const changed = names.flatMap(({ stdout }) => stdout.split("\0")).filter((name) => name !== "" && !name.startsWith(`${ours}/`));
    const branch = (await git.ask(["symbolic-ref", "--quiet", "--short", "HEAD"])).stdout.trim();
    return { branch: branch === "" ? null : branch, changed: changed.sort() };
  });
  return "value" in done ? done.value : null;
}

/** The changes of the folder's branch against the default branch, and of its working tree. */
export async function summariseChanges(env: Env, folder: string): Promise<ChangeSummary> {
  const done = await withSafeGit(env, folder, LIMIT_MS, summary);
  return "error" in done ? { ...NOTHING, error: done.error } : done.value;
}

async function summary(git: SafeGit): Promise<ChangeSummary> {
  let error: string | null = null;
  const diff = async (...words: string[]): Promise<string> => {
    const done = await git.look(["diff", ...SAFE_DIFF, ...words]);
    if (done.code === 0) return done.stdout.slice(-KEPT);
    error ??= `git diff: ${troubleOf(done)}`;
    return "";
  };
  const remote = (await git.ask(["symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD"])).stdout.trim();
  let base: string | null = null;
  for (const branch of [remote, "main", "master"]) if (base === null && branch !== "") base = await commitOf(git, branch);
  if (base === null) error = "no default branch was found (origin/HEAD, main, master)";
  const head = await commitOf(git, "HEAD");
  const range = base === null || head === null ? null : `${base}...${head}`;
  const against = head === null ? ["--cached"] : [head];
  return {
    branch_diff_stat: range === null ? "" : await diff("--stat", range, "--"),
    branch_diff_name_only: range === null ? "" : await diff("--name-only", range, "--"),
    working_tree_diff_stat: await diff("--stat", ...against, "--"),
    working_tree_diff_name_only: await diff("--name-only", ...against, "--"),
    error,
  };
}
