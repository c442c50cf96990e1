/** Evidence for an iteration of a loop: the text that identifies it, its receipt, and what makes an attempt to disprove complete. */
import type { CriterionStatus } from "../tasks/criteria.ts";
import { Failure } from "../failure.ts";
import { isObject, type JsonObject } from "../json.ts";
import { saysSomething } from "../plain-text.ts";
import { ADVERSARIAL_CHECK, type LoopRun } from "./loop-run.ts";

/** The criterion's text: exactly this, other tools read it. */
export const evidenceText = (runId: string, iteration: number, type: string): string =>
  `Ralph loop ${runId} iteration ${iteration} ${type} evidence`;

const PASSING = ["pass", "passed", "success", "succeeded", "ok", "green", "satisfied"];

/** Whether a status as typed lets the evidence count. */
export const evidenceStatus = (status: string): CriterionStatus =>
  PASSING.includes(status.trim().toLowerCase()) ? "satisfied" : "rejected";

export interface Evidence {
  readonly type: string;
  readonly iteration: number;
  /** As typed. */
  readonly status: string;
  readonly artifactPath?: string | undefined;
  readonly correlationId?: string | undefined;
  readonly metadata?: JsonObject;
}

/** What is stored: the metadata, overlaid by what the evidence is about. */
export const receiptOf = (runId: string, { type, iteration, status, artifactPath, correlationId, metadata }: Evidence): JsonObject => ({
  ...metadata,
  evidence_type: type,
  iteration,
  ralph_loop_run_id: runId,
  status,
  ...(artifactPath === undefined ? {} : { artifact_path: artifactPath }),
  ...(correlationId === undefined ? {} : { correlation_id: correlationId }),
});

/** The run as the evidence commands print it. */
export const evidenceRun = ({ run, policy }: LoopRun) => ({
  id: run.id,
  name: run.name,
  task_id: run.task_id,
  preset: policy.preset,
  cleanup_policy: policy.cleanup_policy,
  current_iteration: policy.current_iteration,
  max_iterations: policy.max_iterations,
  required_before_continue: policy.required_before_continue,
  stop_conditions: policy.stop_conditions,
  seed_prompt_sha256: policy.seed_prompt_sha256,
  metadata: run.metadata,
});

/** @throws Failure naming the flag */
export function needIteration(iteration: number): number {
  if (iteration < 1)
    throw new Failure(`--iteration must be at least 1, not ${iteration}`, {
      hint: "iterations are counted from 1; conveyor loop-status tells where the loop stands",
    });
  return iteration;
}

/** The type, trimmed. @throws Failure naming the flag when it is blank */
export function needType(type: string): string {
  const trimmed = type.trim();
  if (trimmed === "")
    throw new Failure("--evidence-type must not be blank", { hint: "conveyor loop-status tells which types the loop requires" });
  return trimmed;
}

const ADVERSARIAL_FIELDS = ["failure_mode", "check", "result"] as const;
type AdversarialField = (typeof ADVERSARIAL_FIELDS)[number];

/**
 * The metadata of an attempt to disprove, its three fields trimmed.
 * @param label how the user was to give a field, for the message
 * @throws Failure naming the first field that is missing or blank
 */
export function adversarialMetadata(
  metadata: JsonObject,
  label: (field: AdversarialField) => string,
): JsonObject & Record<AdversarialField, string> {
  const fields = ADVERSARIAL_FIELDS.map((field): [AdversarialField, string] => {
    const value = metadata[field];
    if (typeof value !== "string" || !saysSomething(value))
      throw new Failure(
        `${label(field)} must be a text that is not blank: an ${ADVERSARIAL_CHECK} says what could be wrong, how it was looked for, ` +
          "and what came out",
      );
    return [field, value.trim()];
  });
  return { ...metadata, ...(Object.fromEntries(fields) as Record<AdversarialField, string>) };
}

/** Reads `--metadata-json`. @throws Failure naming the flag when it is no JSON object */
export function parseMetadata(text: string | undefined): JsonObject {
  if (text === undefined) return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Failure(`--metadata-json is not valid JSON: ${(error as Error).message}`);
  }
  if (!isObject(value)) throw new Failure("--metadata-json must be a JSON object");
  return value;
}
