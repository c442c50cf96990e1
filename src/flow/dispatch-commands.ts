/** Dispatch, part A: expired claims are recovered, then queued commands are claimed and carried out one by one. */
import type { Context } from "../context.ts";
import { COMMAND_TYPES, type CommandType, type SignalType } from "../core/queued-command.ts";
import { beginClaim, type Claim, claimableCommands, claimNext, claimStands, endClaim, extendClaim } from "../store/command-queue.ts";
import { expiredClaims, recoverClaim } from "../store/command-recovery.ts";
import { reportCommand } from "../store/dispatch-telemetry.ts";
import type { Claimant } from "../store/lease.ts";
import { markDelivered, markFailed } from "../store/notifications.ts";
import { type Store, tx } from "../store/store.ts";
import type { Item } from "./dispatch-items.ts";
import { push, sendResult, type Sent } from "./dispatch-push.ts";
import { commandKeys, modeOf, route, type ToSend, unroutedItem } from "./dispatch-route.ts";

/** The command types that `--type` leaves. */
export const commandTypes = (only: SignalType | undefined): CommandType[] => COMMAND_TYPES.filter((type) => only === undefined || type === only);

/** What could be claimed now, as items of a dry run. */
export const plannedCommands = (store: Store, types: readonly CommandType[], limit: number): Item[] =>
  claimableCommands(store, types, limit).map(({ id, type, correlation_id, task_id }) => ({ command_id: id, command_type: type, correlation_id, dry_run: true, state: "planned", task: task_id }));

/** Recovers claims whose lease has ended, at most `limit`. */
export function recoverCommands(store: Store, claimant: Claimant, types: readonly CommandType[], limit: number): Item[] {
  return expiredClaims(store, types, limit).flatMap((claim) => {
    const recovered = recoverClaim(store, claimant.dispatcherId, claim, false);
    return recovered ? [{ ...recovered }] : [];
  });
}

/** Claims the next command and carries it out; null when there is none. */
export async function runNextCommand(cx: Context, store: Store, claimant: Claimant, types: readonly CommandType[]): Promise<Item | null> {
  const claim = claimNext(store, claimant, types);
  if (!claim) return null;
  const routed = route(store, claim, claimant, modeOf);
  return "item" in routed ? routed.item : await send(cx, store, claim, claimant, routed.send);
}

async function send(cx: Context, store: Store, claim: Claim, claimant: Claimant, parcel: ToSend): Promise<Item> {
  const sent = await push(
    cx,
    {
      target: parcel.target,
      text: parcel.text,
      begin: () => beginClaim(store, claim, claimant, parcel.notificationId),
      extend: () => extendClaim(store, claim, claimant),
    },
    claimant,
  );
  return settle(store, claim, claimant, parcel, sent);
}

/** Writes down how the sending went: notification, attempt, command and telemetry together. */
function settle(store: Store, claim: Claim, claimant: Claimant, parcel: ToSend, sent: Sent): Item {
  const { started, completed, error, transport, proof } = sent;
  const item: Item = {
    ...parcel.item,
    transport,
    proof,
    side_effect_started: started,
    side_effect_completed: completed,
    ...(completed ? { state: "delivered", send_result: sendResult(store, parcel, sent) } : { state: "failed", error, error_type: sent.errorType }),
  };
  return tx(store, () => {
    if (!claimStands(store, claim)) return { ...unroutedItem(claim, claimant, "the lease was lost while sending", "LeaseLost"), ...commandKeys(claim, claimant), side_effect_started: started };
    if (completed) markDelivered(store, parcel.notificationId, "pushed");
    else markFailed(store, parcel.notificationId, error ?? "not delivered");
    reportCommand(store, claim.command, {
      type: completed ? "dispatch_signal_routed" : "dispatch_signal_failed",
      severity: completed ? "info" : "error",
      summary: `${claim.command.type} ${completed ? "sent to" : "not delivered to"} ${parcel.target.name}`,
      correlation: { attempt_id: claim.attemptId, dispatcher_id: claimant.dispatcherId, routed_notification_id: parcel.notificationId, signal_type: claim.command.type },
      attributes: { target_session: parcel.target.name, ...(completed ? { target: sent.target } : { error, error_type: sent.errorType }), transport, proof },
    });
    endClaim(store, claim, claimant, { state: completed ? "succeeded" : "failed", item, error: completed ? null : error });
    return item;
  });
}
