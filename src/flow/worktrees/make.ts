/** Making the worktree of a worker, and taking back what came never to be: on record before anything stands there. */
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { Failure } from "../../core/failure.ts";
import { branchName, type Worktree } from "../../core/worktree.ts";
import { addEvent } from "../../store/record/events.ts";
import { tx } from "../../store/store.ts";
import { changeWorktree, dropWorktree, recordWorktree } from "../../store/worktrees.ts";
import { removeFolder } from "../../system/files/remove-folder.ts";
import { changesIn, lookAtTree } from "../../system/git/tree-look.ts";
import { needDone, withGit } from "../../system/git/own-git.ts";
import { bentIn, gitdirFor, type GitPlace, placeOf } from "../../system/git/place.ts";
import { thisHolder } from "../../system/processes/holder.ts";
import { recordLine } from "../../system/processes/recorded-run.ts";
import { hideFromGit } from "../../system/records-place.ts";
import type { Scene } from "../scene.ts";
import type { WorktreePlan } from "./plan.ts";

/** What hears a request to end. */
export interface Stop {
  check(): void;
}

/** A set-up that takes longer is taken to hang. */
const SETUP_MS = 30 * 60_000;

/** Where git has a worktree that is on record. @throws Failure when it never came to be made */
export function recordedPlace({ common, gitdir, path, worker }: Worktree): GitPlace & { readonly path: string } {
  if (gitdir === null) throw new Failure(`the worktree of ${worker} was never made whole`);
  return { common, gitdir, path };
}

/**
 * Makes what was planned, and runs its set-up; or goes on in the one that stands.
 * @returns the worktree, and whether this call has made it
 * @throws Failure; nothing of it is left then
 */
export async function makeWorktree(
  scene: Scene,
  plan: WorktreePlan,
  taskId: string | null,
  under: Stop,
): Promise<{ readonly tree: Worktree; readonly made: boolean }> {
  const { cx, store } = scene;
  const { known, worker, path } = plan;
  if (known?.state === "made") return { tree: known, made: false };
  if (known !== null) await unmake(scene, known);
  under.check();
  const row: Worktree = {
    id: cx.newId("worktree"),
    worker,
    task_id: taskId,
    state: "making",
    path,
    gitdir: null,
    common: plan.from.common,
    branch: plan.branch,
    branch_made: !plan.branchStands,
    base_ref: plan.baseRef,
    base_branch: plan.baseBranch,
    base_commit: plan.baseCommit,
    setup: plan.setup,
    made_at: cx.now(),
    removed_at: null,
    kept_ref: null,
    holder: await thisHolder(cx.env),
  };
  if (!tx(store, () => recordWorktree(store, row))) throw new Failure(`the worktree of ${worker} is being made by somebody else`);
  try {
    const { from, branch, branchStands, baseCommit } = plan;
    const gitdir = await addToGit(
      scene,
      { worker, path, from },
      branchStands ? [branchName(branch)] : [baseCommit, "-b", branchName(branch)],
    );
    const begun = need(changeWorktree(store, row, { gitdir }), worker);
    under.check();
    await checkOut(scene, begun, plan);
    under.check();
    if (plan.setup !== null) await setUp(scene, begun, plan.setup);
    under.check();
    return {
      tree: tx(store, () => {
        const tree = need(changeWorktree(store, begun, { state: "made", holder: null }), worker);
        addEvent(store, { type: "worktree_made", taskId, payload: { worker, path, branch: plan.branch, base_commit: plan.baseCommit } });
        return tree;
      }),
      made: true,
    };
  } catch (error) {
    await unmake(scene, row);
    throw error;
  }
}

export function need(tree: Worktree | null, worker: string): Worktree {
  if (tree !== null) return tree;
  throw new Failure(`the record of the worktree of ${worker} was changed by somebody else`);
}

