/** What is in a worktree that would be lost with it: what each of them is told by, and why one may not be removed yet. */
import type { Context } from "../../context.ts";
import { Failure } from "../../core/failure.ts";
import { instant } from "../../core/time.ts";
import { branchName, type TreeFacts, type Worktree, type WorktreeReport } from "../../core/worktree.ts";
import { taskOfSession } from "../../store/sessions/bindings.ts";
import { findSession } from "../../store/sessions/sessions.ts";
import type { Store } from "../../store/store.ts";
import { taskById } from "../../store/tasks/tasks.ts";
import { ownCommitsBelow, submoduleTrouble } from "../../system/git/submodules.ts";
import { changesIn, lookAtTree, type TreeLook } from "../../system/git/tree-look.ts";
import { commitOf, type OwnGit, withGit } from "../../system/git/own-git.ts";
import { bentIn } from "../../system/git/place.ts";
import { shown } from "../../system/git/tree-files.ts";
import { usersOfFolder } from "../../system/processes/users-of-folder.ts";
import { recordedPlace } from "./make.ts";

/** Nothing is known. */
const NOTHING: TreeFacts = {
  head: null,
  checked_out: null,
  changed: null,
  untracked: null,
  ignored: null,
  commits: null,
  stashes: null,
  processes: null,
  inner: [],
  trouble: null,
};

/** The name of the task for which the worker works there; null: none is on record. */
function taskOf(store: Store, { task_id, worker }: Worktree): string | null {
  const session = findSession(store, worker);
  const bound = session === null ? null : taskOfSession(store, session.id);
  const id = bound ?? task_id;
  return id === null ? null : (taskById(store, id)?.name ?? null);
}

/** One worktree as it is now. Never throws for what stands there. */
export async function reportOf(cx: Context, store: Store, tree: Worktree): Promise<WorktreeReport> {
  const facts = await factsOf(cx, tree);
  const { worker, state, path, branch, base_ref, base_branch, base_commit, made_at, kept_ref } = tree;
  const session = findSession(store, worker);
  return {
    worker,
    worker_state: session?.state ?? "none",
    task: taskOf(store, tree),
    state,
    path,
    branch: branchName(branch),
    base: base_ref,
    base_branch: base_branch === null ? null : branchName(base_branch),
    base_commit,
    made_at,
    age_seconds: Math.max(0, Math.round((cx.nowMs() - (instant(made_at) ?? cx.nowMs())) / 1000)),
    kept_ref,
    ...facts,
  };
}

/** What stands there. */
export async function factsOf(cx: Context, tree: Worktree): Promise<TreeFacts> {
  if (tree.state !== "made") return { ...NOTHING, trouble: `it is ${tree.state === "making" ? "half made" : "half removed"}` };
  const place = recordedPlace(tree);
  const processes = await usersOfFolder(place.path, cx.env);
  const bent = bentIn(place);
  if (bent !== null) return { ...NOTHING, processes, trouble: bent };
  try {
    return await withGit(cx.env, place, { bytes: "usual", objects: "scratch" }, async (git) => ({
      ...(await factsIn(cx, git, await lookAtTree(git, place.path, false), tree)),
      processes,
    }));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { ...NOTHING, processes, trouble: error.message };
  }
}

/** What the files and names of it tell. */
async function factsIn(cx: Context, git: OwnGit, look: TreeLook, tree: Worktree): Promise<Omit<TreeFacts, "processes">> {
  const { changed, untracked } = changesIn(look);
  const { walked, index } = look;
  const unread = walked.unreadable.map((path) => `${shown(path)} cannot be read`);
  return {
    head: look.head,
    checked_out: look.branch === null ? null : branchName(look.branch),
    changed: index === null ? null : changed.map(shown),
    untracked: untracked.map(shown),
    ignored: { files: walked.ignored.files, bytes: walked.ignored.bytes, names: walked.ignored.names.map(shown) },
    commits: await commitsOf(git, look, tree),
    stashes: await stashesOf(git, tree),
    inner: [...unread, ...(await innerTrouble(cx, git, look))],
    trouble: null,
  };
}

/** How many commits of HEAD and the branch neither the base nor an upstream has; null: it cannot be told. */
async function commitsOf(git: OwnGit, look: TreeLook, { branch, base_branch, base_commit }: Worktree): Promise<number | null> {
  const found = async (name: string): Promise<string[]> => {
    const commit = await commitOf(git, name);
    return commit === null ? [] : [commit];
  };
  const mine = [...(look.head === null ? [] : [look.head]), ...(await found(branch))];
  if (mine.length === 0) return 0;
  const base = base_branch === null ? [] : await found(base_branch);
  const upstream = await found(`${branch}@{upstream}`);
  const done = await git.refs(["rev-list", "--count", ...mine, "--not", base_commit, ...base, ...upstream, "--remotes", "--"]);
  return done.code === 0 && /^\d+\s*$/.test(done.stdout) ? Number(done.stdout) : null;
}

/** How many stashes were made on its branch, by their messages; null: it cannot be told. */
async function stashesOf(git: OwnGit, { branch }: Worktree): Promise<number | null> {
  if ((await git.refs(["rev-parse", "--verify", "--quiet", "refs/stash"])).code !== 0) return 0;
  const done = await git.refs(["log", "--walk-reflogs", "--format=%gs", "refs/stash", "--"]);
  if (done.code !== 0) return null;
  const name = branchName(branch);
  return done.stdout.split("\n").filter((line) => line.startsWith(`WIP on ${name}: `) || line.startsWith(`On ${name}: `)).length;
}

/** Repositories inside that hold something of their own, which no commit of ours could keep. */
async function innerTrouble(cx: Context, git: OwnGit, { walked, there, inHead }: TreeLook): Promise<string[]> {
  const found: string[] = [];
  for (const path of walked.nested) {
    const entry = there.get(path) ?? inHead.get(path);
    if (entry?.startsWith("160000 ") !== true) found.push(`${shown(path)} is a repository of its own, or a name that git cannot keep`);
    else found.push(...(await submoduleTrouble(cx.env, git.place.path!, path, entry.split(" ")[1]!)));
  }
  found.push(...(await ownCommitsBelow(cx.env, git.place.gitdir)));
  return found;
}
