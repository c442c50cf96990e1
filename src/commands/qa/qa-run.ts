/** `qa-run`: executes a drill against a database of its own and writes a receipt. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { choiceWord, flag, pathFlag, text, verb } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { QA_RUNS } from "../../core/qa/receipt.ts";
import { qaRun } from "../../flow/qa/run.ts";

export default verb(
  {
    about:
      "Executes a drill with the real commands, step by step, against a fresh database in the temporary folder, so " +
      "that the real state is never touched, and writes a receipt with every check. No receipt is written unless " +
      "all checks passed. The browser drill needs an installed Chromium or Chrome (CHROME_PATH names one).",
    examples: [
      ["qa-run --receipt-output receipt.json", "limits, missing evidence and a preset"],
      ["qa-run generic-loop-template-browser --receipt-output out/browser.json --json", "the visual drill with a real browser"],
    ],
    positionals: { scenario: choiceWord("which drill", QA_RUNS, { default: "ralph-loop-guardrails" }) },
    flags: {
      receiptOutput: text("where to write the receipt; artifacts go beside it", { required: true, filled: true, value: "FILE" }),
      dispatcherId: text("name of the drill's dispatcher (default: qa-run- and 8 hexadecimal digits)", { value: "ID", filled: true }),
      path: pathFlag,
      json: flag("print JSON"),
    },
  },
  async (args, cx: Context) => {
    const { scenario } = args;
    const receiptPath = cx.path(args.receiptOutput);
    const receipt = await qaRun(cx, {
      scenario,
      receiptPath,
      dispatcherId: args.dispatcherId ?? `qa-run-${cx.outside.uuid().slice(0, 8)}`,
      db: () =>
        args.path === undefined
          ? join(mkdtempSync(join(cx.env.TMPDIR || tmpdir(), "workerctl-qa-run-")), "workerctl.db")
          : cx.storePath(args.path),
    });
    if (args.json) return cx.json({ checks: receipt.checks.length, receipt_path: receiptPath, result: receipt.result, scenario });
    cx.out(`QA run ${scenario}: ${receipt.result}`);
    cx.out(receiptPath);
  },
);
