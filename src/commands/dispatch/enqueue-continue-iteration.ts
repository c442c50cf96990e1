/** `enqueue-continue-iteration`: queues the message that sends the worker into the next iteration of a loop. */
import { integer, text, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { Failure } from "../../core/failure.ts";
import { quoteWord } from "../../core/shell.ts";
import { enqueue, enqueueFlags, printQueued } from "../../flow/dispatch/enqueue.ts";
import { type LoopProgress, loopProgress, needLoopRun } from "../../store/loops/runs.ts";

export default verb(
  {
    about:
      "Queues a message that asks the worker for the next iteration of a loop. Dispatch delivers it only if the loop's policy " +
      "allows: the iteration is ahead, within the maximum, and the required evidence of the iteration before is on record.",
    examples: [
      [
        "enqueue-continue-iteration login-fix --loop-run loop-1 --requested-iteration 2 " +
          "--message 'Once more, with the review findings fixed'",
        "ask for iteration 2",
      ],
    ],
    positionals: { task: word("task name or id") },
    flags: {
      ...enqueueFlags,
      loopRun: text("id or name of the loop run", { required: true, value: "RUN" }),
      requestedIteration: integer("the iteration to go into", { required: true, min: Number.MIN_SAFE_INTEGER }),
      managerDecisionId: integer("the recorded manager decision behind this"),
    },
  },
  (args, cx: Context) => {
    const store = cx.store(args.path);
    let policy: unknown;
    let runId = "";
    let progress: LoopProgress = { reached: 0, delivered: [], next: 1 };
    const { requestedIteration: requested, managerDecisionId: decision } = args;
    const queued = enqueue(store, "continue_iteration", args, (task) => {
      if (requested < 1) throw new Failure(`--requested-iteration must be at least 1, not ${requested}`);
      const loop = needLoopRun(store, task, args.loopRun);
      const { current_iteration: current } = loop.policy;
      if (requested <= current)
        throw new Failure(
          `loop run ${JSON.stringify(args.loopRun)} already stands at iteration ${current}, so iteration ${requested} is not ahead`,
          { hint: `conveyor loop-status ${quoteWord(args.task)} --run ${quoteWord(args.loopRun)}` },
        );
      progress = loopProgress(store, loop);
      policy = loop.policy;
      runId = loop.run.id;
      return {
        ralph_loop: { run_id: runId, requested_iteration: requested },
        loop_policy: loop.policy,
        ...(decision === undefined ? {} : { manager_decision: { decision_id: decision } }),
      };
    });
    const { reached, delivered } = progress;
    if (requested <= reached || delivered.includes(requested))
      cx.err(
        `warning: iteration ${requested} of loop run ${JSON.stringify(args.loopRun)} was delivered already, so Dispatch will block ` +
          "this request",
      );
    return printQueued(cx, store, args, queued, {
      delivered_iterations: delivered,
      loop_policy: policy,
      loop_run_id: runId,
      manager_decision_id: decision ?? null,
      reached_iteration: reached,
      requested_iteration: requested,
    });
  },
);
