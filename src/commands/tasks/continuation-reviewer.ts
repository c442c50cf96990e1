/** `continuation-reviewer`: lets an isolated process compare the two proposals of a turn. */
import { flag, number, pathFlag, rest, text, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { UsageError } from "../../core/failure.ts";
import { needPermission } from "../../flow/tasks/permission.ts";
import { buildReviewContext, runReviewer } from "../../flow/tasks/review.ts";
import { addReview, needPair } from "../../store/tasks/continuations.ts";
import { needTask } from "../../store/tasks/tasks.ts";

export default verb(
  {
    about:
      "Runs a reviewer program on the two proposals of a turn and records its review. The program gets the " +
      "context as JSON on standard input and prints one JSON object: agreement, verdict, addendum, rationale. It " +
      "runs in a sandbox without network, with a read-only view of the machine in which the database, the state " +
      "folder and everything of Codex are hidden. Whatever goes wrong is recorded as a stop for the operator.",
    examples: [
      [
        "continuation-reviewer login-fix --correlation-id turn-7 --reviewer-session-id rev-1 --manager-session-id man-1 --dry-run",
        "see what the reviewer would be given",
      ],
      [
        "continuation-reviewer login-fix --correlation-id turn-7 --reviewer-session-id rev-1 " +
          "--manager-session-id man-1 --timeout 60 --reviewer-command ./review.py --strict",
        "run it",
      ],
    ],
    positionals: { task: word("task id or name") },
    flags: {
      correlationId: text("the turn", { required: true, filled: true, value: "ID" }),
      reviewerSessionId: text("who reviews; not the manager", { required: true, filled: true, value: "ID" }),
      managerSessionId: text("whose proposal is reviewed", { required: true, filled: true, value: "ID" }),
      timeout: number("seconds after which the reviewer is stopped", { default: 120, min: 0.001, max: 1_000_000, value: "SECONDS" }),
      dryRun: flag("print the context and the command, run nothing"),
      json: flag("accepted; the output is JSON anyway"),
      path: pathFlag,
      reviewerCommand: rest("the program with all its arguments; must come last"),
    },
  },
  async (args, cx: Context) => {
    const { reviewerSessionId, managerSessionId } = args;
    if (reviewerSessionId === managerSessionId)
      throw new UsageError("--reviewer-session-id and --manager-session-id must differ: a manager cannot review itself");
    const command = args.reviewerCommand[0] === "--" ? args.reviewerCommand.slice(1) : args.reviewerCommand;
    const store = cx.store(args.path);
    const task = needTask(store, args.task);
    needPermission(store, task, "context.spawn_reviewer");
    const pair = needPair(store, task, args.correlationId);
    const scene = { cx, store, task };
    const context = await buildReviewContext(scene, pair);
    if (args.dryRun) return cx.json({ context, reviewer_command: command });
    if (command.length === 0) throw new UsageError("--reviewer-command needs a program, as the last flag of the line");
    const review = await runReviewer(scene, {
      command,
      reviewerSessionId,
      managerSessionId,
      timeoutSeconds: args.timeout,
      context,
    });
    const recorded = addReview(store, task.id, pair, review);
    if (recorded.operator_routing_required) cx.err(`note: the operator must decide this turn: ${recorded.rationale}`);
    cx.json(recorded);
  },
);
