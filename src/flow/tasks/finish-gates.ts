/** The gates of finishing a task, each with how it stands now, for a person who chooses which to hold it to. */
import { hasAdversarialProof, openCriteria } from "../../core/tasks/criteria.ts";
import { epilogueStatus } from "../../core/tasks/epilogue.ts";
import { auditAcks } from "../../store/tasks/acks.ts";
import { listCriteria } from "../../store/tasks/criteria.ts";
import { listEpilogueRuns } from "../../store/tasks/epilogues.ts";
import { findConfig } from "../../store/tasks/manager-configs.ts";
import { machineProofs } from "../loops/machine-proof.ts";
import type { TaskScene } from "../scene.ts";

export const GATES = ["criteria", "acks", "current_acks", "epilogue", "adversarial_proof", "fresh_proof"] as const;
export type GateName = (typeof GATES)[number];

export interface FinishGate {
  readonly name: GateName;
  readonly open: boolean;
  /** What it asks for. */
  readonly asks: string;
  /** Why it is open or shut. */
  readonly why: string;
  /** The task's own configuration demands it. */
  readonly demanded: boolean;
}

/** All gates, as they stand at this moment. */
export async function finishGates({ cx, store, task }: TaskScene): Promise<FinishGate[]> {
  const criteria = listCriteria(store, task.id);
  const config = findConfig(store, task.id);
  const left = openCriteria(criteria);
  const acks = auditAcks(store, task.id, false);
  const epilogue = epilogueStatus(config?.epilogues ?? [], listEpilogueRuns(store, task.id));
  const proofs = [...(await machineProofs(cx, store, criteria)).entries()];
  const unfit = proofs.filter(([, proof]) => proof.state !== "fresh");
  const disproved = hasAdversarialProof(criteria);
  const numbers = (ids: readonly number[]): string => ids.map((id) => `#${id}`).join(", ");
  return [
    {
      name: "criteria",
      open: left.length === 0,
      asks: "no accepted criterion is open",
      why:
        left.length > 0
          ? `accepted and still open: ${numbers(left.map(({ id }) => id))}`
          : criteria.length === 0
            ? "there are no criteria"
            : "all are settled",
      demanded: false,
    },
    {
      name: "acks",
      open: acks.ok,
      asks: "both sides have acknowledged the task",
      why: acks.ok ? "both have" : `missing: ${acks.missing.join(", ")}`,
      demanded: config?.require_acks === true,
    },
    {
      name: "current_acks",
      open: acks.ok && acks.stale.length === 0,
      asks: "both have acknowledged the present configuration",
      why: !acks.ok
        ? `missing: ${acks.missing.join(", ")}`
        : acks.stale.length > 0
          ? `of an older configuration: ${acks.stale.join(", ")}`
          : "both have",
      demanded: false,
    },
    {
      name: "epilogue",
      open: epilogue.ok,
      asks: "every configured closing step has succeeded",
      why:
        epilogue.required_steps.length === 0
          ? "none is configured"
          : epilogue.ok
            ? "all have"
            : `not yet: ${epilogue.missing_or_incomplete.join(", ")}`,
      demanded: (config?.epilogues.length ?? 0) > 0,
    },
    {
      name: "adversarial_proof",
      open: disproved,
      asks: "somebody tried to disprove the work and failed",
      why: disproved ? "there is evidence of it" : "no satisfied criterion says so",
      demanded: false,
    },
    {
      name: "fresh_proof",
      open: proofs.length > 0 && unfit.length === 0,
      asks: "what a machine proved still fits the tree",
      why:
        proofs.length === 0
          ? "nothing is machine-proven"
          : unfit.length > 0
            ? `stale: ${numbers(unfit.map(([id]) => id))}`
            : "all proofs fit",
      demanded: false,
    },
  ];
}
