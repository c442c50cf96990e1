/** What a manager needs to decide: configuration, acknowledgements, handoff, receipt of the last turn, criteria. */
import { ackCommand } from "../../core/tasks/agent-input.ts";
import { CRITERION_STATUSES, openCriteria, summariseCriteria } from "../../core/tasks/criteria.ts";
import type { MachineProof } from "../../core/loops/evidence-run.ts";
import { type Negotiation, negotiateCriteria } from "../../core/tasks/criteria-negotiation.ts";
import { Failure } from "../../core/failure.ts";
import type { ManagerConfig } from "../../core/tasks/manager-config.ts";
import { ROLES, type Role } from "../../core/sessions/session.ts";
import { type Ack, latestAck } from "../../store/tasks/acks.ts";
import { newestCompletion } from "../../store/observe/codex-events.ts";
import { turnErrorOf } from "../../store/observe/turn-error.ts";
import { listCriteria } from "../../store/tasks/criteria.ts";
import { type Handoff, latestHandoff } from "../../store/tasks/handoffs.ts";
import { findConfig } from "../../store/tasks/manager-configs.ts";
import type { Store } from "../../store/store.ts";
import type { PairedScene, TaskScene } from "../scene.ts";

/** What the worker left at the end of its newest turn; members that its Codex did not write are null. */
function workerReceipt(store: Store, taskId: string): Record<string, unknown> | null {
  const completion = newestCompletion(store, taskId);
  if (!completion) return null;
  const { payload } = completion;
  const keys = ["completed_at", "duration_ms", "last_agent_message", "time_to_first_token_ms", "turn_id"];
  return {
    ...Object.fromEntries(keys.map((key) => [key, payload[key] ?? null])),
    turn_error: turnErrorOf(store, completion),
    binding_id: completion.binding_id,
    source_event_id: completion.id,
    source_event_timestamp: completion.timestamp,
    source_session_id: completion.session_id,
    source_session_name: completion.session_name,
  };
}

export interface ManagerContext {
  readonly manager_config: ManagerConfig | null;
  readonly worker_ack: Ack | null;
  readonly manager_ack: Ack | null;
  readonly worker_handoff: Handoff | null;
  readonly worker_receipt: Record<string, unknown> | null;
  readonly acceptance_criteria: { readonly summary: Readonly<Record<string, number>>; readonly [list: string]: unknown };
  readonly criteria_negotiation: Negotiation;
}

/**
 * Reads it all. Changes nothing.
 * @param proofs how the proofs of the machine-proven criteria stand, by criterion id; they are looked up before, since that asks git
 */
export function managerContext({ cx, store, task }: TaskScene, proofs: ReadonlyMap<number, MachineProof> = new Map()): ManagerContext {
  const criteria = listCriteria(store, task.id);
  return {
    manager_config: findConfig(store, task.id),
    worker_ack: latestAck(store, task.id, "worker"),
    manager_ack: latestAck(store, task.id, "manager"),
    worker_handoff: latestHandoff(store, task.id),
    worker_receipt: workerReceipt(store, task.id),
    acceptance_criteria: {
      ...Object.fromEntries(CRITERION_STATUSES.map((status) => [status, criteria.filter((criterion) => criterion.status === status)])),
      open: openCriteria(criteria),
      machine_proofs: [...proofs].map(([criterion_id, proof]) => ({ criterion_id, ...proof })),
      summary: summariseCriteria(criteria),
    },
    criteria_negotiation: negotiateCriteria(cx.program, task.name, criteria),
  };
}

/** @throws Failure naming the roles that have not acknowledged the current configuration under this binding, where it asks for that */
export function requireAcks({ cx, task, pairing }: PairedScene, context: ManagerContext): void {
  const config = context.manager_config;
  if (!config?.require_acks) return;
  const acks: Readonly<Record<Role, Ack | null>> = { worker: context.worker_ack, manager: context.manager_ack };
  const missing = ROLES.filter(
    (role) => acks[role]?.binding_id !== pairing.binding.id || acks[role]?.manager_config_revision !== config.revision,
  );
  if (missing.length === 0) return;
  throw new Failure(
    `task ${JSON.stringify(task.name)} needs an acknowledgement of configuration revision ${config.revision} from ${missing.join(" and ")}`,
    {
      hint: missing.map((role) => ackCommand(cx.program, role, task.name)).join("; "),
    },
  );
}

/** What the record of a cycle tells of it. @param consumed messages that were taken out of the manager's inbox */
export const contextAttributes = (context: ManagerContext, consumed: number): Record<string, unknown> => ({
  accepted_criteria: context.acceptance_criteria.summary.accepted,
  consumed_dispatch_notifications: consumed,
  manager_ack_present: context.manager_ack !== null,
  manager_config_present: context.manager_config !== null,
  require_acks: context.manager_config?.require_acks ?? false,
  worker_ack_present: context.worker_ack !== null,
  worker_handoff_present: context.worker_handoff !== null,
  worker_receipt_present: context.worker_receipt !== null,
});
