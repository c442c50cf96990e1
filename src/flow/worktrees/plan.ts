/** A worktree for a worker: where it is to be, on which branch, from which commit; and everything that stands in the way of it. */
import { lstatSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Context } from "../../context.ts";
import { Failure } from "../../core/failure.ts";
import { quoteWord } from "../../core/shell.ts";
import { branchName, type Worktree } from "../../core/worktree.ts";
import type { Store } from "../../store/store.ts";
import { worktreeOfWorker } from "../../store/worktrees.ts";
import { isFolder, realPath } from "../../system/files/folders.ts";
import { listedTrees } from "../../system/git/branch-place.ts";
import { commitOf, type OwnGit, withGit } from "../../system/git/own-git.ts";
import { bentIn, gitdirFor, type GitPlace, placeOf } from "../../system/git/place.ts";
import { isGone } from "../../system/processes/holder.ts";

/** What the flags say of it. */
export interface WorktreeWish {
  readonly branch: string | undefined;
  readonly base: string | undefined;
  readonly setup: string | undefined;
}

export interface WorktreePlan {
  readonly worker: string;
  /** The working tree whose repository it comes from. */
  readonly from: GitPlace;
  readonly path: string;
  readonly branch: string;
  /** The branch is there, and is taken up as it stands. */
  readonly branchStands: boolean;
  readonly baseRef: string;
  readonly baseBranch: string | null;
  readonly baseCommit: string;
  readonly setup: string | null;
  /** The worktree that the worker has already and goes on in, or what an earlier start has left half made. */
  readonly known: Worktree | null;
}

/** Names beginning with a dot are no workers'. */
const FOLDER = ".worktrees";

/** A name as part of a branch's name. */
const plainPart = (name: string): string =>
  name
    .replace(/[^\w.-]+/g, "-")
    .replace(/^[.-]+|\.lock$|[.-]+$/g, "")
    .replace(/\.\.+/g, ".") || "work";

/**
 * Looks only.
 * @param asked.store null: there are no records yet
 * @param asked.task name of the task; null: none is known
 * @throws Failure naming what is in the way
 */
export async function planWorktree(
  cx: Context,
  asked: {
    readonly store: Store | null;
    readonly worker: string;
    readonly task: string | null;
    readonly cwd: string;
    readonly wish: WorktreeWish;
  },
): Promise<WorktreePlan> {
  const { store, worker, cwd } = asked;
  // Said in full, a branch is still the same one.
  const wish = { ...asked.wish, branch: asked.wish.branch === undefined ? undefined : branchName(asked.wish.branch) };
  if (!isFolder(cwd)) throw new Failure(`no folder at ${cwd}`);
  const from = placeOf(cwd);
  const init = `git -C ${quoteWord(cwd)} init`;
  if (from === "none")
    throw new Failure(`${cwd} lies in no git repository, so no worktree can be made of it`, { hint: `${init}, or leave out --worktree` });
  if (from === "bare")
    throw new Failure(`the repository at ${cwd} is bare: it has no working tree to begin from`, {
      hint: "name a working tree of it with --cwd",
    });
  const known = store === null ? null : worktreeOfWorker(store, worker);
  return withGit(cx.env, from, { bytes: "usual" }, async (git) => {
    const ask = async (...words: string[]): Promise<string> => (await git.refs(words)).stdout.trim();
    if (from.gitdir === from.common && (await ask("config", "--type=bool", "--get", "core.bare")) === "true")
      throw new Failure(`the repository at ${cwd} is bare: it has no working tree to begin from`, {
        hint: "name a working tree of it with --cwd",
      });
    const taken = await goneOn(cx, from, known, wish);
    if (taken !== null) return taken;
    const branch = `refs/heads/${wish.branch ?? `conveyor/${plainPart(asked.task ?? worker)}`}`;
    await needBranchName(git, branch);
    const tip = await ask("rev-parse", "--verify", "--quiet", branch);
    // What a start that was cut off has left half made goes, its branch with it.
    const goes = known?.branch_made === true && known.branch === branch && known.base_commit === tip;
    const branchStands = tip !== "" && !goes;
    if (!branchStands) await needRoom(git, branch);
    else await needFree(git, branch, known);
    if (branchStands && wish.base !== undefined)
      throw new Failure(`the branch ${branchName(branch)} is there already, so it cannot begin at ${JSON.stringify(wish.base)}`, {
        hint: "leave out --base to go on with the branch, or name another with --branch",
      });
    const baseRef = wish.base ?? "HEAD";
    const path = placeFor(cx, from.common, worker, known);
    const setup = wish.setup ?? null;
    return { worker, from, path, branch, branchStands, baseRef, ...(await needBase(git, baseRef, cwd)), setup, known };
  });
}

