/** `task_continuations` and `continuation_reviews`: proposals of the next step and what reviewers said of them. */
import { type Continuation, failureForcesRouting, needsOperator, type Review, type ReviewInput } from "../../core/tasks/continuation.ts";
import { Failure } from "../../core/failure.ts";
import { compactJson, type JsonObject, parseStored } from "../../core/json.ts";
import type { Role } from "../../core/sessions/session.ts";
import { quoteWord } from "../../core/shell.ts";
import type { Task } from "../../core/tasks/task.ts";
import { addEvent } from "../record/events.ts";
import { findConfig } from "./manager-configs.ts";
import { type Store, tx } from "../store.ts";
import { addTelemetry } from "../record/telemetry.ts";

type ContinuationRow = Omit<Continuation, "payload"> & { readonly payload_json: string };
type ReviewRow = Omit<Review, "subagent_run"> & { readonly subagent_run_json: string };

const readContinuation = ({ payload_json, ...row }: ContinuationRow): Continuation => ({
  ...row,
  payload: parseStored<JsonObject>(payload_json, {}),
});
const readReview = ({ subagent_run_json, ...row }: ReviewRow): Review => ({
  ...row,
  subagent_run: parseStored<JsonObject>(subagent_run_json, {}),
});

/** The task's proposals in the order of their ids; with a correlation id those of that turn. */
export const listContinuations = (store: Store, taskId: string, turn?: string): Continuation[] =>
  store.db
    .query<ContinuationRow, [string, string | null]>(
      "select * from task_continuations where task_id = ?1 and (?2 is null or correlation_id = ?2) order by id",
    )
    .all(taskId, turn ?? null)
    .map(readContinuation);

/** The task's reviews in the order of their ids; with a correlation id those of that turn. */
export const listReviews = (store: Store, taskId: string, turn?: string): Review[] =>
  store.db
    .query<ReviewRow, [string, string | null]>(
      "select * from continuation_reviews where task_id = ?1 and (?2 is null or correlation_id = ?2) order by id",
    )
    .all(taskId, turn ?? null)
    .map(readReview);

export const latestReview = (store: Store, taskId: string): Review | null => {
  const row = store.db
    .query<ReviewRow, [string]>("select * from continuation_reviews where task_id = ? order by id desc limit 1")
    .get(taskId);
  return row && readReview(row);
};

export interface ProposalPair {
  readonly worker: Continuation;
  readonly manager: Continuation;
}

/**
 * The newest proposal of each side in a turn.
 * @throws Failure naming the turn and who has not proposed
 */
export function needPair(store: Store, task: Task, turn: string): ProposalPair {
  const proposals = listContinuations(store, task.id, turn);
  const [worker, manager] = (["worker", "manager"] as const).map((role) => proposals.findLast((each) => each.proposer === role));
  if (worker && manager) return { worker, manager };
  const missing = [...(worker ? [] : ["worker"]), ...(manager ? [] : ["manager"])];
  throw new Failure(
    `turn ${JSON.stringify(turn)} of task ${JSON.stringify(task.name)} has no proposal of the ${missing.join(" and none of the ")}`,
    {
      hint: `conveyor continuation ${quoteWord(task.name)} --submit ${missing[0]} --from-stdin --correlation-id ${quoteWord(turn)}`,
    },
  );
}

/**
 * Stores a proposal: the worker's opens a turn (or adds to one), the manager's answers one. What it says stays out of the event.
 * @throws Failure when the manager answers a turn in which the worker has proposed nothing
 */
export function submitContinuation(store: Store, task: Task, proposer: Role, input: { payload: JsonObject; turn: string }): Continuation {
  return tx(store, () => {
    const { turn } = input;
    if (proposer === "manager" && !listContinuations(store, task.id, turn).some((each) => each.proposer === "worker")) {
      throw new Failure(`turn ${JSON.stringify(turn)} of task ${JSON.stringify(task.name)} has no proposal of the worker to answer`, {
        hint: `conveyor continuation ${quoteWord(task.name)} --list`,
      });
    }
    const newest = store.db
      .query<{ revision: number }, [string, string]>(
        "select revision from task_continuations where task_id = ? and proposer = ? order by revision desc limit 1",
      )
      .get(task.id, proposer);
    const id = Number(
      store.db
        .query(
          `insert into task_continuations (task_id, proposer, payload_json, revision, created_at, correlation_id) values (?, ?, ?, ?, ?,
              ?)`,
        )
        .run(task.id, proposer, compactJson(input.payload), (newest?.revision ?? 0) + 1, store.now(), turn).lastInsertRowid,
    );
    addEvent(store, {
      type: "task_continuation_recorded",
      actor: proposer,
      taskId: task.id,
      correlationId: turn,
      payload: { continuation_id: id, payload_keys: Object.keys(input.payload).sort(), proposer },
    });
    return readContinuation(store.db.query<ContinuationRow, [number]>("select * from task_continuations where id = ?").get(id)!);
  });
}

/** Stores a review of a turn's pair with event and telemetry; both say how it went, never what was proposed. */
export function addReview(
  store: Store,
  taskId: string,
  pair: ProposalPair,
  input: ReviewInput,
): Review & { operator_routing_required: boolean } {
  return tx(store, () => {
    const nudge = findConfig(store, taskId)?.nudge_on_completion ?? "ask-operator";
    const routing = needsOperator(input, nudge);
    const run = input.subagentRun;
    const turn = pair.worker.correlation_id;
    const links = { worker_continuation_id: pair.worker.id, manager_continuation_id: pair.manager.id };
    const id = Number(
      store.db
        .query(
          `insert into continuation_reviews (task_id, worker_continuation_id, manager_continuation_id, agreement, verdict, addendum, rationale, subagent_run_json, created_at, correlation_id)
           values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        )
        .run(
          taskId,
          pair.worker.id,
          pair.manager.id,
          input.agreement,
          input.verdict,
          input.addendum,
          input.rationale,
          compactJson({ ...run, nudge_on_completion: nudge, operator_routing_required: routing }),
          store.now(),
          turn,
        ).lastInsertRowid,
    );
    addEvent(store, {
      type: "continuation_review_recorded",
      taskId,
      correlationId: turn,
      payload: { review_id: id, agreement: input.agreement, verdict: input.verdict, operator_routing_required: routing, ...links },
    });
    addTelemetry(store, {
      type: "continuation_review_recorded",
      severity: input.verdict === "stop" || routing ? "warning" : "info",
      taskId,
      summary: `continuation review: ${input.agreement}, ${input.verdict}`,
      correlation: { correlation_id: turn, review_id: id, ...links },
      attributes: {
        agreement: input.agreement,
        verdict: input.verdict,
        allowed_context: Array.isArray(run.allowed_context) ? run.allowed_context.map(String).sort() : [],
        has_addendum: Boolean(input.addendum),
        has_rationale: Boolean(input.rationale),
        manager_rollout_access: run.manager_rollout_access,
        manager_session_id: run.manager_session_id,
        reviewer_session_id: run.reviewer_session_id,
        reviewer_session_distinct: run.reviewer_session_id !== run.manager_session_id,
        reviewer_status: run.status ?? null,
        reviewer_returncode: run.returncode ?? null,
        reviewer_duration_ms: run.duration_ms ?? null,
        nudge_on_completion: nudge,
        operator_routing_required: routing,
        reviewer_failure_routing_forced: failureForcesRouting(input),
        payload_redacted: true,
      },
    });
    return { ...latestReview(store, taskId)!, operator_routing_required: routing };
  });
}
