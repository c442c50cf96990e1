/** Runs a QA drill to its end and writes its receipt. */
import { dirname } from "node:path";
import type { Context } from "../../context.ts";
import { Failure } from "../../core/failure.ts";
import { prettyJson } from "../../core/json.ts";
import { checkReceipt, type QaReceipt, type QaRun } from "../../core/qa/receipt.ts";
import { quoteWord } from "../../core/shell.ts";
import { openIterations } from "../../store/qa-drills.ts";
import { writeWhole } from "../../system/files/whole-file.ts";
import { Drill } from "./drill.ts";
import { buildClear, guardrails, testCoverage } from "./drills-loops.ts";
import { adversarialTriggers } from "./drills-triggers.ts";
import { tryBrowser, visualTemplate } from "./drills-visual.ts";

const DRILLS: Readonly<Record<QaRun, (drill: Drill) => Promise<Record<string, unknown>>>> = {
  "ralph-loop-guardrails": guardrails,
  "generic-loop-template": (drill) => visualTemplate(drill, false),
  "generic-loop-template-browser": (drill) => visualTemplate(drill, true),
  "test-coverage-loop": testCoverage,
  "adversarial-triggers": adversarialTriggers,
  "build-clear-loop": buildClear,
};

interface QaRunInput {
  readonly scenario: QaRun;
  /** Absolute. */
  readonly receiptPath: string;
  readonly dispatcherId: string;
  /** Gives the path of the drill's database; asked only when nothing stands in the way of the drill. */
  readonly db: () => string;
}

/** Where a drill that failed leaves what it had found: never in the place of a receipt. */
const failedPath = (receiptPath: string): string => `${receiptPath.replace(/\.json$/, "")}.failed.json`;

/**
 * Runs the drill against its own database and writes the receipt.
 * @throws Failure when a check fails (what was found is written beside the receipt's place), or the drill cannot begin (nothing is written)
 */
export async function qaRun(cx: Context, { scenario, receiptPath, dispatcherId, db }: QaRunInput): Promise<QaReceipt> {
  if (scenario === "generic-loop-template-browser") await tryBrowser(cx);
  const store = cx.store(db());
  const open = openIterations(store);
  if (open.length > 0) {
    throw new Failure(
      `the database has requests for an iteration that are not settled: ${open.map(({ id, state }) => `${id} (${state})`).join(", ")}`,
      {
        hint: `settle them with ${cx.program} dispatch --once --path ${quoteWord(store.path)}, or let the drill make a database of its own`,
      },
    );
  }
  const drill = new Drill(cx, store, scenario, dispatcherId, dirname(receiptPath));
  const told = () => ({
    scenario,
    generated_at: cx.now(),
    artifacts: drill.artifacts,
    checks: drill.checks,
    generated_tasks: drill.tasks,
    replay_commands: drill.replay,
  });
  try {
    const facts = await DRILLS[scenario](drill);
    const receipt = checkReceipt({ ...told(), ...facts, result: "passed", receipt_path: receiptPath });
    writeWhole(receiptPath, `${prettyJson(receipt)}\n`);
    return receipt;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const path = failedPath(receiptPath);
    writeWhole(path, `${prettyJson({ ...told(), result: "failed", failure: error.message, receipt_path: path })}\n`);
    throw new Failure(`QA run ${scenario} failed: ${error.message}`, { hint: `what it found until then is in ${path}`, cause: error });
  }
}
