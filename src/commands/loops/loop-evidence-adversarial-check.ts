/** `loop-evidence adversarial-check`: a structured attempt to disprove an iteration of a loop. */
import { text, verb } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { adversarialMetadata, needIteration } from "../../core/loops/evidence.ts";
import { ADVERSARIAL_CHECK } from "../../core/loops/loop-run.ts";
import {
  artifactFlag,
  checkArtifact,
  evidenceFlags,
  evidenceSubject,
  printRecorded,
  statusFlag,
  taskWord,
} from "../../flow/loops/evidence.ts";
import { recordEvidence } from "../../store/loops/evidence.ts";

const FLAGS = { failure_mode: "--failure-mode", check: "--check", result: "--result" } as const;

export default verb(
  {
    about:
      "Records that somebody tried to disprove an iteration: the worst failure that could realistically " +
      "hide in it, the check that went looking, and what came out. A failing status shuts the gate again.",
    examples: [
      [
        "loop-evidence adversarial-check login-fix --loop-run coverage --iteration 1 --failure-mode " +
          "'expired tokens pass' --check 'bun test auth' --result 'rejected, 3 tests'",
        "the attempt failed: the work holds",
      ],
      [
        "loop-evidence adversarial-check login-fix --loop-run coverage --iteration 1 " +
          "--failure-mode races --check 'stress test' --result 'two lost updates' --status fail",
        "the work was disproved",
      ],
    ],
    positionals: { task: taskWord },
    flags: {
      ...evidenceFlags,
      failureMode: text("the worst failure that could realistically hide here", { required: true, value: "TEXT" }),
      check: text("the command, test or inspection that went looking for it", { required: true, value: "TEXT" }),
      result: text("why it is ruled out, or what of it is left", { required: true, value: "TEXT" }),
      status: statusFlag,
      artifactPath: artifactFlag,
    },
  },
  (args, cx: Context) => {
    const { status, source, artifactPath, correlationId } = args;
    const iteration = needIteration(args.iteration);
    const metadata = adversarialMetadata(
      { failure_mode: args.failureMode, check: args.check, result: args.result },
      (field) => FLAGS[field],
    );
    const proof = `Looked for: ${metadata.failure_mode}. Check: ${metadata.check}. Result: ${metadata.result}.`;
    const { store, task, loop } = evidenceSubject(cx, args);
    checkArtifact(cx, artifactPath);
    printRecorded(
      cx,
      recordEvidence(store, task, loop, {
        type: ADVERSARIAL_CHECK,
        iteration,
        status,
        source,
        proof,
        artifactPath,
        correlationId,
        metadata,
      }),
      loop,
    );
  },
);
