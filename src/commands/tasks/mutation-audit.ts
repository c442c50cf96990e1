/** `mutation-audit`: were the commands that changed something decided before they were sent. */
import { flag, pathFlag, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { printJson, printLines } from "../../flow/audit/print.ts";
import { countMutations, mutations } from "../../store/tasks/mutations.ts";
import { snapshot } from "../../store/reading.ts";
import { needNewestTask } from "../../store/tasks/tasks.ts";
import { mutationText } from "../../view/audit/audit.ts";
import { Stream } from "../../view/json-stream.ts";

export default verb(
  {
    about:
      "Judges the commands that nudge, interrupt, compact, extend, pause, stop or finish: each " +
      "should name a decision of the manager that allows it. Exits with 1 when one does not.",
    examples: [["mutation-audit login-fix", "one line for each command, with what is missing"]],
    positionals: { task: word("task, by name or id") },
    flags: { json: flag("print JSON"), path: pathFlag },
  },
  (args, cx: Context) => {
    const store = cx.store(args.path);
    return snapshot(store, () => {
      const task = needNewestTask(store, args.task);
      const summary = countMutations(store, task.id);
      const ok = summary.with_warnings === 0;
      if (args.json) printJson(cx, { ok, records: new Stream(() => mutations(store, task.id)), summary: { ...summary }, task });
      else printLines(cx, mutationText(task, summary, mutations(store, task.id)));
      return ok ? 0 : 1;
    });
  },
);
