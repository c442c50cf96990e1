/** The reviewer process: what it is given, and what is made of its answer or of its failure. */
import { type Continuation, type ReviewInput, reviewInput, reviewMisfits } from "./continuation.ts";
import type { Criterion } from "./criteria.ts";
import { isObject, isTooDeep, type JsonObject } from "../json.ts";
import type { ManagerConfig } from "./manager-config.ts";
import type { Task } from "./task.ts";

/** What the reviewer may know, and nothing else. */
const ALLOWED_CONTEXT = [
  "task",
  "correlation_id",
  "worker_continuation",
  "manager_continuation",
  "acceptance_criteria",
  "manager_config_summary",
  "diff",
  "recent_pull_requests",
  "constraints",
] as const;

const CONSTRAINTS = {
  manager_rollout_access: false,
  read_only: true,
  return_json_schema: {
    agreement: "match | compatible | divergent: how the two proposals relate",
    verdict: "proceed | amend | stop",
    addendum: "text or null: what should be added or changed",
    rationale: "text: why",
  },
};

const proposal = ({ id, revision, payload, created_at }: Continuation) => ({ id, revision, payload, created_at });

/** The document on the reviewer's standard input. */
export function reviewContext(from: {
  task: Task;
  pair: { worker: Continuation; manager: Continuation };
  criteria: readonly Criterion[];
  config: ManagerConfig;
  diff: object;
  pullRequests: readonly unknown[];
}): Record<string, unknown> {
  const { task, config, pair } = from;
  return {
    allowed_context: ALLOWED_CONTEXT,
    task: { id: task.id, name: task.name, goal: task.goal, state: task.state },
    correlation_id: pair.worker.correlation_id,
    worker_continuation: proposal(pair.worker),
    manager_continuation: proposal(pair.manager),
    acceptance_criteria: from.criteria,
    manager_config_summary: {
      acceptance_criteria: config.acceptance_criteria,
      tools: config.tools,
      epilogues: config.epilogues,
      nudge_on_completion: config.nudge_on_completion,
      permissions: config.permissions,
    },
    diff: from.diff,
    recent_pull_requests: from.pullRequests,
    constraints: CONSTRAINTS,
  };
}

/** Facts of a reviewer's run that it cannot forge. */
interface ReviewerRun {
  readonly reviewerSessionId: string;
  readonly managerSessionId: string;
  /** The program alone: its arguments may hold secrets. */
  readonly runner: string;
  readonly argCount: number;
  readonly sandbox: JsonObject;
  readonly returncode: number | null;
  readonly durationMs: number;
  readonly printedOut: boolean;
  readonly printedErr: boolean;
}

const facts = (run: ReviewerRun): JsonObject => ({
  runner: run.runner,
  runner_arg_count: run.argCount,
  returncode: run.returncode,
  duration_ms: run.durationMs,
  sandbox: run.sandbox,
  manager_rollout_access: false,
  manager_session_id: run.managerSessionId,
  reviewer_session_id: run.reviewerSessionId,
});

const STOP_ADDENDUM = "The reviewer gave no valid review. Do not go on without a decision of the operator.";

/** A failed run as a review: divergent, stop, the operator decides. */
export const failedReview = (run: ReviewerRun, error: string): ReviewInput => ({
  agreement: "divergent",
  verdict: "stop",
  addendum: STOP_ADDENDUM,
  rationale: error,
  subagentRun: { ...facts(run), status: "failed", error, stdout_redacted: run.printedOut, stderr_redacted: run.printedErr },
});

/** What a reviewer that ended well printed, as a review. What is wrong with it is told without repeating any of it. */
export function answeredReview(run: ReviewerRun, stdout: string): ReviewInput {
  let answer: unknown;
  try {
    answer = JSON.parse(stdout);
  } catch {
    return failedReview(run, "the reviewer's output is not JSON");
  }
  if (!isObject(answer)) return failedReview(run, "the reviewer's output is not one JSON object");
  if (isTooDeep(answer)) return failedReview(run, "the reviewer's output is nested too deeply");
  const told = isObject(answer.subagent_run) ? answer.subagent_run : {};
  const review = { ...answer, subagent_run: { ...told, ...facts(run), allowed_context: [...ALLOWED_CONTEXT], status: "succeeded" } };
  const wrong = reviewMisfits(review);
  return wrong.length === 0
    ? reviewInput(review)
    : failedReview(run, `the reviewer's answer is not a valid review; missing or wrong: ${wrong.join(", ")}`);
}
