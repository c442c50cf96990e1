/** `request-worker-compact`: has the worker of a task compact or clear its context. */
import { flag, integer, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { compactFlags, requestCompact } from "../../flow/tasks/compact.ts";
import { needTask } from "../../store/tasks/tasks.ts";

export default verb(
  {
    about:
      "Sends /compact (or /clear, or a prompt) to the worker bound to a task. The task's configuration " +
      "must permit it and a handoff must be saved; a manager's decision is checked too, and with " +
      "--strict-decisions it must cover the request. Every request is on record, refused ones as well.",
    examples: [
      ["request-worker-compact login-fix --dry-run", "are the gates open, and what would be sent"],
      ["request-worker-compact login-fix --strict-decisions --decision-id 12", "send it under a recorded decision"],
    ],
    positionals: { task: word("a bound task, by name or id") },
    flags: {
      decisionId: integer("the manager's decision to nudge that covers this", { value: "ID" }),
      strictDecisions: flag("refuse without such a decision of the last 15 minutes"),
      ...compactFlags,
    },
  },
  async (args, cx: Context) => {
    const store = cx.store(args.path);
    cx.json(await requestCompact({ cx, store, task: needTask(store, args.task) }, args));
  },
);
