/** Runs a command as evidence for a criterion, and records what it did together with the state of the tree. */
import type { Criterion, CriterionSource } from "../../core/tasks/criteria.ts";
import {
  type EvidenceRun,
  type MeasuredRun,
  type NotSeen,
  machineEvidence,
  proofSentence,
  sameTree,
  succeeded,
} from "../../core/loops/evidence-run.ts";
import { receiptOf } from "../../core/loops/evidence.ts";
import type { JsonObject } from "../../core/json.ts";
import type { LoopRun } from "../../core/loops/loop-run.ts";
import { maskSecrets } from "../../core/secrets.ts";
import type { Task } from "../../core/tasks/task.ts";
import { listCriteria, needCriterion, setCriterion } from "../../store/tasks/criteria.ts";
import { addEvent } from "../../store/record/events.ts";
import { addEvidenceRun } from "../../store/loops/evidence-runs.ts";
import { recordEvidence } from "../../store/loops/evidence.ts";
import { type Store, tx } from "../../store/store.ts";
import { addTelemetry } from "../../store/record/telemetry.ts";
import { recordRun } from "../../system/processes/recorded-run.ts";
import { sourceTree } from "./machine-proof.ts";
import type { Scene, TaskScene } from "../scene.ts";

/** So many of the last lines of output are kept, unless somebody chooses. */
export const TAIL_LINES = 20;

/** An iteration of a loop that the evidence is for. */
interface LoopTarget {
  readonly loop: LoopRun;
  readonly iteration: number;
  readonly type: string;
}

/** What a run is evidence for. */
interface EvidenceSettling {
  /** Absent: the criterion of the loop's iteration and type. */
  readonly criterionId?: number | undefined;
  readonly target?: LoopTarget | undefined;
  readonly source: CriterionSource;
  readonly correlationId?: string | undefined;
  /** It was measured inside the sandbox of the worker, who told it. */
  readonly told?: boolean;
}

/** What is run. */
interface Runnable {
  readonly command: readonly string[];
  readonly folder: string;
  readonly timeoutMs?: number | undefined;
  readonly tailLines: number;
  /** What it started and left running ends with it. */
  readonly endsRest?: boolean | undefined;
}

export interface EvidenceInput extends EvidenceSettling, Runnable {}

/** What was seen of a run, before anything is written of it. @throws Failure when the command cannot be run */
export async function measureRun({ cx, store }: Scene, input: Runnable): Promise<{ measured: MeasuredRun; notSeen: NotSeen | null }> {
  const before = await sourceTree(cx, store, input.folder);
  const startedAt = cx.now();
  const recording = await recordRun(input.command, {
    env: cx.env,
    cwd: input.folder,
    timeoutMs: input.timeoutMs,
    tailLines: input.tailLines,
    endsRest: input.endsRest,
  });
  const after = await sourceTree(cx, store, input.folder);
  const measured = {
    command: input.command.map(maskSecrets),
    folder: input.folder,
    tree: before && { head: before.head, dirty: before.dirty, diff_sha256: before.diff_sha256 },
    tree_changed: !sameTree(before, after),
    started_at: startedAt,
    duration_ms: recording.durationMs,
    exit_code: recording.exitCode,
    signal: recording.signal,
    timed_out: recording.timedOut,
    output_bytes: recording.outputBytes,
    output_sha256: recording.outputSha256,
    output_tail: maskSecrets(recording.tail),
  };
  return { measured, notSeen: after?.not_seen ?? null };
}

/** Writes the record of a run, with event and telemetry. Call it inside the transaction of the criterion it is about. */
function addRun(store: Store, task: Task, run: EvidenceRun, correlationId: string | undefined, more: JsonObject = {}): void {
  addEvidenceRun(store, run);
  const said = { evidence_run_id: run.id, criterion_id: run.criterion_id };
  const outcome = {
    command: run.command,
    exit_code: run.exit_code,
    signal: run.signal,
    timed_out: run.timed_out,
    duration_ms: run.duration_ms,
    tree_changed: run.tree_changed,
  };
  addEvent(store, {
    type: "evidence_run_recorded",
    taskId: task.id,
    correlationId: correlationId ?? null,
    payload: { ...said, ...outcome, git_head: run.tree?.head ?? null, ...more },
  });
  addTelemetry(store, {
    type: "evidence_run_recorded",
    taskId: task.id,
    severity: succeeded(run) ? "info" : "warning",
    ...(run.loop_run_id === null ? {} : { runId: run.loop_run_id }),
    summary: `evidence run for criterion ${run.criterion_id}: ${succeeded(run) ? "passed" : "failed"}`,
    correlation: { ...said, ...(correlationId === undefined ? {} : { correlation_id: correlationId }) },
    attributes: outcome,
  });
}

