/** What must be so before a worker's branch is merged, and which two branches it is about. */
import type { Context } from "../../context.ts";
import { agentOf } from "../../core/agent/agents.ts";
import { Failure } from "../../core/failure.ts";
import { oneLine } from "../../core/plain-text.ts";
import type { Session } from "../../core/sessions/session.ts";
import { quoteCommand, quoteWord } from "../../core/shell.ts";
import { openCriteria } from "../../core/tasks/criteria.ts";
import { branchName, type Worktree } from "../../core/worktree.ts";
import { latestBinding } from "../../store/sessions/bindings.ts";
import { sessionById } from "../../store/sessions/sessions.ts";
import { listCriteria } from "../../store/tasks/criteria.ts";
import { worktreeOfWorker } from "../../store/worktrees.ts";
import { commitOf, type OwnGit } from "../../system/git/own-git.ts";
import { begunIn, type Checkouts, checkoutsOf, heldByRebase } from "../../system/git/branch-place.ts";
import { alive } from "../../system/processes/processes.ts";
import { mayAct } from "../reach/may-act.ts";
import { newestTurn } from "../reach/open-turn.ts";
import type { TaskScene } from "../scene.ts";

/** Whose work it is, and where that lies. */
export interface Work {
  readonly worker: Session;
  readonly tree: Worktree;
  readonly gitdir: string;
}

const LANDING = { permission: "operator.land", does: "land the work of", itself: "a worker does not land its own work" } as const;

/** @throws Failure when the task has no worker with a worktree, or this command may not land its work */
export async function workToLand({ cx, store, task }: TaskScene): Promise<Work> {
  const name = JSON.stringify(task.name);
  const binding = latestBinding(store, task.id);
  const worker = binding?.worker_session_id ? sessionById(store, binding.worker_session_id) : null;
  if (worker === null)
    throw new Failure(`task ${name} has no worker whose work could be landed`, {
      hint: `${cx.program} bind --task ${quoteWord(task.name)} --worker NAME --manager NAME`,
    });
  await mayAct(cx, store, worker, binding, LANDING);
  const tree = worktreeOfWorker(store, worker.name);
  if (tree === null || tree.state !== "made" || tree.gitdir === null)
    throw new Failure(`worker ${JSON.stringify(worker.name)} of task ${name} has no worktree, so there is no branch to land`, {
      hint: `${cx.program} start-worker --worktree makes one; ${cx.program} worktrees lists them`,
    });
  return { worker, tree, gitdir: tree.gitdir };
}

/** The command that proves a criterion where the work lies: from any other folder another tree would be proven. */
export const proveThere = (cx: Context, task: string, criterion: number, folder: string): string =>
  `${cx.program} evidence run ${quoteWord(task)} --criterion ${criterion} --cwd ${quoteWord(folder)} -- COMMAND`;

/**
 * What leads on where the merge does not hold: the worker's branch has to take in what the other has gained. Git merges nothing over
 * files that are not committed.
 */
export function haveItMerge(cx: Context, worker: string, into: string): string {
  const words = `Commit your work, merge ${into} into your branch, settle what conflicts, and run your checks.`;
  return `${quoteCommand([cx.program, "nudge", worker, words])}; land once more when it rests`;
}

/** @throws Failure while an accepted criterion is open */
export function needProven({ cx, store, task }: TaskScene, { tree }: Work): void {
  const open = openCriteria(listCriteria(store, task.id));
  if (open.length > 0)
    throw new Failure(
      `task ${JSON.stringify(task.name)} has open accepted criteria: ` +
        open.map(({ id, criterion }) => `#${id}: ${oneLine(criterion)}`).join("; "),
      { hint: proveThere(cx, task.name, open[0]!.id, tree.path) },
    );
}

/** @throws Failure while the worker's turn is open */
export function needAtRest({ cx }: TaskScene, { worker }: Work): void {
  const runs = worker.state !== "gone" && (worker.pid === null || alive(worker.pid));
  if (runs && newestTurn(agentOf(worker), worker.codex_session_path) === "open")
    throw new Failure(`the turn of worker ${JSON.stringify(worker.name)} is open, so its work may not be whole`, {
      hint: `${cx.program} wait ${quoteWord(worker.name)} --until idle, or ${cx.program} interrupt ${quoteWord(worker.name)}`,
    });
}

/** The branch that the work goes into, as it is now. */
export interface Target {
  /** `refs/heads/…` */
  readonly ref: string;
  readonly commit: string;
  readonly checkouts: Checkouts;
}

/** @param into as it was typed; absent: the branch that the worktree was made from */
export async function targetOf({ cx, task }: TaskScene, git: OwnGit, { tree, gitdir }: Work, into: string | undefined): Promise<Target> {
  const land = `${cx.program} land ${quoteWord(task.name)} --into BRANCH`;
  if (into === undefined && tree.base_branch === null)
    throw new Failure(
      `the worktree of ${JSON.stringify(tree.worker)} was not made from a branch (${tree.base_ref}), so it is not known where its work ` +
        "belongs",
      {
        hint: land,
      },
    );
  const asked = into === undefined ? tree.base_branch! : `refs/heads/${branchName(into)}`;
  // One name may stand for another (`git symbolic-ref`): what is checked out is the branch that it leads to.
  const ref = (await git.refs(["symbolic-ref", "--quiet", asked])).stdout.trim() || asked;
  const name = branchName(ref);
  if (ref === tree.branch) throw new Failure(`${name} is the worker's own branch`, { hint: land });
  const known = ref.startsWith("refs/heads/") && (await git.refs(["check-ref-format", ref])).code === 0;
  const commit = known ? await commitOf(git, ref) : null;
  if (commit === null) throw new Failure(`there is no branch ${JSON.stringify(name)} with a commit in ${git.place.common}`, { hint: land });
  const held = heldByRebase(git.place.common, ref);
  if (held !== null) throw new Failure(`the branch ${name} is not free: ${held}`, { hint: "end that first, then land once more" });
  const checkouts = await checkoutsOf(git, ref);
  if (checkouts.places.length > 1)
    throw new Failure(
      `the branch ${name} is checked out in ${checkouts.places.length} places: ${checkouts.places.map(({ path }) => path).join(", ")}`,
      {
        hint: "switch all but one of them to another branch, then land once more",
      },
    );
  const begun = begunIn(gitdir);
  if (begun !== null)
    throw new Failure(`the worktree of ${JSON.stringify(tree.worker)} is in the middle of ${begun}`, {
      hint: `${cx.program} nudge ${quoteWord(tree.worker)} TEXT asks the worker to end it`,
    });
  return { ref, commit, checkouts };
}
