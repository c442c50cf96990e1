/**
 * A loop run: a `runs` row that says how often a worker may be sent round again and which evidence must exist before. Nothing executes it.
 */
import { Failure } from "../failure.ts";
import { isObject, type JsonObject } from "../json.ts";
import type { LoopTemplate } from "./templates.ts";
import { isLoop, LOOP, type Run } from "./run.ts";

export const ADVERSARIAL_CHECK = "adversarial_check";
/** Stop conditions of a policy that no template made. */
const CUSTOM_STOP_CONDITIONS: readonly string[] = ["max_iterations", "required_evidence"];

/** What Dispatch, evidence and status read from a loop run; also the snapshot in the payload of a `continue_iteration` command. */
export interface LoopPolicy {
  readonly run_id: string;
  /** The template, else the preset. */
  readonly template: string | null;
  readonly preset: string | null;
  readonly cleanup_policy: string | null;
  readonly current_iteration: number;
  readonly max_iterations: number;
  readonly required_before_continue: string[];
  readonly stop_conditions: string[];
  readonly seed_prompt_sha256: string | null;
  readonly artifact_requirements: JsonObject;
  readonly recommended_tools: string[];
  readonly tags: string[];
}

export interface LoopRun {
  readonly run: Run;
  readonly policy: LoopPolicy;
}

const wholeNumber = (value: unknown): number | null => {
  if (typeof value === "number") return Number.isSafeInteger(value) ? value : null;
  if (typeof value !== "string" || !/^\s*[+-]?\d+\s*$/.test(value)) return null;
  return Number(value);
};

const textOf = (value: unknown): string | null => (typeof value === "string" && value.trim() !== "" ? value : null);

const textsOf = (value: unknown): string[] =>
  Array.isArray(value)
    ? value
        .filter((item) => typeof item === "string")
        .map((item) => item.trim())
        .filter((item) => item !== "")
    : [];

/**
 * Reads a run as a loop.
 * @param reference what the user called the run, for the message
 * @throws Failure when the run is no loop, or its metadata lacks whole iteration numbers
 */
export function readLoop(run: Run, reference: string = run.name): LoopRun {
  const metadata = isObject(run.metadata) ? run.metadata : {};
  if (!isLoop(run.purpose, metadata)) {
    throw new Failure(`run ${JSON.stringify(reference)} is not a loop run`, { hint: "conveyor loop-templates --list" });
  }
  const current = wholeNumber(metadata.current_iteration);
  const max = wholeNumber(metadata.max_iterations);
  if (current === null || max === null) {
    throw new Failure(
      `the policy of loop run ${JSON.stringify(reference)} is missing whole numbers in ` +
        `${current === null ? "current_iteration" : "max_iterations"}`,
      { hint: `conveyor runs --show ${run.id}` },
    );
  }
  const preset = textOf(metadata.preset);
  const policy: LoopPolicy = {
    run_id: run.id,
    template: textOf(metadata.template) ?? preset,
    preset,
    cleanup_policy: textOf(metadata.cleanup_policy),
    current_iteration: current,
    max_iterations: max,
    required_before_continue: textsOf(metadata.required_before_continue),
    stop_conditions: textsOf(metadata.stop_conditions),
    seed_prompt_sha256: textOf(metadata.seed_prompt_sha256),
    artifact_requirements: isObject(metadata.artifact_requirements) ? metadata.artifact_requirements : {},
    recommended_tools: textsOf(metadata.recommended_tools),
    tags: textsOf(metadata.tags),
  };
  return { run, policy };
}

/** What somebody who makes a loop run may choose. */
interface LoopChoices {
  readonly template?: LoopTemplate | undefined;
  /** Gates beyond the template's, or all of them without a template; trimmed, without repeats. */
  readonly gates?: readonly string[];
  readonly maxIterations?: number | undefined;
  readonly currentIteration: number;
  readonly seedPromptSha256?: string | undefined;
  /** Without a template only. */
  readonly cleanupPolicy?: string;
  /** Without a template only: which command made the policy. */
  readonly source?: string;
}

const MAX_WITHOUT_TEMPLATE = 2;

/**
 * The metadata of a new loop run.
 * @throws Failure when the numbers do not fit each other
 */
export function loopMetadata(choices: LoopChoices): Record<string, unknown> {
  const { template, currentIteration: current, gates = [] } = choices;
  const max = choices.maxIterations ?? template?.max_iterations ?? MAX_WITHOUT_TEMPLATE;
  if (max < 1) throw new Failure(`--max-iterations must be at least 1, not ${max}`, { hint: "leave it out to take the template's" });
  if (current < 0)
    throw new Failure(`--current-iteration must be at least 0, not ${current}`, {
      hint: "0 before the first iteration, 1 while it is under way",
    });
  if (current > max)
    throw new Failure(`--current-iteration ${current} is beyond the maximum of ${max} iterations`, {
      hint: "give a larger --max-iterations or a smaller --current-iteration",
    });
  const common = {
    kind: LOOP,
    policy_record: true,
    current_iteration: current,
    max_iterations: max,
    required_before_continue: [...new Set([...(template?.required_before_continue ?? []), ...gates])],
    seed_prompt_sha256: choices.seedPromptSha256 ?? null,
  };
  if (!template) {
    return {
      ...common,
      preset: null,
      cleanup_policy: choices.cleanupPolicy ?? "clear",
      stop_conditions: CUSTOM_STOP_CONDITIONS,
      ...(choices.source === undefined ? {} : { source: choices.source }),
    };
  }
  const { name, cleanup_policy, stop_conditions, artifact_requirements, recommended_tools, tags } = template;
  return { ...common, template: name, preset: name, cleanup_policy, stop_conditions, artifact_requirements, recommended_tools, tags };
}

/**
 * The run that a stored payload or result belongs to, or null.
 * One rule for everybody who counts by run: the first non-empty text of these places.
 */
export function runIdOf(mapping: unknown): string | null {
  if (!isObject(mapping)) return null;
  const { ralph_loop: loop, loop_policy: policy } = mapping;
  const places = [
    isObject(loop) ? loop.run_id : null,
    isObject(policy) ? policy.run_id : null,
    mapping.ralph_loop_run_id,
    mapping.loop_run_id,
    mapping.run_id,
  ];
  return (places.find((place) => typeof place === "string" && place !== "") as string | undefined) ?? null;
}
