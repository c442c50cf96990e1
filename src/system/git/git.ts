/** What git and gh tell of a working folder: names and counts of changes, never their content. */
import type { Env } from "../processes/environment.ts";
import { runProgram } from "../processes/run.ts";
import { SAFE_DIFF, safeGit } from "./safe-git.ts";

export interface ChangeSummary {
  readonly branch_diff_stat: string;
  readonly branch_diff_name_only: string;
  readonly working_tree_diff_stat: string;
  readonly working_tree_diff_name_only: string;
  /** Why something is missing, or null. */
  readonly error: string | null;
}

const LIMIT_MS = 10_000;
const KEPT = 5000;

/** The changes of the folder's branch against the default branch, and of its working tree. */
export async function summariseChanges(env: Env, folder: string): Promise<ChangeSummary> {
  const nothing = { branch_diff_stat: "", branch_diff_name_only: "", working_tree_diff_stat: "", working_tree_diff_name_only: "" };
  const safe = await safeGit(env, folder, LIMIT_MS);
  if (typeof safe === "string") return { ...nothing, error: safe };
  const git = (...words: string[]) => safe.run(words);
  let error: string | null = null;
  const diff = async (...words: string[]): Promise<string> => {
    const done = await git("diff", ...SAFE_DIFF, ...words);
    if (done.code === 0) return done.stdout.slice(-KEPT);
    error ??= done.timedOut ? `git diff gave no answer within ${LIMIT_MS / 1000} s` : done.stderr.trim().slice(-500);
    return "";
  };
  const inside = await git("rev-parse", "--is-inside-work-tree");
  if (inside.code !== 0) return { ...nothing, error: inside.stderr.trim().slice(-500) || "git gave no answer" };
  const exists = async (branch: string) =>
    (await git("rev-parse", "--verify", "--quiet", "--end-of-options", `${branch}^{commit}`)).code === 0;
  const remote = (await git("symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")).stdout.trim();
  let base: string | null = null;
  for (const branch of [remote, "main", "master"]) if (base === null && branch !== "" && (await exists(branch))) base = branch;
  if (base === null) error = "no default branch was found (origin/HEAD, main, master)";
  const range = base === null ? null : `${base}...HEAD`;
  const head = (await exists("HEAD")) ? ["HEAD"] : ["--cached"];
  return {
    branch_diff_stat: range === null ? "" : await diff("--stat", range, "--"),
    branch_diff_name_only: range === null ? "" : await diff("--name-only", range, "--"),
    working_tree_diff_stat: await diff("--stat", ...head, "--"),
    working_tree_diff_name_only: await diff("--name-only", ...head, "--"),
    error,
  };
}

/** Up to five recent pull requests of the folder's repository; empty when it has no remote, or gh is missing or does not say. */
export async function recentPullRequests(env: Env, folder: string): Promise<unknown[]> {
  const remotes = await runProgram(["git", "remote"], { env, cwd: folder, timeoutMs: LIMIT_MS });
  if (remotes.code !== 0 || remotes.stdout.trim() === "") return [];
  const done = await runProgram(["gh", "pr", "list", "--state", "all", "--limit", "5", "--json", "number,title,state,url,headRefName"], {
    env: { ...env, GH_PROMPT_DISABLED: "1" },
    cwd: folder,
    timeoutMs: LIMIT_MS,
  });
  if (done.code !== 0) return [];
  try {
    const list: unknown = JSON.parse(done.stdout);
    return Array.isArray(list) ? list.slice(0, 5) : [];
  } catch {
    return [];
  }
}
