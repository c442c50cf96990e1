/** `record-decision`: what a manager decided about a task, and why. */
import { choiceWord, integer, json, jsonFlag, pathFlag, text, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { DECISIONS } from "../../core/tasks/decision.ts";
import { recordDecision } from "../../store/tasks/decisions.ts";
import { needTask } from "../../store/tasks/tasks.ts";

export default verb(
  {
    about:
      "Records a manager's decision with its reason. finish-task, stop-task and " +
      "request-worker-compact can ask for the id of a decision that is not older than 15 minutes.",
    examples: [
      ["record-decision login-fix nudge --reason 'tests not run for 20 minutes'", "before a nudge"],
      ["record-decision login-fix stop --reason 'all criteria settled' --cycle-id 12", "tied to the cycle that led to it"],
    ],
    positionals: { task: word("task id or name"), decision: choiceWord("what was decided", DECISIONS) },
    flags: {
      reason: text("why", { required: true, filled: true }),
      cycleId: integer("the manager cycle behind it", { value: "ID" }),
      payloadJson: json("further facts, a JSON object", { value: "JSON" }),
      json: jsonFlag,
      path: pathFlag,
    },
  },
  (args, cx: Context) => {
    const store = cx.store(args.path);
    const task = needTask(store, args.task);
    const row = recordDecision(store, task, {
      decision: args.decision,
      reason: args.reason,
      payload: args.payloadJson ?? {},
      cycleId: args.cycleId,
    });
    cx.json({ ...row, task: { id: task.id, name: task.name } });
  },
);
