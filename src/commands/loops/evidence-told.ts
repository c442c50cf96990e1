/** `evidence told`: records a run that a worker has made inside its sandbox, which is closed to the records. */
import { pathFlag, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { Failure } from "../../core/failure.ts";
import { needIteration, needType } from "../../core/loops/evidence.ts";
import { readToldEvidence, type ToldEvidence } from "../../core/loops/told-evidence.ts";
import { recordMeasured } from "../../flow/loops/evidence-run.ts";
import { needLoopRun } from "../../store/loops/runs.ts";
import { needTask } from "../../store/tasks/tasks.ts";

export default verb(
  {
    about:
      "Records a run that `evidence run` has made inside a sandbox which is closed to the records. Dispatch runs this for it; by hand " +
      "there is nothing to do with it.",
    positionals: { task: word("task id or name") },
    flags: { path: pathFlag },
  },
  (args, cx: Context) => {
    const { settling, measured } = read(cx.stdin({ exact: true }));
    const store = cx.store(args.path);
    const task = needTask(store, args.task);
    const { loopRun, iteration, type } = settling;
    const target =
      loopRun === null
        ? undefined
        : { loop: needLoopRun(store, task, loopRun), iteration: needIteration(iteration ?? 0), type: needType(type ?? "") };
    const { criterion, source, correlationId } = settling;
    const more = { criterionId: criterion ?? undefined, correlationId: correlationId ?? undefined };
    cx.json(recordMeasured({ cx, store, task }, { ...more, target, source, told: true }, measured));
  },
);

function read(text: string): ToldEvidence {
  try {
    return readToldEvidence(text);
  } catch {
    throw new Failure("standard input tells of no run");
  }
}