/**
 * Writes run, criterion, event and telemetry in one transaction. A command that ended with 0 satisfies the criterion. Any other leaves it
 * open: a satisfied one becomes accepted again, evidence of a loop is rejected.
 * @throws Failure when the criterion has gone meanwhile; nothing is written then
 */
export function recordMeasured(
  { store, task }: TaskScene,
  input: EvidenceSettling,
  measured: MeasuredRun,
): { run: EvidenceRun; criterion: Criterion } {
  const { target } = input;
  return tx(store, () => {
    const facts: EvidenceRun = {
      id: store.newId("evidence"),
      task_id: task.id,
      criterion_id: input.criterionId ?? 0,
      loop_run_id: target?.loop.run.id ?? null,
      iteration: target?.iteration ?? null,
      evidence_type: target?.type ?? null,
      ...measured,
    };
    const criterion = settle(store, task, input, facts);
    const run = { ...facts, criterion_id: criterion.id };
    addRun(store, task, run, input.correlationId, input.told ? { told_by_worker: true } : {});
    return { run, criterion };
  });
}

/**
 * Runs the command to its end, then writes what was seen of it.
 * @throws Failure as {@link measureRun} and {@link recordMeasured} do
 */
export async function runEvidence(
  scene: TaskScene,
  input: EvidenceInput,
): Promise<{ run: EvidenceRun; criterion: Criterion; notSeen: NotSeen | null }> {
  const { measured, notSeen } = await measureRun(scene, input);
  return { ...recordMeasured(scene, input, measured), notSeen };
}

/** A proof that is made once more in another tree, as it was stored. */
export interface ProofAgain {
  readonly stored: EvidenceRun;
  /** Where it runs, and the folder that is put on record for it: the first goes away. */
  readonly folder: string;
  readonly recordedFolder: string;
  readonly timeoutMs: number;
  /** The landing that it is for; null: nothing is put on record. */
  readonly landingId: string | null;
}

/**
 * Makes a stored proof once more. The run is put on record; the criterion stays as it is, since it is not settled yet whether what was
 * proven here comes to count.
 * @throws Failure when the command cannot be run
 */
export async function proveAgain(scene: TaskScene, again: ProofAgain): Promise<EvidenceRun> {
  const { stored, landingId } = again;
  const { store, task } = scene;
  const { measured } = await measureRun(scene, {
    command: stored.command,
    folder: again.folder,
    timeoutMs: again.timeoutMs,
    tailLines: TAIL_LINES,
    endsRest: true,
  });
  const { criterion_id, loop_run_id, iteration, evidence_type } = stored;
  const run: EvidenceRun = {
    ...measured,
    id: store.newId("evidence"),
    task_id: task.id,
    criterion_id,
    loop_run_id,
    iteration,
    evidence_type,
    folder: again.recordedFolder,
  };
  if (landingId !== null) tx(store, () => addRun(store, task, run, undefined, { landing_id: landingId }));
  return run;
}

/**
 * Lets the criterion rest on this run from now on, unless somebody has judged it otherwise since. Call it inside the transaction of what
 * makes it count.
 */
export function restOn(store: Store, task: Task, run: EvidenceRun, more: JsonObject): void {
  const criterion = listCriteria(store, task.id).find(({ id }) => id === run.criterion_id);
  if (criterion?.status !== "satisfied") return;
  const { evidence } = criterion;
  const machine = machineEvidence(run) as unknown as JsonObject;
  setCriterion(store, task, run.criterion_id, "satisfied", {
    proof: proofSentence(run),
    evidence: { ...evidence, ...machine, status: "pass", ...more },
  });
}

function settle(store: Store, task: Task, { criterionId, target, source, correlationId }: EvidenceSettling, run: EvidenceRun): Criterion {
  const proof = proofSentence(run);
  const machine = machineEvidence(run) as unknown as JsonObject;
  const status = succeeded(run) ? "pass" : "fail";
  const evidence = { iteration: target?.iteration ?? 0, type: target?.type ?? "", status, correlationId, metadata: machine };
  if (criterionId === undefined) return recordEvidence(store, task, target!.loop, { ...evidence, source, proof }).criterion;
  const old = needCriterion(store, task, criterionId);
  const next = succeeded(run) ? "satisfied" : old.status === "satisfied" ? "accepted" : old.status;
  const receipt = target
    ? receiptOf(target.loop.run.id, evidence)
    : { ...machine, status, ...(correlationId === undefined ? {} : { correlation_id: correlationId }) };
  return setCriterion(store, task, criterionId, next, { proof, evidence: { ...old.evidence, ...receipt } });
}
