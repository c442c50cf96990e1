/** The loops of a task as the page shows them: how far each has come, and what the gate says to the next iteration. */
import type { Criterion } from "../core/tasks/criteria.ts";
import { Failure } from "../core/failure.ts";
import { decideGate } from "../core/loops/gate.ts";
import { type LoopPolicy, readLoop } from "../core/loops/loop-run.ts";
import { isLoop, type Run } from "../core/loops/run.ts";
import { iterationMessages, loopProgress, type IterationMessage } from "../store/loops/runs.ts";
import { listRuns } from "../store/record/runs.ts";
import type { Store } from "../store/store.ts";

export interface LoopView {
  readonly run: Pick<Run, "id" | "name" | "status" | "started_at" | "ended_at">;
  readonly policy: LoopPolicy;
  readonly reached: number;
  readonly messages: readonly IterationMessage[];
  /** About the first iteration that was not asked for yet. */
  readonly gate: { readonly requested: number; readonly reason: string | null; readonly missing: readonly string[] };
}

/** The task's loops, youngest first; a policy record that cannot be read is left out. */
export function loopsOf(store: Store, taskId: string, criteria: readonly Criterion[]): LoopView[] {
  return listRuns(store, { taskId })
    .filter((run) => isLoop(run.purpose, run.metadata))
    .slice(0, 5)
    .flatMap((run) => {
      try {
        const loop = readLoop(run);
        const { reached, delivered, next: requested } = loopProgress(store, loop);
        const { reason, missing } = decideGate({ policy: loop.policy, requested, reached, delivered, criteria });
        const { id, name, status, started_at, ended_at } = run;
        return {
          run: { id, name, status, started_at, ended_at },
          policy: loop.policy,
          reached,
          messages: iterationMessages(store, run),
          gate: { requested, reason, missing },
        };
      } catch (error) {
        if (error instanceof Failure) return [];
        throw error;
      }
    });
}
