/** Where a claimed command goes: the checks before anything is sent, and for who pulls the delivery itself, in one transaction. */
import { Failure } from "../../core/failure.ts";
import type { JsonObject } from "../../core/json.ts";
import { decideGate, type GateVerdict, iterationText } from "../../core/loops/gate.ts";
import type { LoopPolicy } from "../../core/loops/loop-run.ts";
import type { DeliveryMode } from "../../core/dispatch/notification.ts";
import { isGranted } from "../../core/tasks/permissions.ts";
import { type CommandType, decisionOf, messageOf, payloadOf, targetRole } from "../../core/dispatch/queued-command.ts";
import type { Session } from "../../core/sessions/session.ts";
import { quoteWord } from "../../core/shell.ts";
import { findPairing } from "../../store/sessions/bindings.ts";
import { type Claim, claimStands, endClaim } from "../../store/dispatch/command-queue.ts";
import { listCriteria } from "../../store/tasks/criteria.ts";
import { reportCommand } from "../../store/dispatch/telemetry.ts";
import type { Claimant } from "../../store/dispatch/lease.ts";
import { loopProgress, needLoopRun } from "../../store/loops/runs.ts";
import { findConfig } from "../../store/tasks/manager-configs.ts";
import { addNotification, findNotification, takeOverNotification } from "../../store/dispatch/notifications.ts";
import { type Store, tx } from "../../store/store.ts";
import { needTask } from "../../store/tasks/tasks.ts";
import type { Item } from "./items.ts";

/** A command that must still be sent. */
export interface ToSend {
  readonly target: Session;
  readonly text: string;
  readonly taskId: string;
  readonly notificationId: number;
  readonly bindingId: string;
  /** The item as it stands; the outcome is added. */
  readonly item: Item;
}

interface PermissionCheck {
  readonly allowed: boolean;
  readonly configured: boolean;
  readonly required_permission: string;
}

function checkPermission(store: Store, { command }: Claim, taskId: string): PermissionCheck | null {
  const name = command.required_permission;
  if (name === null) return null;
  const config = findConfig(store, taskId);
  const check = { allowed: config !== null && isGranted(config.permissions, name), configured: config !== null, required_permission: name };
  reportCommand(store, command, {
    type: "dispatch_command_permission_checked",
    severity: check.allowed ? "info" : "warning",
    summary: `${name} is ${check.allowed ? "permitted" : "not permitted"} for ${command.type}`,
    correlation: { required_permission: name },
    attributes: { ...check },
  });
  if (!check.allowed) {
    throw new Failure(
      config ? `the manager is not permitted ${name}` : `permission ${name} is needed and the task has no manager configuration`,
      {
        hint:
          `conveyor manager-config ${quoteWord(needTask(store, taskId).name)} --permit ${name}, if the operator agrees; then queue a ` +
          "new command",
      },
    );
  }
  return check;
}

interface Loop {
  readonly policy: LoopPolicy;
  readonly requested: number;
  readonly reached: number;
  readonly verdict: GateVerdict;
}

function readLoopPart(store: Store, claim: Claim, payload: JsonObject, taskId: string): Loop {
  const { ralph_loop: loop } = payload;
  const { run_id: runId, requested_iteration: requested } = (loop ?? {}) as { run_id?: unknown; requested_iteration?: unknown };
  if (typeof runId !== "string" || runId.trim() === "") throw new Failure("the payload names no loop run (ralph_loop.run_id)");
  if (!Number.isSafeInteger(requested)) throw new Failure("the payload names no whole number as ralph_loop.requested_iteration");
  const found = needLoopRun(store, needTask(store, taskId), runId);
  const { policy } = found;
  const at = { requested: requested as number, ...loopProgress(store, found, claim.command.id) };
  return {
    policy,
    requested: at.requested,
    reached: at.reached,
    verdict: decideGate({ policy, ...at, criteria: listCriteria(store, taskId) }),
  };
}

/** The keys that an item of a loop has besides the usual ones. */
const loopKeys = ({ policy, requested, reached, verdict }: Loop, payload: JsonObject): Item => ({
  reason: verdict.reason,
  missing_evidence: verdict.missing,
  required_before_continue: policy.required_before_continue,
  current_iteration: policy.current_iteration,
  reached_iteration: reached,
  max_iterations: policy.max_iterations,
  requested_iteration: requested,
  run_id: policy.run_id,
  cleanup_policy: policy.cleanup_policy,
  seed_prompt_sha256: policy.seed_prompt_sha256,
  stop_conditions: policy.stop_conditions,
  loop_policy: policy,
  manager_decision_id: decisionOf(payload),
});

const blockedError = ({ policy, requested, reached, verdict }: Loop): string =>
  `${verdict.reason}${verdict.missing.length ? `: missing ${verdict.missing.join(", ")}` : ""} (requested iteration ${requested}, current ${policy.current_iteration}${reached > policy.current_iteration ? `, reached ${reached}` : ""}, maximum ${policy.max_iterations})`;

/** The keys that every item of a command has. */
const commandKeys = ({ command, attemptId }: Claim, claimant: Claimant): Item => ({
  attempt_id: attemptId,
  command_id: command.id,
  command_type: command.type,
  correlation_id: command.correlation_id,
  dispatcher_id: claimant.dispatcherId,
});

/** The item of a command that failed before it was routed. */
export const unroutedItem = (claim: Claim, claimant: Claimant, error: string, errorType: string, hint: string | null = null): Item => ({
  ...commandKeys(claim, claimant),
  state: "failed",
  error,
  error_type: errorType,
  hint,
  notification_id: null,
  required_permission: claim.command.required_permission,
  side_effect_started: false,
  side_effect_completed: false,
});

