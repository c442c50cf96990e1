/** Controlled phrases that may create loop policy or gates. Anything else a person writes is ordinary prose. */

interface LoopTrigger {
  readonly name: string;
  readonly intent: string;
  readonly required_before_continue: readonly string[];
  readonly canonical_phrase: string;
  /** What done looks like. */
  readonly acceptance: string;
  /** Command shapes for the operator, in order. */
  readonly operator_actions: readonly string[];
  /** Near misses that must stay ordinary prose. */
  readonly negative_controls: readonly string[];
}

interface Family extends LoopTrigger {
  /** Normalised phrases: lower case, single blanks. `(a|b)` is a choice; `( x)?` may be absent. */
  readonly phrases: readonly string[];
}

const LOOP_GATE = "Run this as an adversarially gated Ralph loop.";
const ITERATION_GATE = "Do not send the worker another iteration until adversarial proof exists.";
const FINISH_GATE = "Do not mark this done until you have tried to disprove it.";
const WORKER_DIRECTED = "Ask the worker to identify the strongest realistic failure mode and prove it is handled.";
const ACCEPTANCE_CRITERIA = "Each loop must include adversarial acceptance criteria from manager to worker.";

/** In the order in which they are tried: the first that matches wins. */
const FAMILIES: readonly Family[] = [
  {
    name: "loop-gate-trigger",
    intent: "create_loop_policy",
    required_before_continue: ["adversarial_check"],
    canonical_phrase: LOOP_GATE,
    acceptance:
      "A loop policy exists whose next iteration cannot be delivered before " +
      "a structured adversarial check of the current one is on record.",
    operator_actions: [
      `conveyor loop-triggers --classify '${LOOP_GATE}' --json`,
      'conveyor runs --create TASK --name RUN --purpose ralph_loop --metadata-json \'{"current_iteration": 1, "max_iterations": 3, ' +
        '"required_before_continue": ["adversarial_check"]}\'',
      "conveyor enqueue-continue-iteration TASK --loop-run RUN --requested-iteration 2 --message TEXT --correlation-id nl-loop-gate-policy",
    ],
    negative_controls: ["Run this as a gated Ralph loop.", "Could we run something like an adversarial loop here?"],
    phrases: ["run this as an (adversarial|adversarially) gated( ralph)? loop"],
  },
  {
    name: "iteration-gate-trigger",
    intent: "gate_next_iteration",
    required_before_continue: ["adversarial_check"],
    canonical_phrase: ITERATION_GATE,
    acceptance:
      "The request for the next iteration was blocked for lack of proof, and a fresh " +
      "request went through once the proof for the iteration before it was recorded.",
    operator_actions: [
      "conveyor enqueue-continue-iteration TASK --loop-run RUN --requested-iteration 2 --message TEXT",
      "conveyor dispatch --once --type continue_iteration",
      "conveyor loop-evidence adversarial-check TASK --loop-run RUN --iteration 1 --failure-mode TEXT --check TEXT --result TEXT",
    ],
    negative_controls: [
      "Do not send the worker another iteration until proof exists.",
      "Require adversarial proof before the next iteration.",
    ],
    phrases: [
      "do not send the worker another iteration until adversarial proof exists",
      "require adversarial proof before (the worker gets another iteration|another worker iteration)",
    ],
  },
  {
    name: "finish-gate-trigger",
    intent: "require_finish_adversarial_proof",
    required_before_continue: [],
    canonical_phrase: FINISH_GATE,
    acceptance: "Finishing was refused while no structured attempt to disprove the work was on record, and succeeded afterwards.",
    operator_actions: [
      "conveyor finish-task TASK --require-adversarial-proof --reason TEXT",
      'conveyor criteria TASK --satisfy ID --proof TEXT --evidence-json \'{"evidence_type": "adversarial_check", "failure_mode": ' +
        '"TEXT", "check": "TEXT", "result": "TEXT"}\'',
    ],
    negative_controls: ["Do not mark this done until tests pass.", "Try to disprove it when you have time."],
    phrases: [
      "do not mark this done until you have tried to disprove it",
      "do not finish until you have tried to disprove it",
      "do not let this finish until the manager has tried to disprove it",
    ],
  },
  {
    name: "worker-directed-trigger",
    intent: "request_worker_adversarial_proof",
    required_before_continue: [],
    canonical_phrase: WORKER_DIRECTED,
    acceptance:
      "The worker named the strongest realistic failure mode, the check and " +
      "the result, and the three are recorded as proposed by the worker.",
    operator_actions: [
      "conveyor enqueue-nudge-worker TASK --message 'Name the strongest " +
        "realistic failure mode, the check you ran against it, and the result.'",
      "conveyor loop-evidence adversarial-check TASK --loop-run RUN --iteration " +
        "1 --failure-mode TEXT --check TEXT --result TEXT --source worker_proposed",
    ],
    negative_controls: [
      "Ask the worker to identify the strongest failure mode and prove it is handled.",
      "Ask the worker what could go wrong.",
    ],
    phrases: [
      "ask the worker to identify the strongest realistic failure mode and prove it is handled",
      "before continuing, record the strongest realistic failure mode, the check, and the result",
    ],
  },
  {
    name: "acceptance-criteria-trigger",
    intent: "create_adversarial_acceptance_criteria",
    required_before_continue: [],
    canonical_phrase: ACCEPTANCE_CRITERIA,
    acceptance: "The manager's accepted criteria demand negative checks, and the audit shows who set them and what became of them.",
    operator_actions: [
      "conveyor criteria TASK --add --criterion 'A negative check for TEXT exists " +
        "and fails when TEXT is broken' --source manager_inferred --status accepted",
      "conveyor audit TASK && conveyor replay TASK && conveyor commands --task TASK --attempts",
    ],
    negative_controls: ["Each loop must include acceptance criteria.", "The manager should think about adversarial criteria."],
    phrases: ["each loop must include adversarial acceptance criteria from manager to worker"],
  },
];

const summary = ({ phrases: _, ...trigger }: Family): LoopTrigger => trigger;
const PATTERNS = FAMILIES.map(({ phrases }) => new RegExp(`\\b(?:${phrases.join("|")})\\b`));

export const LOOP_TRIGGERS: readonly LoopTrigger[] = FAMILIES.map(summary);

/** The trigger family that a prompt invokes, or null: no stemming, no contractions, commas and hyphens count. */
export function classifyPrompt(prompt: string): LoopTrigger | null {
  const normalised = prompt.trim().toLowerCase().replace(/\s+/g, " ");
  const at = PATTERNS.findIndex((pattern) => pattern.test(normalised));
  return LOOP_TRIGGERS[at] ?? null;
}