/** Makes the folder, with nothing in it yet, and gives its git folder. @param which what git is to check out there, and further words */
export async function addToGit(
  { cx }: Scene,
  { worker, path, from }: Pick<WorktreePlan, "worker" | "path" | "from">,
  which: readonly string[],
): Promise<string> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  hideFromGit(cx.stateRoot);
  await withGit(cx.env, from, { bytes: "usual" }, async (git) => {
    const why = `made for ${worker}: ${cx.program} worktree-remove ${worker} takes it away and keeps what is in it`;
    const [commit = "", ...more] = which;
    const words = ["worktree", "add", "--no-checkout", "--lock", "--reason", why, ...more, "--", path, commit];
    await needDone(git.refs(words), `no worktree could be made in ${path}`);
  });
  const made = placeOf(path);
  const trouble =
    typeof made === "string" ? `${path} is no worktree` : made.common === from.common ? bentIn(made) : `${made.common} holds it`;
  if (typeof made === "string" || trouble !== null) throw new Failure(`the worktree in ${path} is not what was asked for: ${trouble}`);
  return made.gitdir;
}

/** Writes the files as the user's own git would, but for what programs filter. */
async function checkOut({ cx }: Scene, tree: Worktree, { branchStands, baseCommit }: WorktreePlan): Promise<void> {
  await withGit(cx.env, recordedPlace(tree), { bytes: "usual" }, async (git) => {
    const commit = branchStands
      ? (await needDone(git.refs(["rev-parse", "--verify", "HEAD^{commit}"]), "the branch has no commit")).trim()
      : baseCommit;
    await needDone(
      git.files(["read-tree", "--reset", "-u", commit], { index: git.treeIndex }),
      `the files could not be written to ${tree.path}`,
    );
  });
}

/** @throws Failure when it did not end well, with its last lines */
async function setUp({ cx }: Scene, { worker, path, id }: Worktree, line: string): Promise<void> {
  const folder = join(cx.stateRoot, "artifacts", "worktrees");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const keep = join(folder, `${worker}-${id}.log`);
  if (cx.outside.tty.err) cx.err(`setting up the worktree of ${worker}: ${line}`);
  const done = await recordLine(line, { env: cx.env, cwd: path, timeoutMs: SETUP_MS, tailLines: 15, keep });
  if (done.exitCode === 0 && !done.timedOut) return;
  const how = done.timedOut
    ? "did not end in time"
    : done.exitCode === null
      ? `was ended by ${done.signal}`
      : `ended with ${done.exitCode}`;
  const said = done.tail === "" ? "it printed nothing" : `its last lines:\n${done.tail}`;
  throw new Failure(`the set-up of the worktree of ${worker} ${how}; ${said}`, {
    hint: `its whole output is in ${keep}; nothing was started`,
  });
}

/** Takes away a worktree in which nobody has worked yet, its branch if that was made with it and has nothing of its own, and its record. */
export async function unmake({ cx, store }: Scene, tree: Worktree): Promise<void> {
  const { path, common, branch, branch_made, base_commit } = tree;
  const gitdir = gitdirFor(common, path);
  removeFolder(path);
  if (gitdir !== null) rmSync(gitdir, { recursive: true, force: true });
  removeEmpty(dirname(path));
  if (branch_made)
    // Only as it was made: whoever has committed there in between keeps it.
    await withGit(cx.env, { common, gitdir: common, path: null }, { bytes: "usual" }, (git) =>
      git.refs(["update-ref", "-d", branch, base_commit]),
    );
  tx(store, () => dropWorktree(store, tree.id));
}

function removeEmpty(folder: string): void {
  try {
    if (readdirSync(folder).length === 0) rmSync(folder, { recursive: true });
  } catch {
    // It is not there, or somebody has just put something into it.
  }
}

/**
 * After a start that failed or was interrupted, and left nobody there: the worktree goes again, unless something was done in it.
 * @returns what is left of it, in words; null: nothing
 */
export async function unmakeUntouched(scene: Scene, tree: Worktree): Promise<string | null> {
  const { worker, path, base_commit, branch_made } = tree;
  const stays = `the worktree of ${worker} stays in ${path}`;
  try {
    const touched = await withGit(scene.cx.env, recordedPlace(tree), { bytes: "usual", objects: "scratch" }, async (git) => {
      const look = await lookAtTree(git, path, false);
      const { changed, untracked } = changesIn(look);
      const moved = branch_made && look.head !== base_commit;
      return changed.length + untracked.length + look.walked.nested.length > 0 || moved || look.branch !== tree.branch;
    });
    if (touched) return `${stays}, since something was done in it`;
    await unmake(scene, tree);
    return null;
  } catch (error) {
    if (error instanceof Failure) return `${stays}: ${error.message}`;
    throw error;
  }
}