/** The worktree that the worker has, when that is what is asked for; null: there is none, or only what is left of one. */
async function goneOn(cx: Context, from: GitPlace, known: Worktree | null, wish: WorktreeWish): Promise<WorktreePlan | null> {
  if (known === null) return null;
  const { worker, path, branch, base_ref, base_branch, base_commit, gitdir, common, holder, state, setup } = known;
  const remove = `${cx.program} worktree-remove ${worker}`;
  if (state !== "made" && holder !== null && !(await isGone(holder, cx.env)))
    throw new Failure(`the worktree of ${worker} is just being ${state === "making" ? "made" : "removed"}, by process ${holder.pid}`, {
      hint: "wait for it",
    });
  if (state === "making") return null;
  if (state === "removing")
    throw new Failure(`the removal of the worktree of ${worker} was cut off`, { hint: `have it come to its end: ${remove}` });
  const bent = bentIn({ common, gitdir: gitdir ?? common, path });
  if (bent !== null)
    throw new Failure(`the worktree of ${worker} is not what it was: ${bent}`, { hint: `look at it: ${cx.program} worktrees` });
  const otherBranch = wish.branch !== undefined && `refs/heads/${wish.branch}` !== branch;
  if (common !== from.common || otherBranch || (wish.base !== undefined && wish.base !== base_ref))
    throw new Failure(`${worker} has a worktree already, on ${branchName(branch)} in ${path}`, {
      hint: `leave out --branch and --base to go on there, or remove it first: ${remove}`,
    });
  return {
    worker,
    from,
    path,
    branch,
    branchStands: true,
    baseRef: base_ref,
    baseBranch: base_branch,
    baseCommit: base_commit,
    setup,
    known,
  };
}

async function needBranchName(git: OwnGit, branch: string): Promise<void> {
  const name = branchName(branch);
  const done = name.startsWith("-") || name === "HEAD" || name === "@" ? null : await git.refs(["check-ref-format", branch]);
  if (done?.code !== 0)
    throw new Failure(`${JSON.stringify(name)} cannot be the name of a branch`, { hint: "git help check-ref-format tells what can" });
}

/** Git keeps names as files and folders once: `a` and `a/b` cannot both be. */
async function needRoom(git: OwnGit, branch: string): Promise<void> {
  const parts = branch.split("/");
  const above = parts.slice(3).map((_, at) => parts.slice(0, at + 3).join("/"));
  const done = await git.refs(["for-each-ref", "--format=%(refname)", `${branch}/`, ...above]);
  const other = done.stdout.split("\n").find((name) => name.startsWith(`${branch}/`) || above.includes(name));
  if (other === undefined) return;
  throw new Failure(`there can be no branch ${branchName(branch)} beside the branch ${branchName(other)}`, {
    hint: "name another with --branch",
  });
}

/** @throws Failure when the branch is checked out somewhere */
async function needFree(git: OwnGit, branch: string, left: Worktree | null): Promise<void> {
  const taken = (await listedTrees(git)).find((tree) => tree.branch === branch && tree.path !== left?.path);
  if (taken !== undefined)
    throw new Failure(`the branch ${branchName(branch)} is checked out in ${taken.path}`, { hint: "name another with --branch" });
}

async function needBase(git: OwnGit, base: string, cwd: string): Promise<Pick<WorktreePlan, "baseBranch" | "baseCommit">> {
  const ask = async (...words: string[]): Promise<string> => (await git.refs(words)).stdout.trim();
  const baseCommit = await commitOf(git, base);
  if (baseCommit === null) {
    if (base === "HEAD")
      throw new Failure("the repository has no commit yet that a worktree could begin at", {
        hint: `make one: git -C ${quoteWord(cwd)} commit --allow-empty -m start`,
      });
    throw new Failure(`${JSON.stringify(base)} names no commit of the repository`, { hint: "--base takes a branch, a tag or a commit" });
  }
  const branch = async (name: string): Promise<string> => ((await ask("rev-parse", "--verify", "--quiet", name)) === "" ? "" : name);
  const full =
    base === "HEAD"
      ? await ask("symbolic-ref", "--quiet", "HEAD")
      : await branch(base.startsWith("refs/heads/") ? base : `refs/heads/${base}`);
  return { baseBranch: full === "" ? null : full, baseCommit };
}

/** The path without links, also where it is not made yet. */
const realAbove = (path: string): string =>
  isFolder(path) || dirname(path) === path ? realPath(path) : join(realAbove(dirname(path)), basename(path));

/** @throws Failure when something that is not ours stands there */
function placeFor(cx: Context, common: string, worker: string, known: Worktree | null): string {
  const path = join(realAbove(cx.stateRoot), FOLDER, worker);
  if (known?.path === path) return path;
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) {
    needForgotten(common, path);
    return path;
  }
  throw new Failure(`${path} is there, and is on record as nobody's worktree`, {
    hint: `look at it, and move it away: ${quoteWord(path)}`,
  });
}

/** What has git forget a worktree whose folder is gone, in words for a person. */
export const forgetLine = (common: string, path: string): string =>
  `git --git-dir ${quoteWord(common)} worktree remove -f -f ${quoteWord(path)}`;

/**
 * A worktree that was taken away by hand may have left commits that only its git folder leads to: it is not made anew over these.
 * @throws Failure when git still knows of one there
 */
export function needForgotten(common: string, path: string): void {
  if (gitdirFor(common, path) === null) return;
  throw new Failure(`git still knows of a worktree in ${path}, where none stands any more`, {
    hint: `${forgetLine(common, path)} has it forget that, and whatever only that leads to`,
  });
}

/** A plan as it is told. */
export const plannedTree = ({ path, branch, branchStands, baseRef, baseCommit, setup, known }: WorktreePlan) => ({
  path,
  branch: branchName(branch),
  branch_stands: branchStands,
  base: baseRef,
  base_commit: baseCommit,
  setup,
  stands: known?.state === "made",
});
