/** Dispatch, part A: queued commands are claimed and carried out one by one. */
import type { Verdict } from "../../core/delivery/delivery.ts";
import { endingOf, notYet } from "../../core/dispatch/message.ts";
import { COMMAND_TYPES, type CommandType, type SignalType } from "../../core/dispatch/queued-command.ts";
import {
  beginClaim,
  type Claim,
  claimableCommands,
  claimCommand,
  claimStands,
  endClaim,
  extendClaim,
} from "../../store/dispatch/command-queue.ts";
import { moveMessage, readMessage } from "../../store/dispatch/message.ts";
import { proveById } from "../../store/dispatch/prove.ts";
import { reportCommand } from "../../store/dispatch/telemetry.ts";
import { type Store, tx } from "../../store/store.ts";
import {
  digestKeys,
  type Item,
  NOT_NOW,
  type PassMemory,
  type PassScene,
  rest,
  restingSessions,
  type Step,
  targetOf,
  type Whom,
} from "./items.ts";
import { modeOf } from "./mode.ts";
import { parkIfHeld } from "./parking.ts";
import { type ClaimScene, layIntoInbox, route, type ToSend, unroutedItem } from "./route.ts";

/** The command types that `--type` leaves. */
export const commandTypes = (only: SignalType | undefined): CommandType[] =>
  COMMAND_TYPES.filter((type) => only === undefined || type === only);

/** What could be claimed now, as items of a dry run. */
export const plannedCommands = (store: Store, types: readonly CommandType[], limit: number): Item[] =>
  claimableCommands(store, types, limit).map(({ id, type, correlation_id, task_id }) => ({
    command_id: id,
    command_type: type,
    correlation_id,
    dry_run: true,
    state: "planned",
    task: task_id,
  }));

/** Claims the next command for a session that is not busy and routes it, or parks it; null when there is none. */
export function nextCommand(scene: PassScene, types: readonly CommandType[], whom: Whom, memory: PassMemory): Step | null {
  const { store, claimant } = scene;
  const to = { ...whom, busy: [...whom.busy, ...restingSessions(scene, memory)] };
  const taken = tx(store, () => {
    const [next] = claimableCommands(store, types, 1, to);
    if (next === undefined) return null;
    const item = parkIfHeld(scene, next);
    return item === null ? claimCommand(store, claimant, next) : { item };
  });
  return taken === null || "item" in taken ? taken : stepOf(scene, taken, memory);
}

/** A claimed command as a step: ended by its checks or laid into the inbox at once, or to be sent. */
function stepOf(scene: PassScene, claim: Claim, memory: PassMemory): Step {
  const { cx, store, claimant } = scene;
  const claimed = { ...scene, claim };
  const routed = route(claimed, (target) => modeOf(store, target));
  if ("item" in routed) return routed;
  const { send } = routed;
  return {
    sending: {
      target: send.target,
      text: send.text,
      taskId: send.taskId,
      commandId: claim.command.id,
      notificationId: send.notificationId,
      begin: () => beginClaim(store, claim, claimant),
      extend: () => extendClaim(store, claim, claimant),
      finish(verdict, write, more = {}) {
        if (verdict.state === "delivered") memory.resting.delete(send.target.id);
        else if (verdict.later && verdict.errorType !== NOT_NOW) rest(memory, send.target.id, send.target, cx.nowMs());
        return [finish(claimed, { ...send, item: { ...send.item, ...more } }, verdict, write)];
      },
    },
  };
}

/** Writes down how the sending went: notification, attempt, command, delivery and telemetry together. */
function finish(claimed: ClaimScene, send: ToSend, verdict: Verdict, write: () => void): Item {
  const { store, claim, claimant } = claimed;
  const { started, error, errorType, transport, proof, hint } = verdict;
  const arrived = verdict.state === "delivered";
  return tx(store, () => {
    if (!claimStands(store, claim)) {
      // What is proven has arrived, whoever has taken over meanwhile.
      const told = arrived ? proveById(store, send.notificationId, claimant.dispatcherId, write) : null;
      if (told !== null) return told;
      if (!arrived) write();
      if (arrived && readMessage(store, { commandId: claim.command.id })?.state === "delivered")
        return { ...send.item, transport, proof, state: "delivered", side_effect_started: true, side_effect_completed: true };
      return { ...unroutedItem(claimed, "the lease was lost while it was being sent", "LeaseLost"), side_effect_started: started };
    }
    if (verdict.state === "pull_required") return layIntoInbox(claimed, send, write);
    const flags = { transport, proof, side_effect_started: started, side_effect_completed: arrived };
    const item: Item = {
      ...send.item,
      ...flags,
      ...(arrived ? { state: "delivered" } : { state: stateOf(verdict), error, error_type: errorType, hint }),
      ...(started ? { send_result: sendResult(store, send, verdict) } : {}),
    };
    if (notYet(verdict)) {
      const right = { by: "holder", claim: { attemptId: claim.attemptId }, claimant } as const;
      moveMessage(store, { commandId: claim.command.id }, "wait", right, { error: null, result: item, delivery: write });
      return item;
    }
    if (verdict.later) return park(claimed, item, error, write);
    reportCommand(store, claim.command, {
      type: arrived ? "dispatch_signal_routed" : "dispatch_signal_failed",
      severity: arrived ? "info" : "error",
      summary: `${claim.command.type} ${arrived ? "sent to" : "not delivered to"} ${send.target.name}`,
      correlation: {
        attempt_id: claim.attemptId,
        dispatcher_id: claimant.dispatcherId,
        routed_notification_id: send.notificationId,
        signal_type: claim.command.type,
      },
      attributes: {
        target_session: send.target.name,
        transport,
        proof,
        ...digestKeys(send.item),
        ...(arrived ? { target: targetOf(send.target) } : { error, error_type: errorType }),
      },
    });
    const ending = { state: arrived ? "succeeded" : "failed", item, error: arrived ? null : error } as const;
    endClaim(store, claim, claimant, ending, { move: endingOf(verdict), delivery: write });
    return item;
  });
}

const stateOf = (verdict: Verdict): string => (notYet(verdict) ? "not_yet" : verdict.later ? "parked" : "failed");

/** Gives it back unsent: it is tried again, and this was no attempt. */
function park({ store, claim, claimant }: ClaimScene, item: Item, error: string | null, write: () => void): Item {
  const { command, attemptId } = claim;
  const right = { by: "holder", claim: { attemptId }, claimant } as const;
  moveMessage(store, { commandId: command.id }, "park", right, { error, result: item, delivery: write, uncounted: true });
  reportCommand(store, command, {
    type: "dispatch_command_abandoned",
    severity: "warning",
    summary: `${command.type} command parked for ${item.target_session}`,
    correlation: { attempt_id: attemptId, dispatcher_id: claimant.dispatcherId },
    attributes: {
      recovery_state: "parked",
      side_effect_started: false,
      error,
      worker_id: command.worker_id,
      manager_id: command.manager_id,
    },
  });
  return item;
}

/** What an item tells about a message that was sent. */
const sendResult = (
  store: Store,
  { target, text }: ToSend,
  { started, completed, transport, proof }: Verdict,
): Record<string, unknown> => ({
  dry_run: false,
  session: target.name,
  side_effect_started: started,
  side_effect_completed: completed,
  target: targetOf(target),
  text,
  time: store.now(),
  transport,
  proof,
});
