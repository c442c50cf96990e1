/** The checklists about loops, triggers and boards. */
import { LOOP_TRIGGERS } from "../loops/triggers.ts";
import type { QaMarker, QaPlan } from "./checklist.ts";

type Body = Omit<QaPlan, "scenario">;

const markers = (purposes: Readonly<Record<string, string>>): QaMarker[] =>
  Object.entries(purposes).map(([correlation_id, purpose]) => ({ correlation_id, purpose }));

const FIRST_ITERATION = {
  "ralph-iter-1-pr": "iteration 1: the pull request is open",
  "ralph-iter-1-ci": "iteration 1: the first result of CI",
  "ralph-iter-1-ci-fix": "iteration 1: the worker was asked to repair CI",
  "ralph-iter-1-merge": "iteration 1: the green pull request is merged",
  "ralph-iter-1-clear": "iteration 1: the worker's context was cleared",
};

const RALPH_MARKERS = {
  ...FIRST_ITERATION,
  "ralph-iter-2-replay": "iteration 2 starts from the same seed prompt",
  "ralph-loop-max-block": "a request beyond the maximum is blocked",
  "ralph-loop-missing-ci": "a request without evidence of CI is blocked",
  "ralph-loop-ci-adversarial": "evidence of an attempt to disprove the CI result",
  "ralph-loop-ci-allowed": "the request passes once the evidence is complete",
  "ralph-loop-preset-missing": "a preset's loop is blocked while its evidence is missing",
  "ralph-loop-preset-adversarial": "the preset's attempt to disprove",
  "ralph-loop-preset-allowed": "the preset's loop passes with all evidence",
};

const TRIGGER_MARKERS = {
  "nl-loop-gate-policy": "the phrase made a gated loop policy",
  "nl-iteration-gate-missing-proof": "the next iteration was blocked for lack of proof",
  "nl-iteration-gate-adversarial-proof": "the proof of the iteration before was recorded",
  "nl-iteration-gate-allowed": "a fresh request passed",
  "nl-finish-gate-proof": "the proof that lets the task finish",
  "nl-worker-directed-proof": "the worker's own attempt to disprove",
  "nl-manager-criteria-negative-checks": "criteria that demand negative checks",
};

const CONVEYOR_MARKERS = {
  "conveyor-parent-board": "the parent board and its goal were recorded",
  "conveyor-child-activation": "one child board became active",
  "conveyor-pr-ci-merge": "the child's pull request, its CI and its merge",
  "conveyor-satisfied-on-main": "the child's criteria hold on main",
  "conveyor-adversarial-review": "somebody tried to disprove the child's result",
};

