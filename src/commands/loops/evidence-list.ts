/** `evidence list`: the commands that were run as evidence for a task. */
import { flag, integer, pathFlag, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { proofSentence } from "../../core/loops/evidence-run.ts";
import { needCriterion } from "../../store/tasks/criteria.ts";
import { listEvidenceRuns } from "../../store/loops/evidence-runs.ts";
import { needNewestTask } from "../../store/tasks/tasks.ts";

export default verb(
  {
    about:
      "Lists what `evidence run` recorded for a task, youngest first: command, " +
      "folder, state of the tree, how it ended, and the last lines of its output.",
    examples: [["evidence list login-fix --criterion 3 --json", "all runs for one criterion"]],
    positionals: { task: word("name or id of the task") },
    flags: {
      criterion: integer("only runs for this criterion", { value: "ID", min: 1 }),
      json: flag("print JSON"),
      path: pathFlag,
    },
  },
  (args, cx: Context) => {
    const store = cx.store(args.path);
    const task = needNewestTask(store, args.task);
    if (args.criterion !== undefined) needCriterion(store, task, args.criterion);
    const runs = listEvidenceRuns(store, task.id, args.criterion);
    if (args.json) return cx.json({ task: { id: task.id, name: task.name }, evidence_runs: runs });
    for (const run of runs) cx.out(`${run.started_at}\tcriterion ${run.criterion_id}\t${proofSentence(run)}`);
  },
);
