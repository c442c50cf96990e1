/** Dispatch, part B: ended turns of bound workers become messages to their managers. */
import type { Context } from "../context.ts";
import { completionKey, completionMessage, workerReceipt } from "../core/completion.ts";
import type { NotificationRow } from "../core/notification.ts";
import { COMPLETION, messageOf, payloadOf } from "../core/queued-command.ts";
import type { Session } from "../core/session.ts";
import { abandonedTurns, claimTurn, extendTurn, releaseTurn, stillAbandoned, turnStands, type UnroutedTurn, unroutedTurns, waitingTurns } from "../store/completions.ts";
import { type DispatchEvent, reportSignal } from "../store/dispatch-telemetry.ts";
import type { Claimant } from "../store/lease.ts";
import { addNotification, findNotification, markDelivered, markFailed, markStarted, notificationById, setMode } from "../store/notifications.ts";
import { sessionById } from "../store/sessions.ts";
import { type Store, tx } from "../store/store.ts";
import { needTask } from "../store/tasks.ts";
import { isResting, type Item, type PassMemory, rest } from "./dispatch-items.ts";
import { push, type Sent } from "./dispatch-push.ts";
import { modeOf } from "./dispatch-route.ts";

/** Fails what a dispatcher began and never finished, unless the receiver's rollout shows it; nothing is sent again. */
export function failAbandoned(store: Store, claimant: Claimant, limit: number): Item[] {
  return abandonedTurns(store, limit).flatMap(({ id }) =>
    tx(store, () => {
      const row = stillAbandoned(store, id);
      if (!row) return [];
      const error = `the lease of ${row.claimed_by} ended after sending had begun and nothing proves that the message arrived`;
      markFailed(store, id, error);
      report(store, row, claimant, {
        type: "dispatch_signal_failed",
        severity: "error",
        summary: `${COMPLETION} of ${row.correlation_id} was begun and never finished`,
        attributes: { claimed_by: row.claimed_by, claim_expires_at: row.claim_expires_at, error, error_type: "LeaseExpired", side_effect_risk: true, target_session: nameOf(store, row.target_session_id) },
      });
      const { binding_id, claim_expires_at, claimed_by, correlation_id, signal_type, source_event_id, task_id } = row;
      return [{ binding_id, claim_expires_at, claimed_by, correlation_id, error, notification_id: id, signal_type, source_event_id, state: "failed", task_id }];
    }),
  );
}

/** Delivers what waits unbegun, with the way of delivery of today. */
export async function* deliverWaiting(cx: Context, store: Store, claimant: Claimant, limit: number, memory: PassMemory): AsyncGenerator<Item> {
  const now = cx.nowMs();
  const awake = waitingTurns(store).filter(({ id }) => !isResting(memory, id, now));
  for (const { id } of awake.slice(0, limit)) {
    const claimed = tx(store, () => {
      const row = claimTurn(store, id, claimant);
      const target = row && sessionById(store, row.target_session_id);
      if (!row || !target) return null;
      const mode = modeOf(target);
      setMode(store, id, mode);
      report(store, row, claimant, { type: "dispatch_signal_recovered", summary: `${COMPLETION} taken over for ${target.name}`, attributes: { delivery_mode: mode, target_session: target.name } });
      return { row: { ...row, delivery_mode: mode }, target };
    });
    if (claimed) yield await deliver(cx, store, claimant, claimed.row, claimed.target, true, memory);
  }
}

/** Routes ended turns nobody routed yet, oldest first. */
export async function* routeTurns(cx: Context, store: Store, claimant: Claimant, memory: PassMemory): AsyncGenerator<Item> {
  for (;;) {
    const next = tx(store, () => {
      const [turn] = unroutedTurns(store, 1, memory.suppressed);
      return turn ? routeTurn(store, claimant, turn) : null;
    });
    if (!next) return;
    if ("suppressed" in next) {
      memory.suppressed.add(next.suppressed);
      yield next.item;
    } else yield await deliver(cx, store, claimant, next.row, next.target, false, memory);
  }
}

/** The unrouted turns as items of a dry run. */
export const plannedTurns = (store: Store, limit: number): Item[] =>
  unroutedTurns(store, limit).map((turn) => ({
    ...turnKeys(store, turn, store.newId("dispatch")),
    dry_run: true,
    state: "planned",
  }));

const nameOf = (store: Store, sessionId: string): string => sessionById(store, sessionId)?.name ?? sessionId;

const turnKeys = (store: Store, turn: UnroutedTurn, correlationId: string): Item => ({
  binding_id: turn.binding_id,
  correlation_id: correlationId,
  dedupe_key: completionKey(turn.binding_id, turn.worker_session_id, turn.event_id),
  signal_type: COMPLETION,
  source_event_id: turn.event_id,
  target_session: nameOf(store, turn.manager_session_id),
  task: needTask(store, turn.task_id).name,
});

