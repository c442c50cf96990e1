/** `divergences`: the cycles of a task whose screen said something that the rollout did not. */
import { integer, jsonFlag, pathFlag, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { flaggedCycles } from "../../store/observe/cycles.ts";
import { needNewestTask } from "../../store/tasks/tasks.ts";

export default verb(
  {
    about:
      "Prints the recorded cycles of a task in which the worker's screen showed a " +
      "waiting pattern or could not be seen, newest first, each with what it stored.",
    examples: [["divergences login-fix --limit 5", "the last five"]],
    positionals: { task: word("a task, by name or id") },
    flags: { limit: integer("how many", { default: 50, value: "N" }), json: jsonFlag, path: pathFlag },
  },
  (args, cx: Context) => {
    const store = cx.store(args.path);
    cx.json(flaggedCycles(store, needNewestTask(store, args.task).id, args.limit));
  },
);
