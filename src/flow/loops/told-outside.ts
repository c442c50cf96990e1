/** A run that is made inside a worker's sandbox and recorded outside of it: nothing of the worker's is ever run out there. */
import type { Criterion } from "../../core/tasks/criteria.ts";
import { Failure } from "../../core/failure.ts";
import type { EvidenceRun, NotSeen } from "../../core/loops/evidence-run.ts";
import type { ToldEvidence } from "../../core/loops/told-evidence.ts";
import type { TaskScene } from "../scene.ts";
import { askOutside } from "../worktrees/errand.ts";
import { type EvidenceInput, measureRun } from "./evidence-run.ts";

interface Told {
  readonly named: { readonly loopRun: string | undefined; readonly iteration: number | undefined; readonly type: string | undefined };
  /** Database file, when one was named. */
  readonly path: string | undefined;
}

/** @throws Failure when the command cannot be run, nobody outside answers, or it is refused there */
export async function runToldOutside(
  scene: TaskScene,
  input: EvidenceInput,
  { named, path }: Told,
): Promise<{ run: EvidenceRun; criterion: Criterion; notSeen: NotSeen | null }> {
  const { measured, notSeen } = await measureRun(scene, input);
  const { criterionId, source, correlationId } = input;
  const { loopRun = null, iteration = null, type = null } = named;
  const settling = { criterion: criterionId ?? null, loopRun, iteration, type, source, correlationId: correlationId ?? null };
  const told: ToldEvidence = { settling, measured };
  const asked = { command: "evidence-told", task: scene.task.name, flags: {} };
  const answer = await askOutside(scene.cx, path, asked, () => JSON.stringify(told));
  if (answer?.exit !== 0) throw new Failure(answer?.stderr.trim().replace(/^\w+: /, "") || "the run was not recorded");
  return { ...(JSON.parse(answer.stdout) as { run: EvidenceRun; criterion: Criterion }), notSeen };
}
