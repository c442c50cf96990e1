/**
 * Whether a loop may go into its next iteration, decided from its policy and the evidence on record; and the text that sends the worker
 * round.
 */
import type { Criterion } from "../tasks/criteria.ts";
import { isAdversarialProof } from "../tasks/evidence.ts";
import { ADVERSARIAL_CHECK, type LoopPolicy } from "./loop-run.ts";

interface GateInput {
  readonly policy: LoopPolicy;
  readonly requested: number;
  /** How far the loop has come: the policy's current iteration, or a later one whose message arrived. */
  readonly reached: number;
  /** Iterations whose message is delivered or on its way: none is delivered twice. */
  readonly delivered: readonly number[];
  /** All criteria of the task; only satisfied ones count. */
  readonly criteria: readonly Criterion[];
}

export interface GateVerdict {
  /** Null: go. */
  readonly reason: string | null;
  /** Required evidence types without a receipt, in the order of the policy. */
  readonly missing: readonly string[];
}

function isReceipt(criterion: Criterion, type: string, runId: string, iteration: number): boolean {
  const { evidence, status } = criterion;
  if (status !== "satisfied" || evidence.evidence_type !== type || evidence.ralph_loop_run_id !== runId || evidence.iteration !== iteration)
    return false;
  return type !== ADVERSARIAL_CHECK || isAdversarialProof(evidence);
}

/** The first reason against the requested iteration, or none. Evidence is asked for from the second iteration on, about the one before. */
export function decideGate({ policy, requested, reached, delivered, criteria }: GateInput): GateVerdict {
  if (requested <= reached || delivered.includes(requested)) return { reason: "stale_requested_iteration", missing: [] };
  if (reached >= policy.max_iterations || requested > policy.max_iterations) return { reason: "max_iterations_reached", missing: [] };
  const required = requested > 1 ? policy.required_before_continue : [];
  const missing = required.filter((type) => !criteria.some((criterion) => isReceipt(criterion, type, policy.run_id, requested - 1)));
  if (missing.length === 0) return { reason: null, missing };
  return { reason: missing.length === 1 ? `missing_${missing[0]}_evidence` : "missing_required_evidence", missing };
}

/** What the worker reads when the message is pushed: the message, then what the loop asks of it. */
export function iterationText(
  message: string,
  policy: LoopPolicy,
  { requested, reached }: Pick<GateInput, "requested" | "reached">,
): string {
  const list = (items: readonly string[]): string => (items.length === 0 ? "none" : items.join(", "));
  return [
    message.trimEnd(),
    "",
    "Loop policy:",
    `run_id: ${policy.run_id}`,
    `template: ${policy.template ?? "unknown"}`,
    `iteration: requested ${requested}, current ${reached}, maximum ${policy.max_iterations}`,
    `cleanup policy: ${policy.cleanup_policy ?? "none"}`,
    `required evidence: ${list(policy.required_before_continue)}`,
    `recommended tools: ${list(policy.recommended_tools)}`,
    `artifact requirements: ${list(Object.keys(policy.artifact_requirements).sort())}`,
  ].join("\n");
}
