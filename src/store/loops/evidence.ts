/** Evidence of loops in `acceptance_criteria`: one row per run, iteration and type, found by its text. */
import type { Criterion, CriterionSource } from "../../core/tasks/criteria.ts";
import type { JsonObject } from "../../core/json.ts";
import { type Evidence, evidenceStatus, evidenceText, receiptOf } from "../../core/loops/evidence.ts";
import type { LoopRun } from "../../core/loops/loop-run.ts";
import type { Task } from "../../core/tasks/task.ts";
import { addCriterion, criteriaOfText, setCriterion } from "../tasks/criteria.ts";
import { type Store, tx } from "../store.ts";

interface NewEvidence extends Evidence {
  readonly source: CriterionSource;
  /** A generated sentence for a new row, and the stored one for an old row, unless given. */
  readonly proof?: string | undefined;
}

export interface Recorded {
  readonly criterion: Criterion;
  readonly evidence: JsonObject;
}

/** Records evidence, with event and telemetry of the loop's run. What was recorded before for the same iteration and type is replaced. */
export function recordEvidence(store: Store, task: Task, { run }: LoopRun, input: NewEvidence): Recorded {
  return tx(store, () => {
    const { type, iteration, source, proof } = input;
    const criterion = evidenceText(run.id, iteration, type);
    const evidence = receiptOf(run.id, input);
    const status = evidenceStatus(input.status);
    const known = criteriaOfText(store, task.id, criterion);
    if (known.length === 0) {
      const generated = `Evidence of type ${type} for iteration ${iteration} of loop run ${run.name} (${run.id}).`;
      return {
        criterion: addCriterion(store, task.id, { criterion, source, status, proof: proof ?? generated, evidence }).criterion,
        evidence,
      };
    }
    const updated = known.map((row) => setCriterion(store, task, row.id, status, { evidence, ...(proof === undefined ? {} : { proof }) }));
    return { criterion: updated.at(-1)!, evidence };
  });
}
