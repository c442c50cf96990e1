/** The receipt of a QA drill: its shape, which every receipt is held to before it is written. */
import * as v from "valibot";

export const QA_RUNS = [
  "ralph-loop-guardrails",
  "generic-loop-template",
  "generic-loop-template-browser",
  "test-coverage-loop",
  "adversarial-triggers",
  "build-clear-loop",
] as const;
export type QaRun = (typeof QA_RUNS)[number];

const text = v.pipe(v.string(), v.nonEmpty());
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const instant = v.pipe(v.string(), v.isoTimestamp());
const texts = v.array(text);

const generatedTask = v.strictObject({
  suffix: text,
  task_id: text,
  task_name: text,
  binding_id: v.nullable(text),
  worker_id: v.nullable(text),
  worker_name: v.nullable(text),
  manager_id: v.nullable(text),
  manager_name: v.nullable(text),
});
export type GeneratedTask = v.InferOutput<typeof generatedTask>;

/** A request for the next iteration: what Dispatch made of it, and what reached the worker. */
const dispatchCheck = v.looseObject({
  name: text,
  status: v.literal("passed"),
  command: text,
  dispatch: v.looseObject({
    state: v.picklist(["blocked", "pull_required"]),
    reason: v.nullable(text),
    missing_evidence: texts,
    requested_iteration: count,
    dispatcher_id: text,
  }),
  routed_notifications_count: count,
  worker_inbox_count: count,
});
/** Anything else that a drill looks at, under its own keys. */
const otherCheck = v.looseObject({ name: text, status: v.literal("passed") });
const check = v.union([dispatchCheck, otherCheck]);
export type QaCheck = v.InferOutput<typeof check>;

const artifacts = v.objectWithRest({ db_path: text }, text);

const visualDiff = v.looseObject({
  below_threshold: v.boolean(),
  changed_pixels: count,
  total_pixels: count,
  diff_score: v.number(),
  threshold: v.number(),
  viewport: text,
});
const browser = v.strictObject({ backend: text, html_path: text, screenshot_path: text, viewport: text });
const ran = v.strictObject({ command: text, returncode: v.number() });

const base = {
  result: v.literal("passed"),
  generated_at: instant,
  receipt_path: text,
  artifacts,
  checks: v.pipe(v.array(check), v.minLength(3)),
  generated_tasks: v.pipe(v.array(generatedTask), v.minLength(1)),
  replay_commands: v.pipe(texts, v.minLength(1)),
};
const template = {
  ...base,
  template: text,
  template_metadata: v.looseObject({ kind: v.literal("ralph_loop"), template: text, max_iterations: count, current_iteration: count }),
};

/** A receipt of a drill that passed. */
export const qaReceipt = v.variant("scenario", [
  v.strictObject({
    ...base,
    scenario: v.literal("ralph-loop-guardrails"),
    adversarial_review_gate: v.looseObject({
      codex_review_helper: v.nullable(text),
      recursion_guard_expected: text,
      syntax_check: v.nullable(ran),
      recursion_check: v.nullable(ran),
    }),
  }),
  v.strictObject({ ...template, scenario: v.literal("generic-loop-template"), visual_diff: visualDiff }),
  v.strictObject({
    ...template,
    scenario: v.literal("generic-loop-template-browser"),
    visual_diff: visualDiff,
    browser,
    browser_capture: browser,
  }),
  v.strictObject({ ...template, scenario: v.literal("test-coverage-loop") }),
  v.strictObject({ ...template, scenario: v.literal("build-clear-loop") }),
  v.strictObject({
    ...base,
    scenario: v.literal("adversarial-triggers"),
    trigger_classifications: v.pipe(v.array(v.looseObject({ matched: v.boolean(), prompt: text })), v.length(5)),
    negative_control: v.looseObject({ matched: v.literal(false), matched_trigger: v.null(), prompt: text }),
  }),
]);
export type QaReceipt = v.InferOutput<typeof qaReceipt>;

/** The receipt as it is written. @throws ValiError when a drill made something else, which is a mistake of the drill */
export const checkReceipt = (receipt: unknown): QaReceipt => v.parse(qaReceipt, receipt);
