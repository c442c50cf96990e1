/** `loop-evidence add`: evidence of any type for an iteration of a loop. */
import { text, verb } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { adversarialMetadata, needIteration, needType, parseMetadata } from "../../core/loops/evidence.ts";
import { ADVERSARIAL_CHECK } from "../../core/loops/loop-run.ts";
import { EVIDENCE_TYPES } from "../../core/loops/templates.ts";
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

export default verb(
  {
    about:
      "Records evidence for an iteration of a loop as a criterion of the task. Dispatch lets the next " +
      "iteration through once every type that the loop's policy requires is on record and satisfied. " +
      "The same run, iteration and type is one criterion: recording again replaces the receipt.",
    examples: [
      [
        "loop-evidence add login-fix --loop-run coverage --iteration 1 --evidence-type test_coverage --artifact-path coverage.json",
        "coverage was measured",
      ],
      [
        "loop-evidence add login-fix --loop-run coverage --iteration 1 --evidence-type ci_green --status failed",
        "CI is red: the gate stays shut",
      ],
    ],
    positionals: { task: taskWord },
    flags: {
      ...evidenceFlags,
      evidenceType: text("what it proves, for instance ci_green; types are those that the loop's policy requires", {
        required: true,
        value: "TYPE",
        suggest: EVIDENCE_TYPES,
      }),
      status: statusFlag,
      proof: text("a sentence for people", { value: "TEXT" }),
      artifactPath: artifactFlag,
      metadataJson: text("further facts of the receipt, a JSON object", { value: "JSON" }),
    },
  },
  (args, cx: Context) => {
    const { status, source, proof, artifactPath, correlationId } = args;
    const iteration = needIteration(args.iteration);
    const type = needType(args.evidenceType);
    const given = parseMetadata(args.metadataJson);
    const metadata = type === ADVERSARIAL_CHECK ? adversarialMetadata(given, (field) => `${field} in --metadata-json`) : given;
    const { store, task, loop } = evidenceSubject(cx, args);
    checkArtifact(cx, artifactPath);
    printRecorded(
      cx,
      recordEvidence(store, task, loop, { type, iteration, status, source, proof, artifactPath, correlationId, metadata }),
      loop,
    );
  },
);
