/** A task whose worker has a worktree, in a repository of its own, and what tests of landings do with it. */
import { existsSync, mkdirSync, readdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import type { Worktree } from "../src/core/worktree.ts";
import { recordWorktree } from "../src/store/worktrees.ts";
import type { World } from "./harness.ts";
import { boundPair, type Pair } from "./rollout.ts";

/** What git prints; it must succeed unless `fails`. */
export function git(w: World, folder: string, ...words: string[]): string {
  const done = Bun.spawnSync(["git", ...words], {
    cwd: folder,
    env: {
      ...w.env,
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_AUTHOR_NAME: "Ada",
      GIT_AUTHOR_EMAIL: "ada@x",
      GIT_COMMITTER_NAME: "Ada",
      GIT_COMMITTER_EMAIL: "ada@x",
    },
  });
  if (done.exitCode !== 0) throw new Error(`git ${words.join(" ")}: ${done.stderr.toString()}`);
  return done.stdout.toString().trimEnd();
}

export interface LandingWorld {
  readonly pair: Pair;
  /** The main working tree, on `main`. */
  readonly repo: string;
  /** The worker's. */
  readonly tree: string;
  readonly record: Worktree;
}

/** A repository with two files and a branch of task t1's worker w1, which has committed nothing yet. */
export async function landingWorld(w: World, options: { init?: readonly string[] } = {}): Promise<LandingWorld> {
  const pair = await boundPair(w);
  // They are on record with this process, below which the landings run: that would be their own.
  w.store().db.run("update sessions set pid = null");
  const repo = join(realpathSync(w.dir), "repo");
  mkdirSync(repo);
  git(w, repo, "init", "-q", "-b", "main", ...(options.init ?? []));
  await Bun.write(join(repo, "a.txt"), "one\ntwo\nthree\n");
  await Bun.write(join(repo, "b.txt"), "b\n");
  git(w, repo, "add", ".");
  git(w, repo, "commit", "-q", "-m", "first");
  const { tree, record } = addWorktree(w, repo, "w1");
  return { pair, repo, tree, record };
}

/** A worktree for this worker as `start-worker --worktree` makes one, with its record. */
export function addWorktree(w: World, repo: string, worker: string): { tree: string; record: Worktree } {
  const tree = join(realpathSync(w.dir), `tree-${worker}`);
  git(w, repo, "worktree", "add", "-q", "-b", `conveyor/${worker}`, tree, "main");
  const common = join(repo, ".git");
  const record: Worktree = {
    id: `worktree-${worker}`,
    worker,
    task_id: null,
    state: "made",
    path: tree,
    gitdir: join(common, "worktrees", `tree-${worker}`),
    common,
    branch: `refs/heads/conveyor/${worker}`,
    branch_made: true,
    base_ref: "HEAD",
    base_branch: "refs/heads/main",
    base_commit: git(w, repo, "rev-parse", "main"),
    setup: null,
    made_at: "2026-01-01T00:00:00.000Z",
    removed_at: null,
    kept_ref: null,
    holder: null,
  };
  if (!recordWorktree(w.store(), record)) throw new Error(`${worker} has a worktree`);
  return { tree, record };
}

/** A criterion of the task that this command proves, run in `folder`. */
export async function prove(w: World, folder: string, command: readonly string[], task = "t1"): Promise<number> {
  const criterion = `${command.join(" ")} passes`;
  await w.ok(["criteria", task, "--add", "--criterion", criterion, "--source", "user_requested", "--status", "accepted"]);
  const id = w.rows<{ id: number }>("select max(id) as id from acceptance_criteria")[0]!.id;
  await w.ok(["evidence", "run", task, "--criterion", String(id), "--cwd", folder, "--", ...command]);
  return id;
}

/** That nothing of a landing is left: no folder, no name, no lock, no open row. */
export function leftovers(w: World, repo: string): string[] {
  const folder = join(w.stateRoot, ".worktrees");
  const locks = ["index.lock", "refs/heads/main.lock"].filter((name) => existsSync(join(repo, ".git", name)));
  const names = git(w, repo, "for-each-ref", "--format=%(refname)", "refs/conveyor").split("\n");
  const rows = w.rows<{ id: string }>("select id from landings where state in ('proving', 'moving')").map(({ id }) => id);
  return [...(existsSync(folder) ? readdirSync(folder) : []), ...locks, ...names, ...rows].filter((each) => each !== "");
}

/** Whether the branch and the tree that is on it are together. */
export const together = (w: World, folder: string): boolean => git(w, folder, "status", "--porcelain") === "";