/**
 * Checks a claimed command and routes it. What is refused or pulled is ended here; what must be pushed is given back, recorded as pending.
 * @param modeOf how this session is reached right now
 */
export function route(
  store: Store,
  claim: Claim,
  claimant: Claimant,
  modeOf: (target: Session) => DeliveryMode,
): { item: Item } | { send: ToSend } {
  return tx(store, () => {
    if (!claimStands(store, claim))
      return { item: unroutedItem(claim, claimant, "the lease was lost before the command was routed", "LeaseLost") };
    try {
      return routeClaimed(store, claim, claimant, modeOf);
    } catch (error) {
      const { message, name } = error as Error;
      const item = unroutedItem(claim, claimant, message, name, error instanceof Failure ? (error.hint ?? null) : null);
      endClaim(store, claim, claimant, { state: "failed", item, error: message });
      return { item };
    }
  });
}

function routeClaimed(
  store: Store,
  claim: Claim,
  claimant: Claimant,
  modeOf: (target: Session) => DeliveryMode,
): { item: Item } | { send: ToSend } {
  const { command, attemptId } = claim;
  const payload = payloadOf(command);
  const message = messageOf(payload);
  if (message === null) throw new Failure("the payload holds no message");
  if (command.task_id === null) throw new Failure("the command belongs to no task");
  const pairing = findPairing(store, command.task_id);
  if (!pairing) {
    const { name } = needTask(store, command.task_id);
    throw new Failure(`task ${JSON.stringify(name)} has no active binding`, {
      hint: `conveyor bind --task ${quoteWord(name)} --worker NAME --manager NAME; then queue a new command`,
    });
  }
  const permission = checkPermission(store, claim, command.task_id);
  const { binding } = pairing;
  const role = targetRole(command.type as CommandType);
  const target = pairing[role];
  const source = role === "worker" ? pairing.manager : pairing.worker;
  const mode = modeOf(target);
  const loop = command.type === "continue_iteration" ? readLoopPart(store, claim, payload, command.task_id) : null;
  const common = {
    ...commandKeys(claim, claimant),
    ...(loop && loopKeys(loop, payload)),
    delivery_mode: mode,
    target_session: target.name,
    dry_run: false,
  };
  if (loop && loop.verdict.reason !== null) {
    const item = {
      ...common,
      state: "blocked",
      delivered: false,
      target_worker_notified: false,
      notification_id: null,
      side_effect_started: false,
      side_effect_completed: false,
    };
    endClaim(store, claim, claimant, { state: "blocked", item, error: blockedError(loop) });
    return { item };
  }
  const notificationId = recordNotification(store, {
    taskId: command.task_id,
    bindingId: binding.id,
    correlationId: command.correlation_id,
    sourceSessionId: source.id,
    targetSessionId: target.id,
    signalType: command.type,
    dedupeKey: `${binding.id}:${command.type}:${command.id}`,
    commandId: command.id,
    mode,
    payload: {
      command_id: command.id,
      command_type: command.type,
      delivery_mode: mode,
      dispatcher_id: claimant.dispatcherId,
      message,
      permission_check: permission,
      source_session: source.name,
      target_session: target.name,
      task_id: command.task_id,
      ...(loop && { loop_policy: loop.policy, ralph_loop: { ...loop.policy, requested_iteration: loop.requested } }),
    },
  });
  reportCommand(store, command, {
    type: "dispatch_command_attempted",
    summary: `${command.type} goes to ${target.name}`,
    correlation: { attempt_id: attemptId, dispatcher_id: claimant.dispatcherId, routed_notification_id: notificationId },
    attributes: { delivery_mode: mode, permission_check: permission, source_session: source.name, target_session: target.name },
  });
  const item: Item = { ...common, notification_id: notificationId, permission_check: permission };
  const parcel: ToSend = {
    target,
    text: loop ? iterationText(message, loop.policy, loop) : message,
    taskId: command.task_id,
    notificationId,
    bindingId: binding.id,
    item,
  };
  return mode === "push" ? { send: parcel } : { item: layIntoInbox(store, claim, claimant, parcel) };
}

/** Ends a command that its target pulls. @param write writes the row of the delivery, where something was tried */
export function layIntoInbox(
  store: Store,
  claim: Claim,
  claimant: Claimant,
  { target, notificationId, bindingId, item: begun }: ToSend,
  write?: () => void,
): Item {
  const { command, attemptId } = claim;
  return tx(store, () => {
    const item = {
      ...begun,
      delivery_mode: "pull_required",
      state: "pull_required",
      transport: "inbox",
      side_effect_started: false,
      side_effect_completed: false,
    };
    reportCommand(store, command, {
      type: "dispatch_signal_pull_required",
      summary: `${command.type} waits in the inbox of ${target.name}`,
      correlation: {
        attempt_id: attemptId,
        binding_id: bindingId,
        dispatcher_id: claimant.dispatcherId,
        routed_notification_id: notificationId,
        signal_type: command.type,
      },
      attributes: { delivery_mode: "pull_required", target_session: target.name },
    });
    endClaim(store, claim, claimant, { state: "succeeded", item, error: null }, { move: "shelve", ...(write && { delivery: write }) });
    return item;
  });
}

/** A new notification, or the one that an attempt left behind which never began to send. */
function recordNotification(store: Store, input: Parameters<typeof addNotification>[1]): number {
  const left = findNotification(store, input.dedupeKey);
  if (!left) return addNotification(store, input);
  if (left.state !== "pending" || left.side_effect_started === 1)
    throw new Failure(`notification ${left.id} of this command is ${left.state} already`);
  takeOverNotification(store, left.id, input.mode, input.payload);
  return left.id;
}
