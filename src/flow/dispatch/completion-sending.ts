/** The message about an ended turn while a dispatcher holds it: laid into an inbox, or sent and its end written down. */
import type { Context } from "../../context.ts";
import type { Verdict } from "../../core/delivery/delivery.ts";
import { completionMessage } from "../../core/dispatch/completion.ts";
import { endingOf, notYet } from "../../core/dispatch/message.ts";
import type { NotificationRow } from "../../core/dispatch/notification.ts";
import { COMPLETION, messageOf, payloadOf } from "../../core/dispatch/queued-command.ts";
import type { Session } from "../../core/sessions/session.ts";
import type { Claimant } from "../../store/dispatch/lease.ts";
import { claimStands, moveMessage, prolong, readMessage } from "../../store/dispatch/message.ts";
import { proveById } from "../../store/dispatch/prove.ts";
import { type DispatchEvent, reportSignal } from "../../store/dispatch/telemetry.ts";
import { sessionById } from "../../store/sessions/sessions.ts";
import { type Store, tx } from "../../store/store.ts";
import { needTask } from "../../store/tasks/tasks.ts";
import { type Item, type PassMemory, rest, type Step, targetOf } from "./items.ts";

export const nameOf = (store: Store, sessionId: string): string => sessionById(store, sessionId)?.name ?? sessionId;

/** Telemetry about the notification of a turn. */
export function report(
  store: Store,
  row: Pick<NotificationRow, "binding_id" | "source_event_id" | "signal_type" | "task_id" | "correlation_id"> & { id?: number },
  claimant: Claimant,
  event: DispatchEvent,
): void {
  reportSignal(store, row.task_id, {
    ...event,
    correlation: {
      binding_id: row.binding_id,
      correlation_id: row.correlation_id,
      dispatcher_id: claimant.dispatcherId,
      signal_type: row.signal_type,
      source_event_id: row.source_event_id,
      ...(row.id === undefined ? {} : { routed_notification_id: row.id }),
    },
  });
}

/** A held notification as a step: laid into the inbox at once, or to be sent. */
export function stepFor(
  cx: Context,
  store: Store,
  claimant: Claimant,
  row: NotificationRow,
  target: Session,
  recovered: boolean,
  memory: PassMemory,
): Step {
  const worker = nameOf(store, row.source_session_id);
  const task = needTask(store, row.task_id).name;
  const item: Item = {
    binding_id: row.binding_id,
    correlation_id: row.correlation_id,
    dedupe_key: row.dedupe_key,
    delivery_mode: row.delivery_mode,
    dry_run: false,
    notification_id: row.id,
    signal_type: COMPLETION,
    source_event_id: row.source_event_id,
    target_session: target.name,
    task,
    ...(recovered ? { recovered } : {}),
  };
  if (row.delivery_mode === "pull_required") return { item: layIntoInbox(store, claimant, row, target, item) };
  return {
    sending: {
      target,
      text: messageOf(payloadOf(row)) ?? completionMessage(worker, task, null),
      taskId: row.task_id,
      commandId: null,
      notificationId: row.id,
      begin: () => moveMessage(store, { notificationId: row.id }, "begin", { by: "holder", claim: row, claimant }) !== null,
      extend: () => prolong(store, { notificationId: row.id }, row, claimant),
      finish(verdict, write) {
        if (verdict.state !== "delivered" && !verdict.started) rest(memory, row.id, target, cx.nowMs());
        return finish(store, claimant, row, target, item, verdict, write);
      },
    },
  };
}

function layIntoInbox(store: Store, claimant: Claimant, row: NotificationRow, target: Session, item: Item, delivery?: () => void): Item {
  return tx(store, () => {
    const right = { by: "holder", claim: row, claimant } as const;
    if (moveMessage(store, { notificationId: row.id }, "shelve", right, { delivery }) === null) return lost(item);
    report(store, row, claimant, {
      type: "dispatch_signal_pull_required",
      summary: `${COMPLETION} waits in the inbox of ${target.name}`,
      attributes: { delivery_mode: "pull_required", target_session: target.name, ...(item.recovered ? { recovered: true } : {}) },
    });
    return { ...item, delivery_mode: "pull_required", state: "pull_required", transport: "inbox" };
  });
}

const lost = (item: Item): Item => ({
  ...item,
  state: "failed",
  error: "the lease was lost to another dispatcher",
  error_type: "LeaseLost",
});

/** Writes down how the sending went: notification, delivery and telemetry together. What was not begun is given back with its reason. */
function finish(
  store: Store,
  claimant: Claimant,
  row: NotificationRow,
  target: Session,
  item: Item,
  verdict: Verdict,
  write: () => void,
): Item {
  const { error, errorType, hint, transport, proof } = verdict;
  const arrived = verdict.state === "delivered";
  const told = { ...item, transport, proof };
  const ref = { notificationId: row.id };
  return tx(store, () => {
    const message = readMessage(store, ref);
    if (message === null || !claimStands(message, row)) {
      // What is proven has arrived, whoever has taken over meanwhile.
      const late = arrived ? proveById(store, row.id, claimant.dispatcherId, write) : null;
      if (!arrived) write();
      return late ?? (readMessage(store, ref)?.state === "delivered" ? { ...told, state: "delivered" } : lost(item));
    }
    if (verdict.state === "pull_required") return layIntoInbox(store, claimant, row, target, item, write);
    const ending = endingOf(verdict);
    const right = { by: "holder", claim: row, claimant } as const;
    const facts = { error: notYet(verdict) ? null : (error ?? (arrived ? null : "not delivered")), delivery: write };
    moveMessage(store, ref, ending === "fail" ? "park" : ending, right, facts);
    if (ending === "wait") return { ...told, state: "not_yet", error, error_type: errorType, hint };
    report(store, row, claimant, {
      type: arrived ? "dispatch_signal_routed" : "dispatch_signal_failed",
      severity: arrived ? "info" : "error",
      summary: `${COMPLETION} ${arrived ? "sent to" : "not delivered to"} ${target.name}`,
      attributes: {
        target_session: target.name,
        transport,
        proof,
        ...(arrived ? { target: targetOf(target) } : { error, error_type: errorType }),
        ...(item.recovered ? { recovered: true } : {}),
      },
    });
    return { ...told, ...(arrived ? { state: "delivered" } : { state: "failed", error, error_type: errorType, hint }) };
  });
}
