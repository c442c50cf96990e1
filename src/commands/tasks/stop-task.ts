/** `stop-task`: gives a task up and stops its manager. */
import { flag, integer, jsonFlag, pathFlag, text, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { plainOrder } from "../../core/tasks/finish.ts";
import { finishTask } from "../../flow/tasks/finish.ts";
import { needTask } from "../../store/tasks/tasks.ts";

export default verb(
  {
    about:
      "Gives a task up: ends the manager's terminal, the worker's on demand, the binding and the run " +
      "(as abandoned). There are no gates, and no decision is recorded. The task is done afterwards. " +
      "A manager that leads other tasks too is not ended: --keep-manager leaves it alone.",
    examples: [["stop-task login-fix --reason 'out of budget' --stop-worker --message 'We stop here, thank you.'", "end everything of it"]],
    positionals: { task: word("task id or name") },
    flags: {
      stopWorker: flag("end the worker's terminal too"),
      keepManager: flag("leave the manager's terminal, as one that leads other tasks too needs"),
      message: text("said to the worker before it is stopped"),
      decisionId: integer("the manager's decision to stop", { value: "ID" }),
      strictDecisions: flag("refuse without a fresh stop decision (--decision-id)"),
      reason: text("why", { default: "Task stopped by operator.", filled: true }),
      json: jsonFlag,
      path: pathFlag,
    },
  },
  async (args, cx: Context) => {
    const store = cx.store(args.path);
    const scene = { cx, store, task: needTask(store, args.task) };
    const result = await finishTask(scene, {
      ...plainOrder("stop", args.reason),
      message: args.message ?? null,
      stopWorker: args.stopWorker,
      stopManager: !args.keepManager,
      decisionId: args.decisionId,
      strictDecisions: args.strictDecisions,
    });
    cx.json(result);
  },
);
