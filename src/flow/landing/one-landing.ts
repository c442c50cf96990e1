/** One landing: merge, proofs, move, and the record of each. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Context } from "../../context.ts";
import { Failure } from "../../core/failure.ts";
import { quoteWord } from "../../core/shell.ts";
import { keepOf, type Landing, type LandResult } from "../../core/landing.ts";
import type { EvidenceRun } from "../../core/loops/evidence-run.ts";
import { oneLine } from "../../core/plain-text.ts";
import type { Task } from "../../core/tasks/task.ts";
import { branchName } from "../../core/worktree.ts";
import { beginLanding, changeLanding } from "../../store/landings.ts";
import { worktreeOfWorker } from "../../store/worktrees.ts";
import { commitOf, needDone, type OwnGit, withGit } from "../../system/git/own-git.ts";
import { BranchMoved, type BranchMove, HalfMoved, moveBranch, needMovable, settleMove } from "../../system/git/move-branch.ts";
import type { GitPlace } from "../../system/git/place.ts";
import { isAncestor, lendRepository, mergeInScratch } from "../../system/git/scratch-merge.ts";
import { commitWork, followIndex, moveWorkBranch } from "../../system/git/work-commit.ts";
import { thisHolder } from "../../system/processes/holder.ts";
import { hideFromGit } from "../../system/records-place.ts";
import { undisturbed } from "../../system/processes/this-process.ts";
import type { TaskScene } from "../scene.ts";
import { haveItMerge, needAtRest, needProven, type Target, targetOf, type Work, workToLand } from "./gates.ts";
import { runHook } from "./hooks.ts";
import { clearLanding, closeLanding, recoveredLine, recoverLandings } from "./end.ts";
import { failedProofs, plannedProofs, prove, type Stage } from "./proofs.ts";

export interface LandOrder {
  /** As it was typed; absent: the branch that the worktree was made from. */
  readonly into: string | undefined;
  readonly squash: boolean;
  readonly message: string | null;
  /** Absent: the worktree's own; "": none. */
  readonly setup: string | undefined;
  /** A proof is ended after this long; null: after ten times what it took, and ten minutes at least. */
  readonly timeoutMs: number | null;
  readonly dryRun: boolean;
  readonly hooks: boolean;
}

/** What has been found so far; told also when it is refused. */
export type Found = { -readonly [K in keyof LandResult]: LandResult[K] };

/** How often a branch that moves meanwhile is followed: once more from the start. */
const ROUNDS = 2;

/** The first words of the commit where nobody has said others. */
const messageFor = ({ name, goal }: Task): string => `${name}: ${oneLine(goal).trim().slice(0, 200)}`;

/** Does it. @throws Failure when it is refused; what had been found by then stands in `found` */
export class Land {
  /** The one at hand; null: none, or it is left to the next landing to bring it to its end. */
  private landing: Landing | null = null;

  constructor(
    private readonly scene: TaskScene,
    private readonly order: LandOrder,
    private readonly found: Found,
    private readonly say: (what: string) => void,
    private readonly goOn: () => void,
  ) {}

  private get cx(): Context {
    return this.scene.cx;
  }

  async run(): Promise<void> {
    const { scene, found } = this;
    const work = await workToLand(scene);
    found.branch = branchName(work.tree.branch);
    const recovered = await recoverLandings(scene);
    for (const each of recovered) this.cx.err(`note: ${recoveredLine(scene.store, each)}`);
    const blocked = recovered.find(({ end, landing }) => end === "open" && landing.common === work.tree.common);
    if (blocked !== undefined) throw new Failure(recoveredLine(scene.store, blocked), { hint: "see to that first, then land once more" });
    for (let round = 1; ; round++) {
      needProven(scene, work);
      needAtRest(scene, work);
      try {
        await this.once(work);
        return;
      } catch (error) {
        if (!(error instanceof BranchMoved)) throw error;
        if (round === ROUNDS)
          throw new Failure(`the branch ${found.into} moved again while the merge with it was proven, so nothing has moved`, {
            hint: "land once more",
          });
        this.say(`${found.into} has moved meanwhile: once more from the start`);
        Object.assign(found, { restarted: true, before: null, after: null, proofs: [] });
      }
    }
  }

