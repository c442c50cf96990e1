/** Dispatch, part B: ended turns of bound workers become messages to their managers. */
import type { Context } from "../../context.ts";
import { completionKey, completionMessage, workerReceipt } from "../../core/dispatch/completion.ts";
import type { NotificationRow } from "../../core/dispatch/notification.ts";
import { COMPLETION, messageOf, payloadOf } from "../../core/dispatch/queued-command.ts";
import { failureWords } from "../../core/observe/turn-error.ts";
import type { Session } from "../../core/sessions/session.ts";
import {
  abandonedTurns,
  allRouted,
  claimTurn,
  extendTurn,
  releaseTurn,
  stillAbandoned,
  turnStands,
  type UnroutedTurn,
  unroutedTurns,
  waitingTurns,
} from "../../store/dispatch/completions.ts";
import { type DispatchEvent, reportSignal } from "../../store/dispatch/telemetry.ts";
import type { Claimant } from "../../store/dispatch/lease.ts";
import {
  addNotification,
  findNotification,
  markDelivered,
  markFailed,
  markStarted,
  notificationById,
  setMode,
} from "../../store/dispatch/notifications.ts";
import { sessionById } from "../../store/sessions/sessions.ts";
import { type Store, tx } from "../../store/store.ts";
import { turnErrorOf } from "../../store/observe/turn-error.ts";
import { needTask } from "../../store/tasks/tasks.ts";
import type { Delivered } from "../delivery/deliver.ts";
import { isResting, type Item, type PassMemory, rest, type Step, targetOf } from "./items.ts";
import { modeOf } from "./mode.ts";
import { hasArrived } from "./settle-attempt.ts";

/**
 * Settles what a dispatcher began and never finished: delivered when the receiver's rollout shows it, else failed. Nothing is sent again.
 */
export function settleAbandoned(cx: Context, store: Store, claimant: Claimant, limit: number): Item[] {
  return abandonedTurns(store, limit).flatMap(({ id }) => {
    const arrived = hasArrived(cx, store, id);
    return tx(store, () => {
      const row = stillAbandoned(store, id);
      return row ? [settleRow(store, claimant, row, arrived)] : [];
    });
  });
}

