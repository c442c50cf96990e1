/** The proofs of a task, made once more on the result of a merge. */
import { existsSync } from "node:fs";
import { basename, join, relative, sep } from "node:path";
import type { Criterion } from "../../core/tasks/criteria.ts";
import { Failure } from "../../core/failure.ts";
import { isMasked, pathOutside } from "../../core/landing.ts";
import { type EvidenceRun, proofSentence, sameTree, succeeded } from "../../core/loops/evidence-run.ts";
import { oneLine } from "../../core/plain-text.ts";
import { maskSecrets } from "../../core/secrets.ts";
import { quoteCommand } from "../../core/shell.ts";
import { provingRun } from "../../store/loops/evidence-runs.ts";
import { listCriteria } from "../../store/tasks/criteria.ts";
import { isFolder, realPath } from "../../system/files/folders.ts";
import type { OwnGit } from "../../system/git/own-git.ts";
import { restoreTree } from "../../system/git/scratch-merge.ts";
import { which } from "../../system/processes/environment.ts";
import { recordLine } from "../../system/processes/recorded-run.ts";
import { proveAgain } from "../loops/evidence-run.ts";
import { sourceTree } from "../loops/machine-proof.ts";
import type { TaskScene } from "../scene.ts";
import { proveThere } from "./gates.ts";

/** A proof as it was stored, and where in the tree it runs. */
export interface PlannedProof {
  readonly criterion: Criterion;
  readonly stored: EvidenceRun;
  /** Below the root of the tree; "" is the root. */
  readonly inside: string;
}

/**
 * The machine proofs of the task's criteria.
 * @param roots working trees of the repository, the worker's first: a proof that was made in one of them is made in the merge's
 * @throws Failure that names those that cannot be made there
 */
export function plannedProofs({ cx, store, task }: TaskScene, roots: readonly string[]): PlannedProof[] {
  const longestFirst = [...roots].sort((a, b) => b.length - a.length);
  return listCriteria(store, task.id).flatMap((criterion) => {
    const stored = provingRun(store, criterion);
    if (stored === null) return [];
    const refuse = (why: string, how: string): never => {
      throw new Failure(`the proof of criterion ${criterion.id} cannot be made on the merge, ${why}: ${quoteCommand(stored.command)}`, {
        hint: `${proveThere(cx, task.name, criterion.id, roots[0]!)}, ${how}`,
      });
    };
    if (isMasked(stored)) refuse("since it was stored with a secret masked", "with the secret in its environment and not in its words");
    const folder = realPath(stored.folder);
    const root = longestFirst.find((each) => folder === each || folder.startsWith(each + sep));
    if (root === undefined) return refuse(`since ${stored.folder} lies outside of the repository`, "run in the worktree of the worker");
    const inside = relative(root, folder);
    const depth = inside === "" ? 0 : inside.split(sep).length;
    const outside = pathOutside(
      stored.command,
      depth,
      (top) => existsSync(top),
      (program) => which(basename(program), cx.env) === program,
    );
    if (outside !== null) refuse(`since it names ${outside}, which lies outside of it`, "with paths from the folder it runs in");
    return [{ criterion, stored, inside }];
  });
}

/** A proof that takes so much longer than it did hangs. */
const TIMES_LONGER = 10;
const SHORTEST_LIMIT_MS = 600_000;

/** Where it is proven. */
export interface Stage {
  readonly git: OwnGit;
  /** The one that is lent to the tree. */
  readonly repository: string;
  readonly tree: string;
  readonly commit: string;
  readonly setup: string | null;
}

/** A set-up that takes longer is taken to hang. */
const SETUP_MS = 30 * 60_000;

/** Runs the command that makes the tree ready. @throws Failure that ends with what it printed last */
async function setUp({ cx }: TaskScene, { tree, setup }: Stage): Promise<void> {
  if (setup === null) return;
  const ran = await recordLine(setup, { env: cx.env, cwd: tree, timeoutMs: SETUP_MS, tailLines: 15, endsRest: true });
  if (ran.exitCode === 0) return;
  const said = ran.tail === "" ? ", and printed nothing" : `: ${maskSecrets(ran.tail).slice(-1500)}`;
  throw new Failure(`the setup of the merge ended with ${ran.exitCode ?? ran.signal}${said}`, {
    hint: "land with another --setup 'CMD', or with --setup '' for none",
  });
}

interface ProofWish {
  readonly timeoutMs: number | null;
  readonly landingId: string | null;
  /** The tree that is put on record for the folder; null: the one it was stored with. */
  readonly recordedRoot: string | null;
  /** Told before each. */
  readonly say: (what: string) => void;
  /** @throws Failure when this process was asked to end */
  readonly goOn: () => void;
  /** Told after each. */
  readonly done: (run: EvidenceRun) => void;
}

/**
 * Makes all of them, each on the tree as the merge and its setup have left it.
 * @throws Failure when the setup fails, or a command cannot be run
 */
export async function prove(scene: TaskScene, stage: Stage, proofs: readonly PlannedProof[], wish: ProofWish): Promise<EvidenceRun[]> {
  const { cx, store } = scene;
  const look = () => sourceTree(cx, store, stage.tree);
  wish.goOn();
  if (stage.setup !== null) wish.say(`set-up: ${oneLine(maskSecrets(stage.setup))}`);
  await setUp(scene, stage);
  const ready = proofs.length > 1 ? await look() : null;
  const runs: EvidenceRun[] = [];
  const place = realPath(stage.tree);
  for (const { criterion, stored, inside } of proofs) {
    wish.goOn();
    // What stands there now is the work of a proof: through a link another folder would be put back and cleared.
    if (!isFolder(stage.tree) || realPath(stage.tree) !== place)
      throw new Failure(`the tree of the merge was taken away before the proof of criterion ${criterion.id} could be made in it`, {
        hint: "the setup or an earlier proof has done it",
      });
    if (runs.length > 0 && !sameTree(ready, await look())) {
      await restoreTree(stage.git, stage.repository, stage.tree, stage.commit);
      await setUp(scene, stage);
    }
    wish.say(`proof of criterion ${criterion.id}: ${quoteCommand(stored.command)}`);
    const folder = join(stage.tree, inside);
    if (!existsSync(folder))
      throw new Failure(
        `the proof of criterion ${criterion.id} cannot be made on the merge: there is no folder ${JSON.stringify(inside)} in it`,
      );
    const run = await proveAgain(scene, {
      stored,
      folder,
      recordedFolder: wish.recordedRoot === null ? stored.folder : join(wish.recordedRoot, inside),
      timeoutMs: wish.timeoutMs ?? Math.max(SHORTEST_LIMIT_MS, Math.ceil(stored.duration_ms * TIMES_LONGER)),
      landingId: wish.landingId,
    });
    runs.push(run);
    wish.done(run);
  }
  return runs;
}

/** Why they do not let it land, in one sentence with the last of the output; null: all hold. */
export function failedProofs(runs: readonly EvidenceRun[]): string | null {
  const failed = runs.filter((run) => !succeeded(run));
  if (failed.length === 0) return null;
  const told = failed.map((run) => `criterion ${run.criterion_id}: ${proofSentence(run)}`).join("; ");
  const tail = failed[0]!.output_tail.split("\n").slice(-5).join("\n");
  return `the proof does not hold on the merge: ${told}${tail === "" ? "" : `\n${tail}`}`;
}