  /** @throws BranchMoved, Failure */
  private async once(work: Work): Promise<void> {
    const { cx, order, found } = this;
    const { tree, gitdir } = work;
    const { common } = tree;
    const choice = { bytes: "usual", hooks: order.hooks } as const;
    const repository: GitPlace = { common, gitdir: common, path: null };
    const target = await withGit(cx.env, repository, choice, (git) => targetOf(this.scene, git, work, order.into));
    found.into = branchName(target.ref);
    found.before = target.commit;
    const [checkout = null] = target.checkouts.places;
    if (checkout !== null) await withGit(cx.env, checkout, choice, (git) => needMovable(git, { before: target.commit, after: null }));
    const proofs = plannedProofs(this.scene, [tree.path, ...target.checkouts.roots]);
    this.goOn();
    const theirs = await withGit(cx.env, { common, gitdir, path: tree.path }, choice, (git) => this.commitOfWork(git, work));
    this.goOn();
    await withGit(cx.env, repository, choice, async (git) => {
      const nothing = await isAncestor(git, theirs, target.commit);
      if (nothing) return this.nothingToLand(target);
      this.landing = await this.begin(work, target, checkout);
      try {
        await this.proveAndMove(git, this.landing, { work, target, checkout, theirs, proofs });
      } catch (error) {
        const why = error instanceof BranchMoved ? `${found.into} moved meanwhile` : (error as Error).message;
        await this.close(git, { state: "undone", why });
        throw error;
      }
    });
  }

  private nothingToLand(target: Target): void {
    this.found.after = target.commit;
    this.say(`nothing to land: ${this.found.into} has all of ${this.found.branch}`);
  }

  /** The commit that lands: the worker's branch, with what it has not committed. */
  private async commitOfWork(git: OwnGit, { tree }: Work): Promise<string> {
    const { order, scene } = this;
    const on = (await git.refs(["symbolic-ref", "--quiet", "HEAD"])).stdout.trim();
    if (on !== tree.branch)
      throw new Failure(
        `the worktree of ${JSON.stringify(tree.worker)} is not on its branch ${branchName(tree.branch)} ` +
          `but on ${on === "" ? "no branch" : branchName(on)}`,
        { hint: `git -C ${quoteWord(tree.path)} switch ${quoteWord(branchName(tree.branch))}` },
      );
    const head = await commitOf(git, tree.branch);
    if (head === null) throw new Failure(`the branch ${branchName(tree.branch)} has no commit`);
    const commit = await commitWork(git, { head, message: messageFor(scene.task) });
    // A removal takes nothing away before its record says so: what was seen until here was whole.
    if (worktreeOfWorker(scene.store, tree.worker)?.state !== "made")
      throw new Failure(`the worktree of ${JSON.stringify(tree.worker)} is being removed`, { hint: `${this.cx.program} worktrees` });
    if (commit === null) {
      if (!order.dryRun) await followIndex(git, head);
      return head;
    }
    this.say(`${order.dryRun ? "with what is not committed by" : "committed what was changed by"} ${tree.worker}: ${commit.slice(0, 10)}`);
    if (!order.dryRun) await moveWorkBranch(git, tree.branch, { head, commit });
    return commit;
  }

  private async begin({ tree }: Work, target: Target, checkout: GitPlace | null): Promise<Landing> {
    const { cx, store, task } = this.scene;
    const id = cx.newId("landing");
    // Whoever finds it cut off has to know that it is.
    const holder = await thisHolder(cx.env);
    if (holder === null) throw new Failure("this system does not tell a process from a later one with its number, so nothing is landed");
    const landing: Landing = {
      id,
      task_id: task.id,
      worktree_id: tree.id,
      state: "proving",
      common: tree.common,
      branch: tree.branch,
      into_ref: target.ref,
      folder: join(cx.stateRoot, ".worktrees", `.${id}`),
      before_commit: target.commit,
      after_commit: null,
      checkout: checkout?.path ?? null,
      checkout_gitdir: checkout?.gitdir ?? null,
      squash: this.order.squash,
      proofs: [],
      began_at: cx.now(),
      ended_at: null,
      why: null,
      holder,
    };
    beginLanding(store, landing);
    return landing;
  }

