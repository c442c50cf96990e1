/** Dispatch, part B: ended turns of bound workers become messages to their managers. */
import { completionKey, completionMessage, earlierTurnsLine, workerReceipt } from "../../core/dispatch/completion.ts";
import type { Holder } from "../../core/dispatch/holder.ts";
import type { NotificationRow } from "../../core/dispatch/notification.ts";
import { COMPLETION } from "../../core/dispatch/queued-command.ts";
import { failureWords } from "../../core/agent/failed-turn.ts";
import type { Session } from "../../core/sessions/session.ts";
import type { Hold } from "../../store/attention/parked.ts";
import { allRouted, claimTurn, type UnroutedTurn, unroutedTurns, waitingTurns } from "../../store/dispatch/completions.ts";
import { addNotification, findNotification, notificationById, setMode } from "../../store/dispatch/notifications.ts";
import { sessionById } from "../../store/sessions/sessions.ts";
import { type Store, tx } from "../../store/store.ts";
import { turnErrorOf } from "../../store/observe/turn-error.ts";
import { needTask } from "../../store/tasks/tasks.ts";
import { report, stepFor, turnItem } from "./completion-sending.ts";
import { nameOf } from "./digest-text.ts";
import { isResting, type Item, type PassMemory, type PassScene, type Step, type Whom } from "./items.ts";
import { modeOf } from "./mode.ts";
import type { Scene } from "../scene.ts";
import { holdNow, parkHeldTurn } from "./parking.ts";

/** The notifications that wait unbegun and are to be tried now, the oldest first. */
export function dueTurns({ cx, store }: Scene, gone: readonly Holder[], { busy, only }: Whom, memory: PassMemory) {
  const now = cx.nowMs();
  return waitingTurns(store, gone).filter(
    ({ id, target_session_id: target }) =>
      (only === undefined || target === only) && !busy.includes(target) && !isResting(memory, id, sessionById(store, target), now),
  );
}

/** Takes over the next notification that waits unbegun, with the way of delivery of today, or parks it; null when there is none. */
export function nextWaiting(scene: PassScene, gone: readonly Holder[], whom: Whom, memory: PassMemory): Step | null {
  const { store, claimant } = scene;
  return tx(store, () => {
    const [next] = dueTurns(scene, gone, whom, memory);
    if (next === undefined) return null;
    const seen = notificationById(store, next.id)!;
    const target = sessionById(store, seen.target_session_id)!;
    const hold = holdNow(scene, target, seen.task_id);
    if (hold !== null) return { item: parkHeldTurn(scene, seen, target, hold, turnItem(store, seen, target)) };
    const row = claimTurn(store, next.id, claimant, gone);
    if (!row) return null;
    const mode = modeOf(store, target);
    setMode(store, row.id, mode);
    // What only waited for its manager to rest nobody had taken up before.
    const recovered = whom.only === undefined || seen.claimed_at !== null || seen.error !== null;
    if (recovered)
      report(scene, row, {
        type: "dispatch_signal_recovered",
        summary: `${COMPLETION} taken over for ${target.name}`,
        attributes: { delivery_mode: mode, target_session: target.name },
      });
    return stepFor(scene, { ...row, delivery_mode: mode }, target, recovered, memory);
  });
}

/**
 * Routes the oldest ended turn that nobody routed yet; null when there is none.
 * @param fold of turns that ended before their binding only the newest is told of, and with it how many there were
 */
export function nextTurn(scene: PassScene, busy: readonly string[], memory: PassMemory, fold: boolean): Step | null {
  return tx(scene.store, () => {
    const routed = routeOldest(scene, memory, { managers: busy }, fold, false);
    return routed === null || "item" in routed ? routed : stepFor(scene, routed.row, routed.target, false, memory);
  });
}

/**
 * Routes all ended turns of these managers' workers, for nobody yet: each waits until its manager rests. Gives what is to be told already:
 * what is parked, and what another had routed.
 */
export function routeAll(scene: PassScene, managers: readonly string[], memory: PassMemory, fold: boolean): Item[] {
  return tx(scene.store, () => {
    const items: Item[] = [];
    for (;;) {
      const routed = routeOldest(scene, memory, { only: managers }, fold, true);
      if (routed === null) return items;
      if ("item" in routed) items.push(routed.item);
    }
  });
}

/** @param waits nobody holds it yet */
function routeOldest(
  scene: PassScene,
  memory: PassMemory,
  whose: { readonly managers?: readonly string[]; readonly only?: readonly string[] },
  fold: boolean,
  waits: boolean,
): Routed | { readonly item: Item } | null {
  const { store } = scene;
  const [oldest] = unroutedTurns(store, 1, { ...unrouted(memory), ...whose });
  if (!oldest) return null;
  const early = fold && oldest.before_binding === 1 ? earlyTurns(store, memory, oldest.binding_id) : [oldest];
  const turn = early.at(-1)!;
  const older = early.slice(0, -1);
  const routed = routeTurn(scene, turn, older.length, waits);
  if ("item" in routed) {
    memory.suppressed.add(turn.event_id);
    return routed;
  }
  for (const each of older) suppress(store, each, routed.row);
  const { row, target, hold } = routed;
  return hold === null ? routed : { item: parkHeldTurn(scene, row, target, hold, turnItem(store, row, target)) };
}