function report(store: Store, row: Pick<NotificationRow, "binding_id" | "source_event_id" | "signal_type" | "task_id" | "correlation_id"> & { id?: number }, claimant: Claimant, event: DispatchEvent): void {
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

/** Inserts the notification of a turn, held by us from its birth; or tells that another dispatcher was first. */
function routeTurn(store: Store, claimant: Claimant, turn: UnroutedTurn): { row: NotificationRow; target: Session } | { suppressed: number; item: Item } {
  const correlationId = store.newId("dispatch");
  const keys = turnKeys(store, turn, correlationId);
  const dedupeKey = keys.dedupe_key as string;
  const target = sessionById(store, turn.manager_session_id)!;
  const worker = nameOf(store, turn.worker_session_id);
  const task = keys.task as string;
  const facts = { binding_id: turn.binding_id, source_event_id: turn.event_id, signal_type: COMPLETION, task_id: turn.task_id, correlation_id: correlationId };
  if (findNotification(store, dedupeKey)) {
    const error = "another notification stands for this turn";
    report(store, facts, claimant, {
      type: "dispatch_signal_suppressed",
      summary: `${COMPLETION} of ${worker} is routed already`,
      attributes: { dedupe_key: dedupeKey, error, source_session: worker, target_session: target.name },
    });
    return { suppressed: turn.event_id, item: { ...keys, dry_run: false, state: "suppressed" } };
  }
  const mode = modeOf(target);
  const id = addNotification(store, {
    taskId: turn.task_id,
    bindingId: turn.binding_id,
    correlationId,
    sourceSessionId: turn.worker_session_id,
    targetSessionId: target.id,
    signalType: COMPLETION,
    dedupeKey,
    sourceEventId: turn.event_id,
    sourceEventTimestamp: turn.timestamp,
    mode,
    claimant,
    payload: {
      delivery_mode: mode,
      dispatcher_id: claimant.dispatcherId,
      message: completionMessage(worker, task),
      signal: COMPLETION,
      source_event_id: turn.event_id,
      source_session: worker,
      target_session: target.name,
      task,
      worker_receipt: workerReceipt({ id: turn.event_id, timestamp: turn.timestamp, worker, payload: turn.payload }),
    },
  });
  report(store, facts, claimant, { type: "dispatch_signal_detected", summary: `${worker} ended a turn of ${task}`, attributes: { delivery_mode: mode, source_session: worker, target_session: target.name } });
  return { row: notificationById(store, id)!, target };
}

/** Brings a claimed notification to its manager and writes down how it went. */
async function deliver(cx: Context, store: Store, claimant: Claimant, row: NotificationRow, target: Session, recovered: boolean, memory: PassMemory): Promise<Item> {
  const worker = nameOf(store, row.source_session_id);
  const task = needTask(store, row.task_id).name;
  const text = messageOf(payloadOf(row)) ?? completionMessage(worker, task);
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
  if (row.delivery_mode === "pull_required") return pulled(store, claimant, row, target, item);
  const sent = await push(cx, { target, text, begin: () => begin(store, claimant, row), extend: () => extendTurn(store, row, claimant) }, claimant);
  if (!sent.started) rest(memory, row.id, cx.nowMs());
  return settle(store, claimant, row, target, item, sent);
}

function pulled(store: Store, claimant: Claimant, row: NotificationRow, target: Session, item: Item): Item {
  return tx(store, () => {
    if (!turnStands(store, row)) return lost(item);
    markDelivered(store, row.id, "pulled");
    report(store, row, claimant, {
      type: "dispatch_signal_pull_required",
      summary: `${COMPLETION} waits in the inbox of ${target.name}`,
      attributes: { delivery_mode: row.delivery_mode, target_session: target.name, ...(item.recovered ? { recovered: true } : {}) },
    });
    return { ...item, state: "pull_required", transport: "inbox" };
  });
}

const lost = (item: Item): Item => ({ ...item, state: "failed", error: "the lease was lost to another dispatcher", error_type: "LeaseLost" });

function begin(store: Store, claimant: Claimant, row: NotificationRow): boolean {
  return tx(store, () => {
    if (!extendTurn(store, row, claimant)) return false;
    markStarted(store, row.id);
    return true;
  });
}

function settle(store: Store, claimant: Claimant, row: NotificationRow, target: Session, item: Item, sent: Sent): Item {
  const { started, completed, error, errorType, transport, proof } = sent;
  return tx(store, () => {
    if (!turnStands(store, row)) return lost(item);
    if (completed) markDelivered(store, row.id, "pushed");
    else if (started) markFailed(store, row.id, error ?? "not delivered");
    else releaseTurn(store, row);
    report(store, row, claimant, {
      type: completed ? "dispatch_signal_routed" : "dispatch_signal_failed",
      severity: completed ? "info" : "error",
      summary: `${COMPLETION} ${completed ? "sent to" : "not delivered to"} ${target.name}`,
      attributes: {
        target_session: target.name,
        transport,
        proof,
        ...(completed ? { target: sent.target } : { error, error_type: errorType }),
        ...(item.recovered ? { recovered: true } : {}),
      },
    });
    return { ...item, transport, proof, ...(completed ? { state: "delivered" } : { state: "failed", error, error_type: errorType }) };
  });
}
