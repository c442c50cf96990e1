/** Continuations: independent proposals of the next step, and the review that compares them. */
import * as v from "valibot";
import { checked, filledText, misfits, oneOf } from "./agent-input.ts";
import type { JsonObject } from "../json.ts";
import type { NudgeMode } from "./manager-config.ts";
import type { Role } from "../sessions/session.ts";

/** A row of `task_continuations`, its JSON column read. The correlation id names the turn. */
export interface Continuation {
  readonly id: number;
  readonly task_id: string;
  readonly proposer: Role;
  readonly payload: JsonObject;
  /** Counts per task and proposer. */
  readonly revision: number;
  readonly correlation_id: string;
  readonly created_at: string;
}

const AGREEMENTS = ["match", "compatible", "divergent"] as const;
const VERDICTS = ["proceed", "amend", "stop"] as const;

/** A row of `continuation_reviews`, its JSON column read. */
export interface Review {
  readonly id: number;
  readonly task_id: string;
  readonly correlation_id: string;
  readonly worker_continuation_id: number;
  readonly manager_continuation_id: number;
  readonly agreement: (typeof AGREEMENTS)[number];
  readonly verdict: (typeof VERDICTS)[number];
  readonly addendum: string | null;
  readonly rationale: string;
  readonly subagent_run: JsonObject;
  readonly created_at: string;
}

const runOfReviewer = v.looseObject(
  {
    reviewer_session_id: filledText(),
    manager_session_id: filledText(),
    manager_rollout_access: v.literal(false, "false: a reviewer must not see the manager's rollout"),
  },
  "an object that tells of the reviewer's run",
);

const review = v.looseObject({
  agreement: oneOf(AGREEMENTS),
  verdict: oneOf(VERDICTS),
  rationale: filledText(),
  subagent_run: v.pipe(
    runOfReviewer,
    v.check((run) => run.reviewer_session_id !== run.manager_session_id, "a reviewer_session_id that differs from manager_session_id"),
  ),
  addendum: v.optional(v.nullable(v.string("a text"))),
});

export interface ReviewInput {
  readonly agreement: Review["agreement"];
  readonly verdict: Review["verdict"];
  readonly rationale: string;
  readonly addendum: string | null;
  readonly subagentRun: JsonObject;
}

/**
 * A review as a reviewer hands it in.
 * @throws Failure naming every field that is missing or wrong
 */
export function reviewInput(value: JsonObject): ReviewInput {
  const { agreement, verdict, rationale, addendum, subagent_run } = checked(review, value, "the review");
  return { agreement, verdict, rationale, addendum: addendum ?? null, subagentRun: subagent_run as JsonObject };
}

/** The fields of a review that are missing or wrong, without anything of what they hold. */
export const reviewMisfits = (value: JsonObject): string[] => misfits(review, value).map(({ path }) => path);

/** A reviewer that failed and stopped the turn. */
export const failureForcesRouting = (input: Pick<ReviewInput, "verdict" | "subagentRun">): boolean =>
  input.verdict === "stop" && input.subagentRun.status === "failed";

/** Whether a person must decide: the reviewer failed, or worker and manager want different things and nobody allowed to go on. */
export const needsOperator = (input: Pick<ReviewInput, "agreement" | "verdict" | "subagentRun">, nudge: NudgeMode): boolean =>
  failureForcesRouting(input) || (input.agreement === "divergent" && nudge !== "auto-proceed");

export const VIEWERS = ["all", "worker", "manager", "reviewer"] as const;
export type Viewer = (typeof VIEWERS)[number];

/**
 * Whether this viewer must not read a proposal yet: the manager answers a turn before it sees the worker's, the worker sees the manager's
 * once it was reviewed. `turn` is everything proposed under the same correlation id.
 */
export function isWithheld(proposal: Continuation, viewer: Viewer, turn: readonly Continuation[], reviewed: boolean): boolean {
  if (viewer === "manager") return proposal.proposer === "worker" && !turn.some((each) => each.proposer === "manager");
  return viewer === "worker" && proposal.proposer === "manager" && !reviewed;
}