/** The unrouted turns of a binding that ended before it, the oldest first. */
const earlyTurns = (store: Store, memory: PassMemory, bindingId: string): UnroutedTurn[] =>
  unroutedTurns(store, -1, unrouted(memory)).filter((turn) => turn.binding_id === bindingId && turn.before_binding === 1);

/** Another notification stands for this turn, so that nobody routes it by itself. */
function suppress(store: Store, turn: UnroutedTurn, by: NotificationRow): void {
  addNotification(store, {
    taskId: turn.task_id,
    bindingId: turn.binding_id,
    correlationId: by.correlation_id,
    sourceSessionId: turn.worker_session_id,
    targetSessionId: turn.manager_session_id,
    signalType: COMPLETION,
    dedupeKey: completionKey(turn.binding_id, turn.worker_session_id, turn.event_id),
    sourceEventId: turn.event_id,
    sourceEventTimestamp: turn.timestamp,
    mode: by.delivery_mode,
    state: "suppressed",
    payload: { signal: COMPLETION, source_event_id: turn.event_id, told_by_notification: by.id },
  });
}

const unrouted = (memory: PassMemory) => ({ events: memory.suppressed, routedTo: memory.routedTo });

/** Whether a turn waits to be routed. When none does, that is remembered, so that the next look need not go through old turns again. */
export function turnWaits(store: Store, memory: PassMemory, busy: readonly string[]): boolean {
  const routed = allRouted(store, { ...unrouted(memory), managers: busy });
  if (routed !== null && busy.length === 0) for (const [session, last] of routed) memory.routedTo.set(session, last);
  return routed === null;
}

/** The unrouted turns as items of a dry run. */
export function plannedTurns(store: Store, limit: number, fold: boolean): Item[] {
  const turns = unroutedTurns(store, fold ? -1 : limit);
  const isNewest = (turn: UnroutedTurn): boolean =>
    turns.findLast((each) => each.binding_id === turn.binding_id && each.before_binding === 1) === turn;
  return turns
    .filter((turn) => !fold || turn.before_binding === 0 || isNewest(turn))
    .slice(0, limit)
    .map((turn) => ({ ...turnKeys(store, turn, store.newId("dispatch")), dry_run: true, state: "planned" }));
}

const turnKeys = (store: Store, turn: UnroutedTurn, correlationId: string): Item => ({
  binding_id: turn.binding_id,
  correlation_id: correlationId,
  dedupe_key: completionKey(turn.binding_id, turn.worker_session_id, turn.event_id),
  signal_type: COMPLETION,
  source_event_id: turn.event_id,
  target_session: nameOf(store, turn.manager_session_id),
  task: needTask(store, turn.task_id).name,
});

interface Routed {
  readonly row: NotificationRow;
  readonly target: Session;
  /** It may not be said now, and nobody holds it. */
  readonly hold: Hold | null;
}

/** Inserts the notification of a turn, held by us from its birth if it is to be said now; or tells that another dispatcher was first. */
function routeTurn(scene: PassScene, turn: UnroutedTurn, earlier: number, waits: boolean): Routed | { item: Item } {
  const { store, claimant } = scene;
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
    report(scene, facts, {
      type: "dispatch_signal_suppressed",
      summary: `${COMPLETION} of ${worker} is routed already`,
      attributes: { dedupe_key: dedupeKey, error, source_session: worker, target_session: target.name },
    });
    return { item: { ...keys, dry_run: false, state: "suppressed" } };
  }
  const mode = modeOf(store, target);
  const hold = holdNow(scene, target, turn.task_id);
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
    ...(hold === null && !waits ? { claimant } : {}),
    payload: {
      delivery_mode: mode,
      dispatcher_id: claimant.dispatcherId,
      message: `${completionMessage(worker, task, failed)}${earlierTurnsLine(worker, earlier)}`,
      ...(earlier > 0 ? { earlier_turns: earlier } : {}),
      signal: COMPLETION,
      source_event_id: turn.event_id,
      source_session: worker,
      target_session: target.name,
      task,
      worker_receipt: workerReceipt({ id: turn.event_id, timestamp: turn.timestamp, worker, payload: turn.payload, turnError }),
    },
  });
  report(scene, facts, {
    type: "dispatch_signal_detected",
    summary: failed === null ? `${worker} ended a turn of ${task}` : `a turn of ${worker} for ${task} failed: ${failed}`,
    attributes: { delivery_mode: mode, source_session: worker, target_session: target.name, turn_error: turnError },
  });
  return { row: notificationById(store, id)!, target, hold };
}