  private async proveAndMove(
    git: OwnGit,
    begun: Landing,
    at: { work: Work; target: Target; checkout: GitPlace | null; theirs: string; proofs: ReturnType<typeof plannedProofs> },
  ): Promise<void> {
    const { scene, order, found } = this;
    const { store, task } = scene;
    const tree = join(begun.folder, "tree");
    mkdirSync(tree, { recursive: true, mode: 0o700 });
    hideFromGit(this.cx.stateRoot);
    const before = at.target.commit;
    const merged = await mergeInScratch(git, {
      tree,
      before,
      theirs: at.theirs,
      squash: order.squash,
      message: order.message,
      otherwise: order.squash ? messageFor(task) : `Merge ${found.branch}: ${messageFor(task)}`,
    });
    if (merged.kind === "conflicts") {
      found.conflicts = merged.files;
      throw new Failure(
        `${found.branch} does not merge into ${found.into}: ${merged.files.map((file) => JSON.stringify(file)).join(", ")}`,
        { hint: haveItMerge(this.cx, at.work.worker.name, found.into!) },
      );
    }
    if (merged.kind === "nothing") {
      this.nothingToLand(at.target);
      return this.close(git, { state: "undone", why: null });
    }
    const after = merged.commit;
    found.after = after;
    await needDone(git.refs(["update-ref", keepOf(begun), after]), "the merge cannot be kept");
    this.say(`merged: ${after.slice(0, 10)}`);
    await lendRepository(git, join(begun.folder, "git"), tree, after);
    if (order.hooks) await runHook(scene, git, { name: "pre-merge-commit", words: [], tree });
    const runs = await this.proveMerge(git, begun, { ...at, tree, after });
    if (order.dryRun) return this.close(git, { state: "undone", why: null });
    const held = runs.map(({ criterion_id, id }) => ({ criterion_id, evidence_id: id }));
    // It took its time, in which somebody may have asked for more.
    needProven(scene, at.work);
    const moving = changeLanding(store, begun, { state: "moving", after_commit: after, proofs: held });
    if (moving === null) throw new Failure("somebody else has taken this landing for one that was cut off", { hint: "land once more" });
    this.landing = moving;
    await undisturbed(() => this.move(git, at.checkout, { ref: at.target.ref, before, after }));
  }

  private async proveMerge(
    git: OwnGit,
    landing: Landing,
    at: { work: Work; checkout: GitPlace | null; proofs: ReturnType<typeof plannedProofs>; tree: string; after: string },
  ): Promise<EvidenceRun[]> {
    const { scene, order, found } = this;
    const setup = order.setup ?? at.work.tree.setup;
    const repository = join(landing.folder, "git");
    const stage: Stage = { git, repository, tree: at.tree, commit: at.after, setup: setup === "" ? null : setup };
    const runs = await prove(scene, stage, at.proofs, {
      timeoutMs: order.timeoutMs,
      landingId: order.dryRun ? null : landing.id,
      recordedRoot: at.checkout?.path ?? null,
      say: this.say,
      goOn: this.goOn,
      done: (run) => {
        found.proofs = [
          ...found.proofs,
          { criterion_id: run.criterion_id, command: run.command, exit_code: run.exit_code, evidence_id: order.dryRun ? null : run.id },
        ];
      },
    });
    const failed = failedProofs(runs);
    if (failed !== null)
      throw new Failure(failed, { hint: `the criteria are as they were: ${haveItMerge(this.cx, at.work.worker.name, found.into!)}` });
    if (runs.length === 0) this.say("no criterion has a proof by a machine, so nothing was proven on the merge");
    return runs;
  }

  private async move(git: OwnGit, checkout: GitPlace | null, move: BranchMove): Promise<void> {
    const { cx, order, found } = this;
    const within = <T>(use: (git: OwnGit) => Promise<T>): Promise<T> =>
      checkout === null ? use(git) : withGit(cx.env, checkout, { bytes: "usual", hooks: order.hooks }, use);
    try {
      await within((there) => moveBranch(there, move, this.scene.task.name));
    } catch (error) {
      if (!(error instanceof HalfMoved)) throw error;
      await within((there) => this.settle(git, there, move, error));
    }
    found.landed = true;
    this.say(`landed: ${found.into} is at ${move.after.slice(0, 10)}`);
    await this.close(git, { state: "landed" });
    if (order.hooks && checkout?.path)
      await within((there) =>
        runHook(this.scene, there, { name: "post-merge", words: [order.squash ? "1" : "0"], tree: checkout.path! }),
      ).catch((error: Error) => cx.err(`note: ${error.message}`));
  }

  /** It went wrong in the middle: where it stands is looked at, and not taken from an exit status. */
  private async settle(git: OwnGit, there: OwnGit, move: BranchMove, trouble: HalfMoved): Promise<void> {
    const { landing } = this;
    // What cannot be settled now stays on record as it is, for the next landing.
    this.landing = null;
    const end = await settleMove(this.cx.env, there, move);
    if (end === "landed") return void (this.landing = landing);
    if (end === "undone") this.landing = landing;
    else if (landing !== null) {
      await clearLanding(this.scene, git, landing);
      closeLanding(this.scene, landing, { state: "unknown", why: trouble.message });
    }
    throw new Failure(trouble.message, { hint: trouble.hint });
  }

  private async close(git: OwnGit, end: Parameters<typeof closeLanding>[2]): Promise<void> {
    const { landing } = this;
    if (landing === null) return;
    await clearLanding(this.scene, git, landing);
    closeLanding(this.scene, landing, end);
    this.landing = null;
  }
}
