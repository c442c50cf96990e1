/** Criteria that this program proved itself: whether their proof still fits the tree it was made on. */
import type { Context } from "../../context.ts";
import type { Criterion } from "../../core/tasks/criteria.ts";
import { type EvidenceRun, type MachineProof, type NotSeen, proofOf, type TreeState } from "../../core/loops/evidence-run.ts";
import { Failure } from "../../core/failure.ts";
import { quoteCommand, quoteWord } from "../../core/shell.ts";
import { listCriteria } from "../../store/tasks/criteria.ts";
import { provingRun } from "../../store/loops/evidence-runs.ts";
import type { Store } from "../../store/store.ts";
import { realPath } from "../../system/files/folders.ts";
import { treeState } from "../../system/git/tree-state.ts";
import type { TaskScene } from "../scene.ts";

type Place = Pick<Context, "env" | "stateRoot">;

type Look = TreeState & { readonly not_seen: NotSeen };

/** The tree of a folder, our own records left out. */
export function sourceTree(cx: Place, store: Store, folder: string): Promise<Look | null> {
  const root = realPath(cx.stateRoot);
  // A worker's worktree lies among our records, and is none of them.
  const among = `${realPath(folder)}/`.startsWith(`${root}/`);
  return treeState(cx.env, folder, [...(among ? [] : [root]), store.path, `${store.path}-wal`, `${store.path}-shm`]);
}

/** By criterion id: those of `criteria` that are machine-proven, each with how its proof stands. Every folder is looked at once. */
export async function machineProofs(cx: Place, store: Store, criteria: readonly Criterion[]): Promise<Map<number, MachineProof>> {
  const proven = criteria.map((criterion) => provingRun(store, criterion)).filter((run): run is EvidenceRun => run !== null);
  const trees = new Map<string, Look | null>();
  for (const { folder, tree } of proven) if (tree !== null && !trees.has(folder)) trees.set(folder, await sourceTree(cx, store, folder));
  return new Map(proven.map((run) => [run.criterion_id, proofOf(run, trees.get(run.folder) ?? null)]));
}

/** The criteria as commands list them: each with `machine_proof`, null where no machine proved it. */
export async function withProofs(
  cx: Place,
  store: Store,
  criteria: readonly Criterion[],
): Promise<(Criterion & { machine_proof: MachineProof | null })[]> {
  const proofs = await machineProofs(cx, store, criteria);
  return criteria.map((criterion) => ({ ...criterion, machine_proof: proofs.get(criterion.id) ?? null }));
}

/**
 * For `finish-task --require-fresh-proof`. Gives what the proofs do not see.
 * @throws Failure when no criterion of the task is machine-proven, or the proof of one is stale or cannot be checked; it names them and why
 */
export async function requireFreshProof({ cx, store, task }: TaskScene): Promise<NotSeen[]> {
  const proofs = await machineProofs(cx, store, listCriteria(store, task.id));
  const name = quoteWord(task.name);
  if (proofs.size === 0) {
    throw new Failure(`no criterion of task ${JSON.stringify(task.name)} is machine-proven`, {
      hint: `${cx.program} evidence run ${name} --criterion ID -- COMMAND`,
    });
  }
  const bad = [...proofs].filter(([, proof]) => proof.state !== "fresh");
  if (bad.length === 0) {
    const folders = new Map([...proofs.values()].map((proof) => [proof.folder, proof.not_seen]));
    return [...folders.values()].filter((each) => each !== null);
  }
  const [id, proof] = bad[0]!;
  throw new Failure(
    `task ${JSON.stringify(task.name)} has proof that is not fresh: ${bad.map(([criterion, { state, reason }]) => `criterion ${criterion} is ${state} (${reason})`).join("; ")}`,
    {
      hint: `${cx.program} evidence run ${name} --criterion ${id} --cwd ${quoteWord(proof.folder)} -- ${quoteCommand(proof.command)}`,
    },
  );
}
