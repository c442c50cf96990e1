/** A run: a named stretch of work on a task, or the policy record of a loop. */
import { Failure } from "../failure.ts";

export const RUN_STATUSES = ["active", "finished", "failed", "abandoned"] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];
/** The ways a run ends. */
export type RunEnd = Exclude<RunStatus, "active">;

/** `purpose` and `metadata.kind` of a loop's policy record. */
export const LOOP = "ralph_loop";

export interface Run {
  readonly id: string;
  readonly task_id: string;
  readonly name: string;
  readonly purpose: string | null;
  readonly status: RunStatus;
  readonly started_at: string;
  readonly ended_at: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** A moment as part of a name: no colons, dots as dashes (`2026-11-22T113147-834Z`). */
export const nameMoment = (iso: string): string => iso.replaceAll(":", "").replaceAll(".", "-");

/** Does this purpose or metadata ask for a policy record instead of a stretch of work? */
export const isLoop = (purpose: string | null | undefined, metadata: Readonly<Record<string, unknown>>): boolean =>
  purpose === LOOP || metadata.kind === LOOP;

function count(metadata: Readonly<Record<string, unknown>>, key: string, fallback: number | null): number {
  const raw = metadata[key] ?? fallback;
  const value = typeof raw === "string" && /^[+-]?\d+$/.test(raw.trim()) ? Number(raw) : raw;
  if (typeof value !== "number" || !Number.isSafeInteger(value))
    throw new Failure(`a loop policy needs a whole number as ${key}, not ${JSON.stringify(raw)}`);
  return value;
}

function texts(metadata: Readonly<Record<string, unknown>>, key: string): string[] {
  const raw = metadata[key] ?? [];
  if (!Array.isArray(raw) || raw.some((item) => typeof item !== "string" || item.trim() === ""))
    throw new Failure(`${key} of a loop policy must be a list of texts that are not blank`);
  return (raw as string[]).map((item) => item.trim());
}

function textOrNull(metadata: Readonly<Record<string, unknown>>, key: string): string | null {
  const raw = metadata[key] ?? null;
  if (raw !== null && typeof raw !== "string") throw new Failure(`${key} of a loop policy must be a text`);
  return raw;
}

/**
 * The metadata of a loop's policy record, complete and checked; what else it holds is kept.
 * @throws Failure naming the first key that is wrong
 */
export function loopPolicy(metadata: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const max = count(metadata, "max_iterations", null);
  if (max < 1) throw new Failure(`max_iterations of a loop policy must be at least 1, not ${max}`);
  const current = count(metadata, "current_iteration", 0);
  if (current < 0 || current > max)
    throw new Failure(`current_iteration of a loop policy must be from 0 to max_iterations (${max}), not ${current}`);
  if (metadata.stop_conditions !== undefined && !Array.isArray(metadata.stop_conditions))
    throw new Failure("stop_conditions of a loop policy must be a list");
  return {
    ...metadata,
    kind: LOOP,
    policy_record: true,
    max_iterations: max,
    current_iteration: current,
    required_before_continue: texts(metadata, "required_before_continue"),
    stop_conditions: metadata.stop_conditions ?? [],
    cleanup_policy: textOrNull(metadata, "cleanup_policy"),
    preset: textOrNull(metadata, "preset"),
    seed_prompt_sha256: textOrNull(metadata, "seed_prompt_sha256"),
  };
}
