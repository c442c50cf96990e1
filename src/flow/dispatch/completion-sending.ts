/** The message about an ended turn while a dispatcher holds it: laid into an inbox, or sent and its end written down. */
import type { Verdict } from "../../core/delivery/delivery.ts";
import { endingOf, notYet } from "../../core/dispatch/message.ts";
import type { NotificationRow } from "../../core/dispatch/notification.ts";
import { COMPLETION } from "../../core/dispatch/queued-command.ts";
import type { Session } from "../../core/sessions/session.ts";
import { claimStands, moveMessage, prolong, readMessage } from "../../store/dispatch/message.ts";
import { proveById } from "../../store/dispatch/prove.ts";
import { type DispatchEvent, reportSignal } from "../../store/dispatch/telemetry.ts";
import { type Store, tx } from "../../store/store.ts";
import { needTask } from "../../store/tasks/tasks.ts";
import { textOf } from "./digest-text.ts";
import { digestKeys, type Item, NOT_NOW, type PassMemory, type PassScene, rest, type Step, targetOf } from "./items.ts";

/** A notification that is held by us, on its way to a manager. */
interface HeldScene extends PassScene {
  readonly row: NotificationRow;
  readonly target: Session;
  /** The item as it stands; the outcome is added. */
  readonly item: Item;
}

/** Telemetry about the notification of a turn. */
export function report(
  { store, claimant }: PassScene,
  row: Pick<NotificationRow, "binding_id" | "source_event_id" | "signal_type" | "task_id" | "correlation_id"> & { id?: number },
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

/** What is told of a notification, before it is known how it went. */
export const turnItem = (store: Store, row: NotificationRow, target: Session): Item => ({
  binding_id: row.binding_id,
  correlation_id: row.correlation_id,
  dedupe_key: row.dedupe_key,
  delivery_mode: row.delivery_mode,
  dry_run: false,
  notification_id: row.id,
  signal_type: COMPLETION,
  source_event_id: row.source_event_id,
  target_session: target.name,
  task: needTask(store, row.task_id).name,
});

/** A held notification as a step: laid into the inbox at once, or to be sent. */
export function stepFor(scene: PassScene, row: NotificationRow, target: Session, recovered: boolean, memory: PassMemory): Step {
  const { cx, store, claimant } = scene;
  const item: Item = { ...turnItem(store, row, target), ...(recovered ? { recovered } : {}) };
  const held: HeldScene = { ...scene, row, target, item };
  if (row.delivery_mode === "pull_required") return { item: layIntoInbox(held) };
  return {
    sending: {
      target,
      text: textOf(store, row),
      taskId: row.task_id,
      commandId: null,
      notificationId: row.id,
      begin: () => moveMessage(store, { notificationId: row.id }, "begin", { by: "holder", claim: row, claimant }) !== null,
      extend: () => prolong(store, { notificationId: row.id }, row, claimant),
      finish(verdict, write, more = {}) {
        if (verdict.state === "delivered") memory.resting.delete(target.id);
        else if (!verdict.started && verdict.errorType !== NOT_NOW) rest(memory, row.id, target, cx.nowMs());
        return [finish({ ...held, item: { ...item, ...more } }, verdict, write)];
      },
    },
  };
}

function layIntoInbox(held: HeldScene, delivery?: () => void): Item {
  const { store, claimant, row, target, item } = held;
  return tx(store, () => {
    const right = { by: "holder", claim: row, claimant } as const;
    if (moveMessage(store, { notificationId: row.id }, "shelve", right, { delivery }) === null) return lost(item);
    report(held, row, {
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
function finish(held: HeldScene, verdict: Verdict, write: () => void): Item {
  const { store, claimant, row, target, item } = held;
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
    if (verdict.state === "pull_required") return layIntoInbox(held, write);
    const ending = endingOf(verdict);
    const right = { by: "holder", claim: row, claimant } as const;
    const facts = { error: notYet(verdict) ? null : (error ?? (arrived ? null : "not delivered")), delivery: write };
    moveMessage(store, ref, ending === "fail" ? "park" : ending, right, facts);
    if (ending === "wait") return { ...told, state: "not_yet", error, error_type: errorType, hint };
    report(held, row, {
      type: arrived ? "dispatch_signal_routed" : "dispatch_signal_failed",
      severity: arrived ? "info" : "error",
      summary: `${COMPLETION} ${arrived ? "sent to" : "not delivered to"} ${target.name}`,
      attributes: {
        target_session: target.name,
        transport,
        proof,
        ...digestKeys(item),
        ...(arrived ? { target: targetOf(target) } : { error, error_type: errorType }),
        ...(item.recovered ? { recovered: true } : {}),
      },
    });
    return { ...told, ...(arrived ? { state: "delivered" } : { state: "failed", error, error_type: errorType, hint }) };
  });
}
