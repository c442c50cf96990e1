/** What git tells of a working folder that is not trusted: names and counts of changes, never their content. */
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
  const commitOf = async (name: string): Promise<string | null> =>
    (await git.ask(["rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`])).stdout.trim() || null;
  const remote = (await git.ask(["symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD"])).stdout.trim();
  let base: string | null = null;
  for (const branch of [remote, "main", "master"]) if (base === null && branch !== "") base = await commitOf(branch);
  if (base === null) error = "no default branch was found (origin/HEAD, main, master)";
  const head = await commitOf("HEAD");
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
