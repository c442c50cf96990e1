/**
 * `worktree-remove`: what stands in a worktree is kept as a commit, then the folder is moved aside, looked at once more, and taken away.
 * Killed at any moment, all of it stands where it was, or aside, or is kept; the same command goes on from there.
 */
import { lstatSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { Failure } from "../../core/failure.ts";
import { branchName, reasonsToStay, type TreeFacts, type Worktree } from "../../core/worktree.ts";
import { addEvent } from "../../store/record/events.ts";
import { findSession } from "../../store/sessions/sessions.ts";
import { type Store, tx } from "../../store/store.ts";
import { changeWorktree, listWorktrees, worktreeOfWorker } from "../../store/worktrees.ts";
import { removeFolder } from "../../system/files/remove-folder.ts";
import { isAsKept, keepTree, notesOf } from "../../system/git/keep.ts";
import { needDone, withGit } from "../../system/git/own-git.ts";
import { isGitdirOf } from "../../system/git/place.ts";
import { withRepositoryLock } from "../../system/git/repository-lock.ts";
import { shown } from "../../system/git/tree-files.ts";
import { standsAsSeen } from "../../system/git/tree-walk.ts";
import { lookAtTree } from "../../system/git/tree-look.ts";
import { isGone, thisHolder } from "../../system/processes/holder.ts";
import { usersOfFolder } from "../../system/processes/users-of-folder.ts";
import type { Scene } from "../scene.ts";
import { factsOf } from "./facts.ts";
import { need, recordedPlace, unmake } from "./make.ts";
import { forgetLine } from "./plan.ts";

interface RemoveRequest {
  readonly worker: string;
  readonly force: boolean;
  readonly keepIgnored: boolean;
}

export interface RemovedTree {
  readonly worker: string;
  readonly path: string;
  readonly branch: string;
  /** Null: it was never made whole, and nobody has worked there. */
  readonly kept_ref: string | null;
  readonly kept_commit: string | null;
  /** What stood against it, and was forced. */
  readonly forced: readonly string[];
  /** What was ignored and is not kept. */
  readonly dropped: TreeFacts["ignored"];
}

const isThere = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

/** @throws Failure when there is none, something stands against it, or it changes meanwhile; nothing is removed then */
export async function removeWorktree(scene: Scene, request: RemoveRequest): Promise<RemovedTree> {
  const { cx, store } = scene;
  const { worker } = request;
  const found = worktreeOfWorker(store, worker);
  if (found === null)
    throw new Failure(`no worktree of ${JSON.stringify(worker)} is on record`, {
      hint: `${cx.program} worktrees lists them`,
      similar: { typed: worker, names: listWorktrees(store).map((each) => each.worker) },
    });
  return withRepositoryLock(found.common, async () => {
    const tree = worktreeOfWorker(store, worker);
    if (tree === null) throw new Failure(`the worktree of ${worker} was removed meanwhile`);
    if (tree.holder !== null && tree.state !== "made" && !(await isGone(tree.holder, cx.env)) && tree.holder.pid !== process.pid)
      throw new Failure(
        `the worktree of ${worker} is just being ${tree.state === "making" ? "made" : "removed"}, by process ${tree.holder.pid}`,
        {
          hint: "wait for it",
        },
      );
    if (tree.state === "making") {
      await unmake(scene, tree);
      return told(tree, null, [], null);
    }
    if (tree.state === "made") return begin(scene, tree, request);
    // Cut off before it was moved aside: begun anew. Once it is aside, somebody may have made a folder anew where it stood.
    if (!isThere(asideOf(tree)) && !isThere(keptAside(tree)) && isThere(tree.path))
      return begin(scene, need(changeWorktree(store, tree, { state: "made", kept_ref: null, holder: null }), tree.worker), request);
    return finish(scene, tree, request.force, [], null);
  });
}

/** The worker itself is what works there: a folder taken from below it would leave it at nothing. */
const livesThere = (store: Store, worker: string, { processes }: TreeFacts): boolean =>
  processes !== null && processes.includes(findSession(store, worker)?.pid ?? 0);

/** Keeps what is there, and goes on. */
async function begin(scene: Scene, tree: Worktree, { force, keepIgnored }: RemoveRequest): Promise<RemovedTree> {
  const { cx, store } = scene;
  const { worker, path } = tree;
  if (!isThere(path)) throw await goneByHand(scene, tree);
  const facts = await factsOf(cx, tree);
  const reasons = reasonsToStay(facts);
  const stays = `the worktree of ${worker} is not removed`;
  if (facts.trouble !== null) throw new Failure(`${stays}: ${facts.trouble}`, { hint: `look at it by hand, in ${path}` });
  if (facts.inner.length > 0)
    throw new Failure(`${stays}, also not with --force: ${facts.inner.join("; ")}`, {
      hint: "no commit could keep that: move it away, or push it, first",
    });
  if (reasons.length > 0 && !force)
    throw new Failure(`${stays}: ${reasons.join("; ")}`, {
      hint:
        (livesThere(store, worker, facts) ? `${cx.program} stop ${worker} ends who works there; ` : "") +
        `${cx.program} worktree-remove ${worker} --force keeps the files as a commit and removes it all the same`,
    });
  const ref = `refs/conveyor/kept/${worker}/${cx.now().replace(/[-:]/g, "")}`;
  await withGit(cx.env, recordedPlace(tree), { bytes: "exact" }, async (git) => {
    const look = await lookAtTree(git, path, keepIgnored);
    const { nested, unreadable } = look.walked;
    const inner = [...nested.filter((each) => !look.there.get(each)?.startsWith("160000 ")), ...unreadable];
    if (inner.length > 0)
      throw new Failure(`${stays}: no commit could keep ${inner.map(shown).join(", ")}`, { hint: "move it away first" });
    const commit = await keepTree(git, worker, look, keepIgnored);
    await needDone(git.refs(["update-ref", "--create-reflog", ref, commit, "0".repeat(commit.length)]), `${ref} cannot be written`);
  });
  const holder = await thisHolder(cx.env);
  const begun = tx(store, () => need(changeWorktree(store, tree, { state: "removing", kept_ref: ref, holder }), tree.worker));
  renameSync(path, asideOf(begun));
  return finish(scene, begun, force, reasons, keepIgnored ? null : facts.ignored);
}

/** Somebody has taken the folder away; what git still knows of it stays. */
async function goneByHand({ cx, store }: Scene, tree: Worktree): Promise<Failure> {
  tx(store, () => {
    need(changeWorktree(store, tree, { state: "removed", removed_at: cx.now() }), tree.worker);
    addEvent(store, { type: "worktree_gone", taskId: tree.task_id, payload: { worker: tree.worker, path: tree.path } });
  });
  return new Failure(
    `nothing stands in ${tree.path} any more: the worktree of ${tree.worker} was taken away by somebody else, and is off the record now`,
    {
      hint: `its branch ${branchName(tree.branch)} stays; ${forgetLine(tree.common, tree.path)} takes away what git knows of the folder`,
    },
  );
}

/** Beside the folder, under a name that no worker has: moved there, not looked at again yet. */
const asideOf = ({ path, id }: Worktree): string => join(dirname(path), `.removing-${id}`);
/** Looked at again: all of it is kept. */
const keptAside = ({ path, id }: Worktree): string => join(dirname(path), `.kept-${id}`);

/** From the moved folder to the end, wherever it was cut off. */
async function finish(
  scene: Scene,
  tree: Worktree,
  force: boolean,
  forced: readonly string[],
  dropped: TreeFacts["ignored"],
): Promise<RemovedTree> {
  const { cx, store } = scene;
  const { worker, path, common, gitdir, kept_ref } = tree;
  const [aside, kept] = [asideOf(tree), keptAside(tree)];
  if (!isThere(kept) && isThere(aside)) {
    const why = await notAsKept(scene, tree, aside, force);
    if (why !== null) {
      renameSync(aside, path);
      tx(store, () => need(changeWorktree(store, tree, { state: "made", kept_ref: null, holder: null }), tree.worker));
      throw new Failure(`the worktree of ${worker} is not removed: ${why}`, {
        hint: `it stands where it stood; what was there before is kept as ${kept_ref}`,
      });
    }
    renameSync(aside, kept);
  }
  const commit = await withGit(cx.env, { common, gitdir: common, path: null }, { bytes: "exact" }, async (git) =>
    (await needDone(git.refs(["rev-parse", "--verify", `${kept_ref}^{commit}`]), `${kept_ref} is not there, so nothing is removed`)).trim(),
  );
  removeFolder(kept);
  if (gitdir !== null && isGitdirOf(gitdir, path)) rmSync(gitdir, { recursive: true, force: true });
  tx(store, () => {
    need(changeWorktree(store, tree, { state: "removed", removed_at: cx.now(), holder: null }), tree.worker);
    addEvent(store, { type: "worktree_removed", taskId: tree.task_id, payload: { worker, path, kept_ref, kept_commit: commit, forced } });
  });
  return told(tree, commit, forced, dropped);
}

/** Why the folder, moved aside, may not be taken away; null: all of it is kept, and nobody is there. */
async function notAsKept({ cx }: Scene, tree: Worktree, aside: string, force: boolean): Promise<string | null> {
  const { common, gitdir, kept_ref } = tree;
  if (!force) {
    const users = await usersOfFolder(aside, cx.env);
    if (users === null || users.length > 0) return `somebody works there: process ${users?.join(", ") ?? "unknown"}`;
  }
  const place = { common, gitdir: gitdir ?? common, path: null };
  try {
    return await withGit(cx.env, place, { bytes: "exact", objects: "scratch" }, async (git) => {
      const commit = (await needDone(git.refs(["rev-parse", "--verify", `${kept_ref}^{commit}`]), `${kept_ref} is not there`)).trim();
      const notes = await notesOf(git, commit);
      if (notes === null) return `${kept_ref} keeps no worktree`;
      const look = await lookAtTree(git, aside, notes.ignored);
      const same = await isAsKept(git, look, commit, notes);
      // What came to be while it was looked at stands in no list of it.
      return same && standsAsSeen(aside, look.walked) ? null : "it was changed while it was being removed";
    });
  } catch (error) {
    if (error instanceof Failure) return error.message;
    throw error;
  }
}

const told = (tree: Worktree, commit: string | null, forced: readonly string[], dropped: TreeFacts["ignored"]): RemovedTree => ({
  worker: tree.worker,
  path: tree.path,
  branch: branchName(tree.branch),
  kept_ref: commit === null ? null : tree.kept_ref,
  kept_commit: commit,
  forced,
  dropped,
});
