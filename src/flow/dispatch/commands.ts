/** Dispatch, part A: expired claims are recovered, then queued commands are claimed and carried out one by one. */
import type { Context } from "../../context.ts";
import { COMMAND_TYPES, type CommandType, type SignalType } from "../../core/dispatch/queued-command.ts";
import {
  beginClaim,
  type Claim,
  claimableCommands,
  claimNext,
  claimStands,
  endClaim,
  extendClaim,
} from "../../store/dispatch/command-queue.ts";
import { expiredClaims, recoverClaim } from "../../store/dispatch/command-recovery.ts";
import { reportCommand } from "../../store/dispatch/telemetry.ts";
import type { Claimant } from "../../store/dispatch/lease.ts";
import { markDelivered, markFailed, notificationOfCommand } from "../../store/dispatch/notifications.ts";
import { type Store, tx } from "../../store/store.ts";
import type { Delivered } from "../delivery/deliver.ts";
import { type Item, type Step, targetOf } from "./items.ts";
import { modeOf } from "./mode.ts";
import { layIntoInbox, route, type ToSend, unroutedItem } from "./route.ts";
import { hasArrived } from "./settle-attempt.ts";

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

/** Recovers claims whose lease has ended, at most `limit`. */
export function recoverCommands(cx: Context, store: Store, claimant: Claimant, types: readonly CommandType[], limit: number): Item[] {
  return expiredClaims(store, types, limit).flatMap((claim) => {
    const notification = claim.attempt?.side_effect_started === 1 ? notificationOfCommand(store, claim.command.id) : null;
    const arrived = notification !== null && hasArrived(cx, store, notification.id);
    const recovered = recoverClaim(store, claimant.dispatcherId, claim, arrived);
    return recovered ? [{ ...recovered }] : [];
  });
}

/** Claims the next command for a session that is not busy and routes it; null when there is none. */
export function nextCommand(store: Store, claimant: Claimant, types: readonly CommandType[], busy: readonly string[]): Step | null {
  const claim = claimNext(store, claimant, types, busy);
  if (!claim) return null;
  const routed = route(store, claim, claimant, (target) => modeOf(store, target));
  if ("item" in routed) return routed;
  const { send } = routed;
  return {
    sending: {
      target: send.target,
      text: send.text,
      taskId: send.taskId,
      commandId: claim.command.id,
      notificationId: send.notificationId,
      begin: () => beginClaim(store, claim, claimant, send.notificationId),
      extend: () => extendClaim(store, claim, claimant),
      finish: (delivered) => finish(store, claim, claimant, send, delivered),
    },
  };
}

/** Writes down how the sending went: notification, attempt, command and telemetry together. */
function finish(store: Store, claim: Claim, claimant: Claimant, send: ToSend, delivered: Delivered): Item {
  const { started, error, errorType, transport, proof, hint } = delivered;
  const arrived = delivered.state === "delivered";
  const flags = { transport, proof, side_effect_started: started, side_effect_completed: arrived };
  return tx(store, () => {
    if (!claimStands(store, claim))
      return { ...unroutedItem(claim, claimant, "the lease was lost while it was being sent", "LeaseLost"), side_effect_started: started };
    if (delivered.state === "pull_required") return layIntoInbox(store, claim, claimant, send);
    const item: Item = {
      ...send.item,
      ...flags,
      ...(arrived
        ? { state: "delivered", send_result: sendResult(store, send, delivered) }
        : { state: "failed", error, error_type: errorType, hint }),
    };
    if (arrived) markDelivered(store, send.notificationId, "pushed");
    else markFailed(store, send.notificationId, error ?? "not delivered", started);
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
        ...(arrived ? { target: targetOf(send.target) } : { error, error_type: errorType }),
      },
    });
    endClaim(store, claim, claimant, { state: arrived ? "succeeded" : "failed", item, error: arrived ? null : error });
    return item;
  });
}

/** What an item tells about a message that was sent. */
const sendResult = (
  store: Store,
  { target, text }: ToSend,
  { started, completed, transport, proof }: Delivered,
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