function settleRow(store: Store, claimant: Claimant, row: NotificationRow, arrived: boolean): Item {
  const target_session = nameOf(store, row.target_session_id);
  const { id, binding_id, claim_expires_at, claimed_by, correlation_id, signal_type, source_event_id, task_id } = row;
  const item = {
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
  if (arrived) {
    markDelivered(store, id, "pushed");
    report(store, row, claimant, {
      type: "dispatch_signal_routed",
      summary: `${COMPLETION} had arrived at ${target_session}`,
      attributes: { target_session, proof: "seen", recovered: true },
    });
    return { ...item, proof: "seen", state: "delivered", error: null };
  }
  const error = `the lease of ${claimed_by} ended after sending had begun, and nothing proves that the message arrived`;
  markFailed(store, id, error);
  report(store, row, claimant, {
    type: "dispatch_signal_failed",
    severity: "error",
    summary: `${COMPLETION} for ${target_session} was begun and never finished`,
    attributes: { claimed_by, claim_expires_at, error, error_type: "LeaseExpired", side_effect_risk: true, target_session },
  });
  return { ...item, error, state: "failed" };
}

/** Takes over the next notification that waits unbegun, with the way of delivery of today; null when there is none. */
export function nextWaiting(cx: Context, store: Store, claimant: Claimant, busy: readonly string[], memory: PassMemory): Step | null {
  return tx(store, () => {
    const now = cx.nowMs();
    const next = waitingTurns(store).find(
      (waiting) =>
        !busy.includes(waiting.target_session_id) && !isResting(memory, waiting.id, sessionById(store, waiting.target_session_id), now),
    );
    const row = next && claimTurn(store, next.id, claimant);
    if (!row) return null;
    const target = sessionById(store, row.target_session_id)!;
    const mode = modeOf(store, target);
    setMode(store, row.id, mode);
    report(store, row, claimant, {
      type: "dispatch_signal_recovered",
      summary: `${COMPLETION} taken over for ${target.name}`,
      attributes: { delivery_mode: mode, target_session: target.name },
    });
    return stepFor(cx, store, claimant, { ...row, delivery_mode: mode }, target, true, memory);
  });
}

/** Routes the oldest ended turn that nobody routed yet; null when there is none. */
export function nextTurn(cx: Context, store: Store, claimant: Claimant, busy: readonly string[], memory: PassMemory): Step | null {
  return tx(store, () => {
    const [turn] = unroutedTurns(store, 1, unrouted(memory, busy));
    if (!turn) return null;
    const routed = routeTurn(store, claimant, turn);
    if ("row" in routed) return stepFor(cx, store, claimant, routed.row, routed.target, false, memory);
    memory.suppressed.add(turn.event_id);
    return routed;
  });
}

const unrouted = (memory: PassMemory, busy: readonly string[]) => ({
  events: memory.suppressed,
  managers: busy,
  routedTo: memory.routedTo,
});

/** Whether a turn waits to be routed. When none does, that is remembered, so that the next look need not go through old turns again. */
export function turnWaits(store: Store, memory: PassMemory, busy: readonly string[]): boolean {
  const routed = allRouted(store, unrouted(memory, busy));
  if (routed !== null && busy.length === 0) for (const [session, last] of routed) memory.routedTo.set(session, last);
  return routed === null;
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

function report(
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

/** Inserts the notification of a turn, held by us from its birth; or tells that another dispatcher was first. */
function routeTurn(store: Store, claimant: Claimant, turn: UnroutedTurn): { row: NotificationRow; target: Session } | { item: Item } {
  const correlationId = store.newId("dispatch");
  const keys = turnKeys(store, turn, correlationId);
  const dedupeKey = keys.dedupe_key as string;
  const target = sessionById(store, turn.manager_session_id)!;
  const worker = nameOf(store, turn.worker_session_id);
  const task = keys.task as string;
  const facts = {
    binding_id: turn.binding_id,
    source_event_id: turn.event_id,
    signal_type: COMPLETION,
    task_id: turn.task_id,
    correlation_id: correlationId,
  };
  if (findNotification(store, dedupeKey)) {
    const error = "another notification stands for this turn";
    report(store, facts, claimant, {
      type: "dispatch_signal_suppressed",
      summary: `${COMPLETION} of ${worker} is routed already`,
      attributes: { dedupe_key: dedupeKey, error, source_session: worker, target_session: target.name },
    });
    return { item: { ...keys, dry_run: false, state: "suppressed" } };
  }
  const mode = modeOf(store, target);
  const turnError = turnErrorOf(store, { ...turn, id: turn.event_id, session_id: turn.worker_session_id });
  const failed = turnError && failureWords(turnError, turn.timestamp);
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
      message: completionMessage(worker, task, failed),
      signal: COMPLETION,
      source_event_id: turn.event_id,
      source_session: worker,
      target_session: target.name,
      task,
      worker_receipt: workerReceipt({ id: turn.event_id, timestamp: turn.timestamp, worker, payload: turn.payload, turnError }),
    },
  });
  report(store, facts, claimant, {
    type: "dispatch_signal_detected",
    summary: failed === null ? `${worker} ended a turn of ${task}` : `a turn of ${worker} for ${task} failed: ${failed}`,
    attributes: { delivery_mode: mode, source_session: worker, target_session: target.name, turn_error: turnError },
  });
  return { row: notificationById(store, id)!, target };
}

/** A held notification as a step: laid into the inbox at once, or to be sent. */
function stepFor(
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
      begin: () => begin(store, claimant, row),
      extend: () => extendTurn(store, row, claimant),
      finish(delivered) {
        if (delivered.state !== "delivered" && !delivered.started) rest(memory, row.id, target, cx.nowMs());
        return finish(store, claimant, row, target, item, delivered);
      },
    },
  };
}

function layIntoInbox(store: Store, claimant: Claimant, row: NotificationRow, target: Session, item: Item): Item {
  return tx(store, () => {
    if (!turnStands(store, row)) return lost(item);
    markDelivered(store, row.id, "pulled");
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

function begin(store: Store, claimant: Claimant, row: NotificationRow): boolean {
  return tx(store, () => {
    if (!extendTurn(store, row, claimant)) return false;
    markStarted(store, row.id);
    return true;
  });
}

function finish(store: Store, claimant: Claimant, row: NotificationRow, target: Session, item: Item, delivered: Delivered): Item {
  const { started, error, errorType, hint, transport, proof } = delivered;
  const arrived = delivered.state === "delivered";
  return tx(store, () => {
    if (!turnStands(store, row)) return lost(item);
    if (delivered.state === "pull_required") return layIntoInbox(store, claimant, row, target, item);
    if (arrived) markDelivered(store, row.id, "pushed");
    else if (started) markFailed(store, row.id, error ?? "not delivered");
    else releaseTurn(store, row);
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
    return { ...item, transport, proof, ...(arrived ? { state: "delivered" } : { state: "failed", error, error_type: errorType, hint }) };
  });
}
