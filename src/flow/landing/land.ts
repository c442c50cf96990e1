/** `land`: a worker's branch merged, proven on the merge, and only then let into another branch. */
import { Failure } from "../../core/failure.ts";
import type { LandResult } from "../../core/landing.ts";
import { onStop } from "../../system/processes/this-process.ts";
import type { TaskScene } from "../scene.ts";
import { type Found, Land, type LandOrder } from "./one-landing.ts";

/** How it ended, and what a person may do about a refusal. */
export interface Landed {
  readonly result: LandResult;
  readonly hint: string | undefined;
}

/**
 * Lands the work of the task's worker.
 * @param say told what happens, as it happens
 * @throws nothing that is a refusal: that stands in the result
 */
export async function land(scene: TaskScene, order: LandOrder, say: (what: string) => void): Promise<Landed> {
  const found: Found = {
    task: scene.task.name,
    branch: null,
    into: null,
    before: null,
    after: null,
    landed: false,
    dry_run: order.dryRun,
    restarted: false,
    conflicts: [],
    proofs: [],
    refused: null,
    finished: false,
  };
  let asked = false;
  const release = onStop(() => (asked = true), { patient: true });
  const goOn = (): void => {
    if (asked) throw new Failure("it was interrupted, and nothing has moved");
  };
  try {
    await new Land(scene, order, found, say, goOn).run();
    return { result: found, hint: undefined };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { result: { ...found, refused: error.message }, hint: error.hint };
  } finally {
    release();
  }
}
