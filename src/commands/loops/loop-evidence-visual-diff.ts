/** `loop-evidence visual-diff`: compares a screenshot with a reference picture and records the outcome as evidence. */
import { number, text, verb } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { Failure } from "../../core/failure.ts";
import type { JsonObject } from "../../core/json.ts";
import { needIteration } from "../../core/loops/evidence.ts";
import { sixDigits } from "../../core/loops/visual-diff.ts";
import { evidenceFlags, evidenceSubject, taskWord } from "../../flow/loops/evidence.ts";
import { compareFiles } from "../../flow/loops/visual-diff.ts";
import { recordEvidence } from "../../store/loops/evidence.ts";
import { tx } from "../../store/store.ts";
import { placing } from "../../system/files/whole-file.ts";

export default verb(
  {
    about:
      "Compares two PNG pictures of the same size pixel by pixel. The score is the share of pixels that differ in any " +
      "channel; a score up to the threshold passes. Records two criteria for the iteration: visual_diff_report, which " +
      "always counts, and diff_below_threshold, which counts when it passed. Exit 0 also when the score is too high.",
    examples: [
      [
        "loop-evidence visual-diff shots --loop-run pixels --iteration 1 --reference want.png --candidate got.png --threshold 0.01",
        "at most one pixel in a hundred may differ",
      ],
      [
        "loop-evidence visual-diff shots --loop-run pixels --iteration 1 --reference want.png " +
          "--candidate got.png --threshold 0 --overlay-output seen.png --report-output diff.json",
        "with a picture of where, and the report as a file",
      ],
    ],
    positionals: { task: taskWord },
    flags: {
      ...evidenceFlags,
      reference: text("the wanted picture", { required: true, value: "PNG" }),
      candidate: text("the screenshot to judge", { required: true, value: "PNG" }),
      threshold: number("largest share of differing pixels that passes, from 0 to 1", { required: true, min: Number.NEGATIVE_INFINITY }),
      diffOutput: text("write a mask: red where changed, transparent elsewhere", { value: "PNG", filled: true }),
      overlayOutput: text("write a picture for people: the reference dimmed, changed places in red", { value: "PNG", filled: true }),
      reportOutput: text("write the report as JSON; the receipts name it as their artifact", { value: "FILE", filled: true }),
    },
  },
  async (args, cx: Context) => {
    const { threshold, source, correlationId } = args;
    const iteration = needIteration(args.iteration);
    if (!(threshold >= 0 && threshold <= 1))
      throw new Failure(`--threshold must be from 0 to 1, not ${threshold}`, {
        hint: "it is the share of pixels that may differ, for instance 0.01",
      });
    const { store, task, loop } = evidenceSubject(cx, args);
    const path = (given: string | undefined) => (given === undefined ? undefined : cx.path(given));
    const reportOutput = path(args.reportOutput);
    const { diff, files } = await compareFiles({
      reference: cx.path(args.reference),
      candidate: cx.path(args.candidate),
      threshold,
      diffOutput: path(args.diffOutput),
      overlayOutput: path(args.overlayOutput),
      reportOutput,
    });
    const common = { iteration, source, correlationId, artifactPath: reportOutput, metadata: { ...diff } as JsonObject };
    const score = sixDigits(diff.diff_score);
    const verdict = diff.below_threshold ? "is within" : "is above";
    const [report, below] = placing(files, (place) =>
      tx(store, () => {
        const both = [
          recordEvidence(store, task, loop, {
            ...common,
            type: "visual_diff_report",
            status: "pass",
            proof: `Compared ${diff.candidate} with ${diff.reference}: ${diff.changed_pixels} of ${diff.total_pixels} pixels differ.`,
          }),
          recordEvidence(store, task, loop, {
            ...common,
            type: "diff_below_threshold",
            status: diff.below_threshold ? "pass" : "fail",
            proof: `The score ${score} ${verdict} the threshold ${sixDigits(threshold)}.`,
          }),
        ] as const;
        place();
        return both;
      }),
    );
    if (!diff.below_threshold)
      cx.err(
        `hint: the score ${score} is above the threshold ${sixDigits(threshold)}: diff_below_threshold is recorded as rejected, and a ` +
          "gate that requires it stays shut",
      );
    cx.json({ diff, criterion: report.criterion, evidence: report.evidence, threshold_criterion: below.criterion });
  },
);
