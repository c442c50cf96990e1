/** The checklists about sessions, criteria, tmux and Dispatch. */
import type { QaPlan } from "./checklist.ts";

type Body = Omit<QaPlan, "scenario">;

export const FLOW_PLANS: Readonly<Record<"self-management" | "emergent-criteria" | "tmux-errors" | "dispatch-completion", Body>> = {
  "self-management": {
    steps: [
      "Check the machine: `conveyor doctor` and `conveyor doctor-self` name tmux and Codex with their versions.",
      "Start a worker in tmux: `conveyor start-worker --name qa-worker --task 'Read README and wait for " +
        "instructions' --accept-trust`. It is registered by this; had you started Codex yourself, `conveyor " +
        "register-worker --name qa-worker --pid 4242 --tmux-session codex-qa-worker` would do it.",
      "Register the session you sit in as the manager: `conveyor register-manager --name qa-manager --self`.",
      "Create the task: `conveyor tasks --create qa-self --goal 'README names every command'`.",
      "Bind them: `conveyor bind --task qa-self --worker qa-worker --manager qa-manager`; `conveyor sessions` shows both with their task.",
      "Look once: `conveyor cycle qa-self` gives state, pane signal and manager context.",
      "Say something: `conveyor session-nudge qa-worker 'List the commands that README does not name.'`.",
      "Look again when the worker has answered: `conveyor cycle qa-self`.",
      "Clean up: end the worker's tmux session, then `conveyor reconcile` lists what has gone and `conveyor " +
        "reconcile --apply` marks it; `conveyor unbind --task qa-self` ends a binding that is still open.",
      "Read back: `conveyor audit qa-self` and `conveyor replay qa-self --format timeline`.",
    ],
    expected_observations: [
      "The first cycle says that the worker is idle or busy, never that it is unknown, and names the events it read.",
      "The nudge reports the proof it saw in the worker's rollout, and stands there once.",
      "The second cycle shows the completed turn and the last words of the worker.",
      "After reconcile --apply the ended session is gone and its binding invalid; a second run finds nothing.",
      "Audit and replay show registration, binding, both cycles and the nudge in the order in which they happened.",
    ],
  },
  "emergent-criteria": {
    steps: [
      "Start both sides: `conveyor pair --task qa-criteria --worker-name qa-w --manager-name qa-m --task-goal " +
        "'The export keeps umlauts' --task-prompt 'Propose criteria before you edit' --accept-trust`.",
      "Run `conveyor cycle qa-criteria` and read criteria_negotiation: it says what to ask the worker while nothing is agreed.",
      "Ask for must-haves and follow-ups: `conveyor session-nudge qa-w 'Which criteria must hold, and which are follow-ups?'`.",
      "Put the answer into the ledger: `conveyor criteria-plan qa-criteria " +
        "--from-text 'Must: umlauts survive a round trip. Follow-up: emoji.'`.",
      "Accept one: `conveyor criteria qa-criteria --accept 1`, and defer one: " +
        "`conveyor criteria qa-criteria --defer 2 --rationale 'a follow-up'`.",
      "Try to finish too early: `conveyor finish-task qa-criteria --reason done --require-criteria-audit` must be refused.",
      "Prove the accepted one: `conveyor evidence run qa-criteria --criterion 1 -- bun " +
        "test`, or `conveyor criteria qa-criteria --satisfy 1 --proof 'bun test: 12 pass'`.",
      "Finish again: `conveyor finish-task qa-criteria --reason done --require-criteria-audit` now succeeds.",
      "Hand over: `conveyor export-task qa-criteria --output qa-criteria-export`.",
    ],
    expected_observations: [
      "criteria_negotiation changes with the ledger: first it asks, then it names what is open.",
      "The refused finish names the open criterion, exits 1 and leaves the task managed.",
      "The second finish leaves the task done, and the audit shows both attempts.",
      "The export holds the criteria with proof and rationale, and its manifest lists every file.",
    ],
  },
  "tmux-errors": {
    steps: [
      "Prepare a bound task with a worker in tmux: `conveyor start-worker --name qa-tmux-w --task 'Wait' " +
        "--accept-trust`, then `conveyor create-disposable-binding qa-tmux` for a second task without tmux.",
      "Take tmux off PATH (`env PATH=/nowhere` before the absolute path of conveyor) and read: `conveyor sessions " +
        "--json`, `conveyor tasks --json`, `conveyor commands --json` and `conveyor audit qa-tmux --json`.",
      "Still without tmux, write: `conveyor session-nudge qa-tmux-w hello` and `conveyor start-worker --name qa-tmux-x` must fail.",
      "With tmux back, end the worker's pane and write again: `conveyor session-nudge qa-tmux-w hello` must fail, naming the session.",
      "Look at what is said about it: `conveyor cycle qa-tmux` degrades instead " +
        "of failing, `conveyor db-doctor --live` names the missing worker.",
      "Count what was claimed: `conveyor commands --state succeeded --json` and `conveyor telemetry --severity error --json`.",
    ],
    expected_observations: [
      "Reading commands give whole JSON on stdout and exit 0, with or without tmux.",
      "Writing commands exit 1, say in one line what is missing, and print no success.",
      "No command is succeeded and no notification delivered for a text that never arrived.",
      "The failed attempts are on record with their reason.",
    ],
  },
  "dispatch-completion": {
    steps: [
      "Prepare a bound task whose manager polls: `conveyor create-disposable-binding qa-completion`, or a pair in tmux.",
      "Let the worker finish a turn, then read it: `conveyor ingest qa-completion-worker`.",
      "Route it: `conveyor dispatch --once --type worker_task_complete --json` gives one item.",
      "Route again: `conveyor dispatch --once --type worker_task_complete --json` gives none.",
      "Take it: `conveyor manager-inbox qa-completion --consume-next --json`.",
      "End the binding with `conveyor unbind --task qa-completion`, let the worker finish another turn, ingest and dispatch again.",
      "Read why: `conveyor telemetry --task qa-completion --actor dispatch --json` and `conveyor dispatch status`.",
    ],
    expected_observations: [
      "Each completed turn becomes one notification, named by its source event; a second pass over the same event makes none.",
      "The consumed item carries the worker's last message and is not shown again.",
      "What is not delivered for good reason is suppressed, with telemetry dispatch_signal_suppressed that says why.",
    ],
  },
};
