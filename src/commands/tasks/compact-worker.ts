/** `compact-worker`: decides to have the worker compact its context, and requests it under that decision. */
import { integer, text, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { compactFlags, requestCompact, slashCommandFor } from "../../flow/tasks/compact.ts";
import { recordDecision } from "../../store/tasks/decisions.ts";
import { needTask } from "../../store/tasks/tasks.ts";

export default verb(
  {
    about:
      "Records the manager's decision to nudge with its reason, then makes a strict " +
      "request-worker-compact under it. The decision stays on record when the request is refused.",
    examples: [["compact-worker login-fix --reason 'context is nearly full' --cycle-id 7", "decide and request in one step"]],
    positionals: { task: word("a bound task, by name or id") },
    flags: {
      reason: text("why now", { required: true, filled: true }),
      cycleId: integer("the cycle of this task that showed it", { value: "ID" }),
      ...compactFlags,
    },
  },
  async (args, cx: Context) => {
    const store = cx.store(args.path);
    const task = needTask(store, args.task);
    const payload = { slash_command: slashCommandFor(store, task, args), source: "compact-worker" };
    const decision = recordDecision(store, task, { decision: "nudge", reason: args.reason, cycleId: args.cycleId, payload });
    cx.json(await requestCompact(cx, store, task, { ...args, decisionId: decision.id, strictDecisions: true }));
  },
);
