/** A proof that came after the sending was over: the message has arrived, and everything that tells of it says so from then on. */
import { isObject, parseStored } from "../../core/json.ts";
import type { JsonObject } from "../../core/json.ts";
import { payloadOf } from "../../core/dispatch/queued-command.ts";
import { type Delivery, lastBegun } from "../deliveries.ts";
import { type Store, tx } from "../store.ts";
import { toldBy } from "./digests.ts";
import { claimOf, type Message, type MessageRef, moveMessage, readMessage } from "./message.ts";
import { notificationById } from "./notifications.ts";
import { reportCommand, reportSignal } from "./telemetry.ts";

/** What is told of a message that was settled or recovered. */
export type Told = Readonly<Record<string, unknown>>;

/** The messages that this sending was for, in their order; none for what is said without Dispatch. */
export function refsOf(store: Store, delivery: Pick<Delivery, "id" | "command_id" | "notification_id">): MessageRef[] {
  if (delivery.notification_id === null) return delivery.command_id === null ? [] : [{ commandId: delivery.command_id }];
  return toldBy(store, delivery).flatMap((id): MessageRef[] => {
    const notification = notificationById(store, id);
    if (notification === null) return [];
    return [notification.command_id === null ? { notificationId: id } : { commandId: notification.command_id }];
  });
}

/** The keys by which a message is known wherever it is told of. */
export function keysOf(message: Message): Told {
  const { command, attempt, notification } = message;
  const target_session = notification === null ? null : (payloadOf(notification).target_session ?? null);
  if (command !== null) {
    return {
      attempt_id: attempt?.state === "running" || attempt?.state === "failed" ? attempt.id : null,
      command_id: command.id,
      command_type: command.type,
      correlation_id: command.correlation_id,
      notification_id: notification?.id ?? null,
      target_session,
    };
  }
  const { id, binding_id, correlation_id, signal_type, source_event_id, task_id } = notification!;
  const { claim_expires_at, claimed_by } = claimOf(message);
  return {
    binding_id,
    claim_expires_at,
    claimed_by,
    correlation_id,
    notification_id: id,
    signal_type,
    source_event_id,
    task_id,
    target_session,
  };
}

/**
 * Writes that the text of this delivery has arrived: the delivery by `write`, and the messages that it was for, in one transaction.
 * Gives what to tell of each; nothing of one that is at another end already.
 * @param dispatcherId who found out; null: no dispatcher
 */
export function proveMessages(store: Store, delivery: Delivery, dispatcherId: string | null, write: () => void): Told[] {
  return tx(store, () => {
    const told = refsOf(store, delivery).flatMap((ref): Told[] => {
      const one = proveOne(store, ref, delivery, dispatcherId);
      return one === null ? [] : [one];
    });
    write();
    return told;
  });
}

function proveOne(store: Store, ref: MessageRef, delivery: Delivery, dispatcherId: string | null): Told | null {
  const was = readMessage(store, ref);
  if (was === null) return null;
  const told = { ...keysOf(was), state: "delivered", proof: "seen", transport: delivery.transport, error: null, recovered: true };
  const item =
    was.command === null ? told : { ...told, dispatcher_id: dispatcherId, side_effect_started: true, side_effect_completed: true };
  const facts = { error: null, result: resultOf(was, item) };
  if (moveMessage(store, ref, "prove", { by: "settling", deliveryId: delivery.id }, facts) === null) return null;
  report(store, was, item, dispatcherId);
  return item;
}

/** The same for the newest begun sending of a notification, by whoever did it; gives what to tell of that notification. */
export function proveById(store: Store, notificationId: number, dispatcherId: string, write: () => void): Told | null {
  const delivery = lastBegun(store, notificationId);
  if (delivery === null) return null;
  return proveMessages(store, delivery, dispatcherId, write).find((told) => told.notification_id === notificationId) ?? null;
}

/** What was told of it before, without what was wrong. */
function resultOf({ attempt }: Message, item: Told): Told {
  const before = parseStored<unknown>(attempt?.result_json ?? null, {});
  const { error_type: _, hint: __, ...kept } = (isObject(before) ? before : {}) as JsonObject;
  const sent = isObject(kept.send_result) ? { send_result: { ...kept.send_result, proof: "seen", side_effect_completed: true } } : {};
  return { ...kept, ...item, ...sent };
}

function report(store: Store, { command, attempt, notification }: Message, item: Told, dispatcherId: string | null): void {
  const attributes = { target_session: item.target_session, transport: item.transport, proof: "seen", recovered: true };
  if (command === null) {
    const { binding_id, correlation_id, signal_type, source_event_id, task_id, id } = notification!;
    reportSignal(store, task_id, {
      type: "dispatch_signal_routed",
      summary: `${signal_type} had arrived at ${item.target_session}`,
      correlation: { binding_id, correlation_id, dispatcher_id: dispatcherId, signal_type, source_event_id, routed_notification_id: id },
      attributes,
    });
    return;
  }
  const correlation = { attempt_id: attempt?.id ?? null, dispatcher_id: dispatcherId };
  reportCommand(store, command, {
    type: "dispatch_signal_routed",
    summary: `${command.type} had arrived at ${item.target_session}`,
    correlation: { ...correlation, routed_notification_id: notification?.id ?? null, signal_type: command.type },
    attributes,
  });
  reportCommand(store, command, {
    type: "dispatch_command_succeeded",
    summary: `${command.type} command succeeded by a late proof`,
    correlation,
    attributes: {
      recovery_state: "delivered",
      side_effect_started: true,
      side_effect_completed: true,
      error: null,
      worker_id: command.worker_id,
      manager_id: command.manager_id,
    },
  });
}
