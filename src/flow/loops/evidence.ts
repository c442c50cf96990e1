/** What the actions of `loop-evidence` share: flags, finding the run, printing. */
import { choice, flag, integer, pathFlag, text, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { CRITERION_SOURCES } from "../../core/tasks/criteria.ts";
import { evidenceRun } from "../../core/loops/evidence.ts";
import type { LoopRun } from "../../core/loops/loop-run.ts";
import type { Task } from "../../core/tasks/task.ts";
import type { Recorded } from "../../store/loops/evidence.ts";
import { needLoopRun } from "../../store/loops/runs.ts";
import type { Store } from "../../store/store.ts";
import { needTask } from "../../store/tasks/tasks.ts";
import { fileExists } from "../../system/files/whole-file.ts";

export const taskWord = word("name or id of the task");

/** The flags of every action. */
export const evidenceFlags = {
  loopRun: text("the loop run, by id or name", { required: true, value: "RUN" }),
  // Below 1 is a refusal that names the flag, not a misuse.
  iteration: integer("the iteration that the evidence is about", { required: true, min: Number.MIN_SAFE_INTEGER }),
  source: choice("where it comes from", CRITERION_SOURCES, { default: "manager_inferred" }),
  correlationId: text("id that ties this to other records", { value: "ID" }),
  json: flag("print JSON (it is always JSON)"),
  path: pathFlag,
};

export const statusFlag = text(
  "how it came out; pass, passed, success, succeeded, ok, green and satisfied count as proof, anything else as a refusal",
  { default: "pass" },
);
export const artifactFlag = text("a file that shows it, stored as given", { value: "FILE" });

interface Subject {
  readonly store: Store;
  readonly task: Task;
  readonly loop: LoopRun;
}

/** @throws Failure when the task or its loop run is unknown */
export function evidenceSubject(cx: Context, args: { task: string; loopRun: string; path?: string | undefined }): Subject {
  const store = cx.store(args.path);
  const task = needTask(store, args.task);
  return { store, task, loop: needLoopRun(store, task, args.loopRun) };
}

/** Says on stderr when an artifact is not there; it is recorded all the same. */
export function checkArtifact(cx: Context, path: string | undefined): void {
  if (path !== undefined && !fileExists(cx.path(path))) cx.err(`warning: there is no file ${path}; the path is recorded as given`);
}

export const printRecorded = (cx: Context, { criterion, evidence }: Recorded, loop: LoopRun): void =>
  cx.json({ criterion, evidence, run: evidenceRun(loop) });