export const LOOP_PLANS: Readonly<Record<"ralph-loop" | "adversarial-triggers" | "goalbuddy-conveyor", Body>> = {
  "ralph-loop": {
    steps: [
      "Write the seed prompt to a file and take its digest; both iterations start from exactly this text: `sha256sum seed.md`.",
      "Set the two sides up: `conveyor pair --task qa-ralph --worker-name qa-r-w --manager-name qa-r-m --task-goal 'One small " +
        "change, merged green' --manager-allow-pr --manager-allow-merge-green --manager-allow-worker-compact-clear --accept-trust`.",
      "Record the policy: `conveyor loop-templates --create-run qa-ralph --template pr_ci_merge_loop " +
        "--name qa-ralph-run --current-iteration 1 --max-iterations 2 --seed-prompt-sha256 SHA256`.",
      "PR gate: check `conveyor manager-permission qa-ralph create_pr --require`, let the " +
        "worker open the pull request, record it: `conveyor loop-evidence add qa-ralph --loop-run " +
        "qa-ralph-run --iteration 1 --evidence-type pr_url --correlation-id ralph-iter-1-pr`.",
      "CI gate: note the first result under ralph-iter-1-ci. When it is red, ask for a repair: `conveyor enqueue-nudge-worker " +
        "qa-ralph --message 'CI is red: repair it' --correlation-id ralph-iter-1-ci-fix`. When it is green: `conveyor loop-evidence " +
        "add qa-ralph --loop-run qa-ralph-run --iteration 1 --evidence-type ci_green --correlation-id ralph-iter-1-ci`.",
      "Merge gate: `conveyor manager-permission qa-ralph merge_green_pr --require`, merge, then `conveyor loop-evidence " +
        "add qa-ralph --loop-run qa-ralph-run --iteration 1 --evidence-type merge --correlation-id ralph-iter-1-merge`.",
      "Try to disprove it: `conveyor loop-evidence adversarial-check qa-ralph --loop-run " +
        "qa-ralph-run --iteration 1 --failure-mode TEXT --check TEXT --result TEXT`.",
      "Clear gate: `conveyor record-decision qa-ralph inspect --reason 'iteration 1 is merged'`, then " +
        "`conveyor request-worker-compact qa-ralph --clear`; keep its command id under ralph-iter-1-clear.",
      "Second iteration from the same seed: `conveyor enqueue-continue-iteration qa-ralph --loop-run " +
        "qa-ralph-run --requested-iteration 2 --message 'the seed prompt' --correlation-id " +
        "ralph-iter-2-replay` and `conveyor dispatch --once --type continue_iteration --json`.",
      "Limit drill: `conveyor enqueue-continue-iteration qa-ralph --loop-run qa-ralph-run --requested-iteration " +
        "3 --message again --correlation-id ralph-loop-max-block`, dispatch once: blocked.",
      "Missing-evidence drill on a throw-away task: `conveyor create-disposable-binding qa-ralph-ci --required-before-continue " +
        "ci_green --adversarial --run-name qa-ci --max-iterations 3`; request iteration 2 under ralph-loop-missing-ci (blocked), record " +
        "ci_green and the attempt to disprove under ralph-loop-ci-adversarial, request again under ralph-loop-ci-allowed (delivered).",
      "Preset drill: `conveyor create-disposable-binding qa-ralph-preset --template pr_ci_merge_loop --run-name " +
        "qa-preset`; request under ralph-loop-preset-missing (blocked), record all four types, the attempt to " +
        "disprove under ralph-loop-preset-adversarial, request under ralph-loop-preset-allowed (delivered).",
      "Look at each loop: `conveyor loop-status qa-ralph --run qa-ralph-run`, and let the machine repeat " +
        "the drills: `conveyor qa-run ralph-loop-guardrails --receipt-output qa-ralph-receipt.json`.",
    ],
    expected_observations: [
      "Both iterations began with the same digest of the seed prompt.",
      "Every blocked request names its reason and the missing types, and nothing reached the worker.",
      "A blocked request is not revived by evidence that comes later; a fresh request passes.",
      "No iteration was delivered twice, and none beyond the maximum.",
      "The evidence template below is filled in from the records alone.",
    ],
    correlation_markers: markers(RALPH_MARKERS),
    evidence_template: {
      iteration: 1,
      seed_prompt_sha256: "<digest of the seed prompt>",
      manager_cycle_ids: [],
      worker_completion_event_ids: [],
      manager_decision_ids: { pr_ready: null, ci_fix: null, merge_green: null, continue_or_stop: null },
      dispatch_correlation_ids: Object.keys(FIRST_ITERATION),
      pr_url: "<address of the pull request>",
      pr: { url: "<address of the pull request>" },
      ci: { provider: "<name of the CI>", initial_result: "<red or green>", fix_result: "<green, or why not>" },
      merge: { permitted: false, result: "<merged, refused or not asked>" },
      handoff_id: null,
      clear_receipt: { command_id: null, correlation_id: "ralph-iter-1-clear" },
    },
  },
  "adversarial-triggers": {
    steps: [
      "Set up a throw-away pair of sessions: `conveyor create-disposable-binding " +
        "qa-triggers --adversarial --run-name qa-triggers-run --max-iterations 3`.",
      "Read the controlled phrases: `conveyor loop-triggers`; classify one and a near miss: `conveyor loop-triggers --classify " +
        "'Do not finish until you have tried to disprove it.'` and `conveyor loop-triggers --classify 'Do not finish yet.'`.",
      ...LOOP_TRIGGERS.map(
        ({ name, operator_actions }) =>
          `Drill ${name}: say its phrase to the manager, then follow ${operator_actions.map((action) => `\`${action}\``).join(", then ")}.`,
      ),
      "Let the machine repeat all of it: `conveyor qa-run adversarial-triggers --receipt-output qa-triggers-receipt.json`.",
    ],
    expected_observations: [
      "Only a controlled phrase creates policy or gates; its near misses are ordinary prose.",
      "A gate names what is missing before it opens, and opens only for structured proof.",
      "Who recorded a proof shows in its source: the manager's inference, or the worker's proposal.",
      "Audit, replay and the attempts of the commands agree on the order of events.",
    ],
    trigger_tasks: LOOP_TRIGGERS.map(({ name, canonical_phrase, acceptance }) => ({ name, trigger: canonical_phrase, acceptance })),
    correlation_markers: markers(TRIGGER_MARKERS),
  },
  "goalbuddy-conveyor": {
    starter_prompt:
      "You are the manager of a conveyor. Take the parent board's goal, activate exactly one child board, " +
      "and drive it until it is merged, proven satisfied on main, or blocked with a reason. Only then " +
      "activate the next. Speak to the worker through conveyor only, and believe records, not claims.",
    authority_boundaries: [
      "One child board is active at a time; the next waits until this one is merged, proven or blocked.",
      "The worker edits, the manager does not; the manager merges only with the permission merge_green_pr.",
      "A board is closed by evidence on record, never by the worker's word.",
      "Anything that the permissions do not name is asked of the operator first.",
    ],
    steps: [
      "Record the parent: `conveyor tasks --create qa-board --goal 'All child " +
        "boards merged, proven or blocked'` and note it under conveyor-parent-board.",
      "Set up the pair for the first child: `conveyor pair --task qa-board-child-1 --worker-name qa-b-w --manager-name qa-b-m " +
        "--task-goal 'The goal of child board 1' --manager-allow-pr --manager-allow-merge-green --manager-require-acks --accept-trust`.",
      "Activate it: `conveyor enqueue-nudge-worker qa-board-child-1 --message 'Work on child " +
        "board 1 only' --correlation-id conveyor-child-activation` and `conveyor dispatch --once`.",
      "Agree on criteria: `conveyor criteria qa-board-child-1 --add --criterion " +
        "'The change is on main' --source manager_inferred --status accepted`.",
      "Follow pull request, CI and merge with `conveyor cycle qa-board-child-1`, and keep each receipt under conveyor-pr-ci-merge.",
      "Prove it on main: `conveyor evidence run qa-board-child-1 --criterion 1 --correlation-id " +
        "conveyor-satisfied-on-main -- git merge-base --is-ancestor CHANGE origin/main`.",
      'Try to disprove it, under conveyor-adversarial-review: `conveyor criteria qa-board-child-1 --add --criterion \'Attempt to disprove\' --source manager_inferred --status satisfied --evidence-json \'{"evidence_type": "adversarial_check", "failure_mode": "TEXT", "check": "TEXT", "result": "TEXT"}\'`.',
      "Close it: `conveyor finish-task qa-board-child-1 --reason 'merged and proven' --require-criteria-audit " +
        "--require-adversarial-proof`; when it cannot go on, `conveyor stop-task qa-board-child-1 --reason 'blocked: why'`.",
      "Go on with the next child, or end the parent: `conveyor finish-task qa-board --reason 'every child is closed'`.",
    ],
    expected_observations: [
      "At no time were two child boards active.",
      "Every closed child has a merge, a proof on main, or a recorded reason why it is blocked.",
      "No merge happened without the permission, and no finish without the audit of its criteria.",
      "Each marker leads from the order to its receipt.",
    ],
    acceptance_criteria: [
      "Each child board ends as merged, proven satisfied on main, or blocked with a reason.",
      "The proof of a merged child was taken on main after the merge.",
      "Somebody tried to disprove each result, and what came out is on record.",
      "The parent is finished only after its last child.",
    ],
    correlation_markers: markers(CONVEYOR_MARKERS),
  },
};
