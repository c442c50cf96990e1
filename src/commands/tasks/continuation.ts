/** `continuation`: worker and manager propose the next step independently, and a review compares them. */
import { choice, flag, jsonFlag, pathFlag, text, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { readObject } from "../../core/tasks/agent-input.ts";
import { isWithheld, reviewInput, VIEWERS, type Viewer } from "../../core/tasks/continuation.ts";
import { Failure, UsageError } from "../../core/failure.ts";
import { ROLES } from "../../core/sessions/session.ts";
import { quoteWord } from "../../core/shell.ts";
import type { Task } from "../../core/tasks/task.ts";
import { needPermission } from "../../flow/tasks/permission.ts";
import { addReview, listContinuations, listReviews, needPair, submitContinuation } from "../../store/tasks/continuations.ts";
import type { Store } from "../../store/store.ts";
import { needTask } from "../../store/tasks/tasks.ts";

interface Listing {
  readonly turn: string | undefined;
  readonly viewer: Viewer;
  readonly payloads: boolean;
}

function list(store: Store, task: Task, { turn, viewer, payloads }: Listing) {
  const proposals = listContinuations(store, task.id, turn);
  const reviews = listReviews(store, task.id, turn);
  const continuations = proposals.map((proposal) => {
    const { payload, ...rest } = proposal;
    const ofTurn = proposals.filter((each) => each.correlation_id === proposal.correlation_id);
    const reviewed = reviews.some((review) => review.manager_continuation_id === proposal.id);
    const withheld = isWithheld(proposal, viewer, ofTurn, reviewed);
    if (payloads && withheld && viewer === "manager" && turn !== undefined) {
      throw new Failure(`the manager sees the worker's proposal of turn ${JSON.stringify(turn)} only after its own`, {
        hint: `conveyor continuation ${quoteWord(task.name)} --submit manager --from-stdin --correlation-id ${quoteWord(turn)}`,
      });
    }
    return payloads && !withheld ? proposal : { ...rest, payload_redacted: true };
  });
  const told = reviews.map((review) => ({ ...review, operator_routing_required: review.subagent_run.operator_routing_required === true }));
  return { task: { id: task.id, name: task.name }, continuations, reviews: told };
}

export default verb(
  {
    about:
      "One turn, named by its correlation id: the worker proposes the next step, the manager answers with its own proposal " +
      "before it sees the worker's, a reviewer compares the two. Proposals and reviews are JSON objects on standard input.",
    examples: [
      ["continuation login-fix --submit worker --from-stdin", "open a turn; prints its correlation id"],
      ["continuation login-fix --submit manager --from-stdin --correlation-id turn-7", "answer it"],
      ["continuation login-fix --review --from-stdin --correlation-id turn-7", "record what a reviewer said"],
      ["continuation login-fix --list --include-payload --as-role manager", "read it, as far as the manager may"],
    ],
    positionals: { task: word("task id or name") },
    flags: {
      submit: choice("hand in the proposal of this side", ROLES),
      review: flag("hand in a review: agreement, verdict, rationale, subagent_run, addendum"),
      list: flag("show proposals and reviews"),
      fromStdin: flag("read the JSON object from standard input"),
      correlationId: text("the turn; needed to answer and to review", { value: "ID", filled: true }),
      asRole: choice("with --list: hide what this role must not see yet", VIEWERS, { default: "all" }),
      includePayload: flag("with --list: show what was proposed"),
      json: jsonFlag,
      path: pathFlag,
    },
    exclusive: [{ of: ["submit", "review", "list"], required: true }],
  },
  (args, cx: Context) => {
    const turn = args.correlationId;
    if (!args.list && !args.fromStdin) throw new UsageError("--submit and --review read their JSON object with --from-stdin");
    if (turn === undefined && (args.review || args.submit === "manager"))
      throw new UsageError(`--${args.review ? "review" : "submit manager"} needs --correlation-id, the turn`);
    const store = cx.store(args.path);
    const task = needTask(store, args.task);
    if (args.list) return cx.json(list(store, task, { turn, viewer: args.asRole, payloads: args.includePayload }));
    if (args.submit) {
      const payload = readObject(cx.stdin({ exact: true }), "the proposal");
      return cx.json(submitContinuation(store, task, args.submit, { payload, turn: turn ?? cx.newId("continuation") }));
    }
    needPermission(store, task, "context.spawn_reviewer");
    const pair = needPair(store, task, turn!);
    cx.json(addReview(store, task.id, pair, reviewInput(readObject(cx.stdin({ exact: true }), "the review"))));
  },
);
