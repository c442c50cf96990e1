/** `finish-task`: closes a task, after gates, and can stop its sessions. */
import { choice, flag, integer, jsonFlag, pathFlag, text, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { UsageError } from "../../core/failure.ts";
import { TRANSCRIPT_MODES } from "../../core/observe/transcript-delta.ts";
import { finishTask } from "../../flow/tasks/finish.ts";
import { notSeenLine } from "../../core/loops/evidence-run.ts";
import { requireFreshProof } from "../../flow/loops/machine-proof.ts";
import { needTask } from "../../store/tasks/tasks.ts";

export default verb(
  {
    about:
      "Closes a task: looks at the gates that were asked for, records the decision, captures and stops sessions where " +
      "told to, ends the binding and the run. Nothing is stopped before every gate is open; a call that was interrupted " +
      "is taken up by the next one. On a task that is done already it can still capture and stop the sessions.",
    examples: [
      ["finish-task login-fix --reason 'all criteria met' --require-criteria-audit --require-epilogue", "close it, if nothing is open"],
      [
        "finish-task login-fix --stop-worker --stop-manager --capture-transcript-before-stop",
        "close it, keep what the terminals show, end them",
      ],
    ],
    positionals: { task: word("task id or name") },
    flags: {
      stopManager: flag("end the manager's terminal"),
      stopWorker: flag("end the worker's terminal"),
      message: text("said to the worker before it is stopped"),
      decisionId: integer("the manager's decision to stop", { value: "ID" }),
      strictDecisions: flag("refuse without a fresh stop decision (--decision-id)"),
      captureTranscriptBeforeStop: flag("keep what the terminals show before they are ended"),
      captureTranscriptMode: choice("what is kept of them", TRANSCRIPT_MODES, { default: "segment" }),
      captureTranscriptLines: integer("lines of history to look at", { default: 200, value: "N" }),
      requireTranscriptSegment: flag("refuse to stop a session of which nothing was kept"),
      requireCriteriaAudit: flag("refuse while an accepted criterion is open"),
      requireAcks: flag("refuse without both acknowledgements; a configuration can demand the same"),
      requireCurrentAcks: flag("refuse without both acknowledgements of the present configuration"),
      requireEpilogue: flag("refuse while a configured closing step has not succeeded"),
      requireAdversarialProof: flag("refuse without evidence of an attempt to disprove the work"),
      requireFreshProof: flag("refuse unless a criterion is machine-proven (evidence run) and every such proof still fits the tree"),
      reason: text("why", { default: "Task finished by operator.", filled: true }),
      json: jsonFlag,
      path: pathFlag,
    },
  },
  async (args, cx: Context) => {
    if (args.requireTranscriptSegment && !args.captureTranscriptBeforeStop)
      throw new UsageError("--require-transcript-segment needs --capture-transcript-before-stop");
    const store = cx.store(args.path);
    const scene = { cx, store, task: needTask(store, args.task) };
    // Outside the transaction of the other gates: it asks git, whose answer no lock of ours could hold anyway.
    const unseen = args.requireFreshProof ? await requireFreshProof(scene) : [];
    const result = await finishTask(scene, {
      kind: "finish",
      reason: args.reason,
      message: args.message ?? null,
      stopWorker: args.stopWorker,
      stopManager: args.stopManager,
      decisionId: args.decisionId,
      strictDecisions: args.strictDecisions,
      capture: args.captureTranscriptBeforeStop
        ? { mode: args.captureTranscriptMode, lines: args.captureTranscriptLines, required: args.requireTranscriptSegment }
        : null,
      requireCriteriaAudit: args.requireCriteriaAudit,
      requireAcks: args.requireAcks,
      requireCurrentAcks: args.requireCurrentAcks,
      requireEpilogue: args.requireEpilogue,
      requireAdversarialProof: args.requireAdversarialProof,
    });
    for (const each of unseen) cx.err(notSeenLine(each) ?? "the proof sees every file of the tree");
    cx.json(result);
  },
);
