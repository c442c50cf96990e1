/** `worktree-restore`: what a removal has kept, as a worktree where it stood, or as plain files in a folder. */
import { lstatSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Failure } from "../../core/failure.ts";
import { quoteCommand } from "../../core/shell.ts";
import { branchName, type Worktree } from "../../core/worktree.ts";
import { addEvent } from "../../store/record/events.ts";
import { tx } from "../../store/store.ts";
import { changeWorktree, recordWorktree, worktreeKeptAs, worktreeOfWorker } from "../../store/worktrees.ts";
import { removeFolder } from "../../system/files/remove-folder.ts";
import { listedTrees } from "../../system/git/branch-place.ts";
import { writeIndex, writeKept } from "../../system/git/bring-back.ts";
import { type KeptNotes, notesOf } from "../../system/git/keep.ts";
import { commitOf, needDone, type OwnGit, withGit } from "../../system/git/own-git.ts";
import { type GitPlace, placeOf } from "../../system/git/place.ts";
import { thisHolder } from "../../system/processes/holder.ts";
import { nextCommand } from "../reach/next-command.ts";
import type { Scene } from "../scene.ts";
import { addToGit, need, recordedPlace, unmake } from "./make.ts";
import { needForgotten } from "./plan.ts";

export interface RestoredTree {
  readonly worker: string;
  readonly path: string;
  readonly kept_ref: string;
  readonly kept_commit: string;
  /** The branch that is checked out there; null: none (its commit is), or plain files. */
  readonly branch: string | null;
  readonly worktree: boolean;
}

const KEPT = "refs/conveyor/kept/";

/** The name under which the newest of this worker is kept; null: nothing of it is. */
async function newestKept(git: OwnGit, worker: string): Promise<string | null> {
  const newest = ["for-each-ref", "--sort=-refname", "--count=1", "--format=%(refname)", `${KEPT}${worker}/`];
  const ref = (await git.refs(newest)).stdout.trim();
  return ref === "" ? null : ref.slice(KEPT.length);
}

/** @param into a folder that is not there or empty; null: where it stood. @throws Failure; nothing half restored is left */
export async function restoreWorktree(scene: Scene, given: string, into: string | null): Promise<RestoredTree> {
  const { cx, store } = scene;
  const ref = given.startsWith(KEPT) ? given : `${KEPT}${given}`;
  const row = worktreeKeptAs(store, ref);
  const here = row === null ? placeOf(cx.cwd) : null;
  const common = row?.common ?? (typeof here === "object" ? here?.common : undefined);
  if (common === undefined)
    throw new Failure(`nothing is kept as ${given}`, { hint: "git for-each-ref refs/conveyor/kept lists what a repository keeps" });
  const place: GitPlace = { common, gitdir: common, path: null };
  const { commit, notes } = await withGit(cx.env, place, { bytes: "exact" }, async (git) => {
    const found = await commitOf(git, ref);
    if (found === null) {
      const newest = await newestKept(git, ref.slice(KEPT.length).split("/")[0]!);
      throw new Failure(`nothing is kept as ${given} in ${common}`, {
        hint:
          newest === null
            ? `what is kept: ${quoteCommand(["git", "--git-dir", common, "for-each-ref", KEPT])}`
            : `what was kept last of it: ${nextCommand(cx, store, "worktree-restore", newest)}`,
      });
    }
    const told = await notesOf(git, found);
    if (told === null) throw new Failure(`the commit ${ref} keeps no worktree`, { hint: "git show tells what it is" });
    return { commit: found, notes: told };
  });
  const facts = { worker: notes.worker, kept_ref: ref, kept_commit: commit };
  if (into !== null) {
    await asFiles(scene, place, commit, notes, into);
    return { ...facts, path: into, branch: null, worktree: false };
  }
  if (row === null)
    throw new Failure(`the worktree that ${ref} was is not on record here, so nobody knows where it stood`, {
      hint: "name a folder for its files with --into",
    });
  const path = row.path;
  const there = worktreeOfWorker(store, row.worker);
  if (there !== null || lstatSync(path, { throwIfNoEntry: false }) !== undefined)
    throw new Failure(`${path} is taken${there === null ? "" : `: ${row.worker} has a worktree`}`, {
      hint: "name a folder for its files with --into",
    });
  needForgotten(common, path);
  return { ...facts, path, branch: await asWorktree(scene, row, place, commit, notes), worktree: true };
}

/** Whole, or not at all: it is moved there once all is written. */
async function asFiles({ cx }: Scene, place: GitPlace, commit: string, notes: KeptNotes, into: string): Promise<void> {
  const found = lstatSync(into, { throwIfNoEntry: false });
  if (found !== undefined && !(found.isDirectory() && readdirSync(into).length === 0))
    throw new Failure(`${into} is there and is no empty folder`, { hint: "name a folder that is not there yet" });
  mkdirSync(dirname(into), { recursive: true });
  const beside = join(dirname(into), `.${basename(into)}-${cx.newId("restore")}`);
  mkdirSync(beside);
  try {
    await withGit(cx.env, place, { bytes: "exact" }, (git) => writeKept(git, commit, notes, beside));
    renameSync(beside, into);
  } catch (error) {
    removeFolder(beside);
    throw error;
  }
}

/** On its branch where that still stands at the same commit and is free, else on the commit alone. */
async function asWorktree(scene: Scene, row: Worktree, from: GitPlace, commit: string, notes: KeptNotes): Promise<string | null> {
  const { cx, store } = scene;
  const branch = await withGit(cx.env, from, { bytes: "exact" }, async (git) => {
    if (notes.branch === null || !/^refs\/heads\/[^-]/.test(notes.branch)) return null;
    const tip = (await git.refs(["rev-parse", "--verify", "--quiet", notes.branch])).stdout.trim();
    const taken = (await listedTrees(git)).some((tree) => tree.branch === notes.branch);
    return tip === (notes.head ?? "") && !taken ? notes.branch : null;
  });
  const { id: _, removed_at: _removed, kept_ref: _kept, ...same } = row;
  const tree: Worktree = {
    ...same,
    id: cx.newId("worktree"),
    state: "making",
    gitdir: null,
    // It stays whatever becomes of this.
    branch_made: false,
    made_at: cx.now(),
    removed_at: null,
    kept_ref: null,
    holder: await thisHolder(cx.env),
  };
  if (!tx(store, () => recordWorktree(store, tree))) throw new Failure(`the worktree of ${row.worker} is being made by somebody else`);
  try {
    const onBranch = branch !== null && notes.head !== null;
    const which = onBranch ? [branchName(branch)] : [notes.head ?? row.base_commit, "--detach"];
    const gitdir = await addToGit(scene, { worker: row.worker, path: row.path, from }, which);
    const begun = need(changeWorktree(store, tree, { gitdir }), row.worker);
    await withGit(cx.env, recordedPlace(begun), { bytes: "exact" }, async (git) => {
      if (branch !== null && notes.head === null) await needDone(git.refs(["symbolic-ref", "HEAD", branch]), "HEAD could not be put back");
      await writeIndex(git, notes, row.path);
      await writeKept(git, commit, notes, row.path);
    });
    tx(store, () => {
      need(changeWorktree(store, begun, { state: "made", holder: null }), row.worker);
      addEvent(store, {
        type: "worktree_restored",
        taskId: row.task_id,
        payload: { worker: row.worker, path: row.path, kept_ref: row.kept_ref },
      });
    });
    return branch === null ? null : branchName(branch);
  } catch (error) {
    await unmake(scene, tree);
    throw error;
  }
}
