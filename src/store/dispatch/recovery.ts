/** Messages whose lease is over: what their rows say decides whether they are tried again, wait on in sight, or are left to a person. */
import type { Holder } from "../../core/dispatch/holder.ts";
import type { MessageState, TransitionName } from "../../core/dispatch/message.ts";
import { COMPLETION, type CommandType } from "../../core/dispatch/queued-command.ts";
import { endDelivery } from "../deliveries.ts";
import { type Store, tx } from "../store.ts";
import { heldByOneOf, messagesOf } from "./claims.ts";
import type { Claimant } from "./lease.ts";
import { claimOf, keyOf, leaseOver, type Message, type MessageRef, moveMessage, readMessage } from "./message.ts";
import { keysOf, refsOf, type Told } from "./prove.ts";
import { reportCommand, reportSignal } from "./telemetry.ts";

const UNDER_WAY: readonly MessageState[] = ["begun", "accepted"];

const expired = "claim_expires_at is not null and julianday(claim_expires_at) <= julianday(?)";

/** Those of these messages whose lease is over and whose state is one of `states`. */
function overdue(
  store: Store,
  refs: readonly MessageRef[],
  gone: readonly Holder[],
  states: readonly MessageState[],
  limit: number,
): Message[] {
  const found: Message[] = [];
  for (const ref of refs) {
    if (found.length >= limit) break;
    const message = readMessage(store, ref);
    if (message !== null && states.includes(message.state) && leaseOver(store, message, gone)) found.push(message);
  }
  return found;
}

/** Commands of these types whose lease is over, the longest ended first, then those whose holder is gone. */
export function overdueCommands(store: Store, types: readonly CommandType[], gone: readonly Holder[], limit: number): Message[] {
  const late = store.db
    .query<{ id: string }, [string, string, number]>(
      `select id from commands where state = 'attempted' and ${expired} and type in (select value from json_each(?))
        order by julianday(claim_expires_at), rowid limit ?`,
    )
    .all(store.now(), JSON.stringify(types), limit);
  const ids = new Set([...late.map(({ id }) => id), ...messagesOf(store, gone).filter((key) => !key.startsWith("notification-"))]);
  const states: MessageState[] = ["claimed", "begun", "accepted"];
  return overdue(
    store,
    [...ids].map((commandId) => ({ commandId })),
    gone,
    states,
    limit,
  ).filter(({ command }) => types.includes(command!.type as CommandType));
}

/** Ends of turns, held by somebody whose lease is over: begun ones, or those that were never begun. */
export function overdueTurns(store: Store, gone: readonly Holder[], begun: boolean, limit: number): Message[] {
  const late = store.db
    .query<{ id: number }, [number, string, number]>(
      `select id from routed_notifications where state = 'pending' and signal_type = '${COMPLETION}' and side_effect_started = ? and ${expired}
        order by id limit ?`,
    )
    .all(Number(begun), store.now(), limit);
  const dead = messagesOf(store, gone)
    .filter((key) => key.startsWith("notification-"))
    .map((key) => Number(key.slice("notification-".length)));
  const ids = [...new Set([...late.map(({ id }) => id), ...dead])].sort((a, b) => a - b);
  return overdue(
    store,
    ids.map((notificationId) => ({ notificationId })),
    gone,
    begun ? UNDER_WAY : ["claimed"],
    limit,
  );
}

const refOfMessage = ({ command, notification }: Message): MessageRef =>
  command === null ? { notificationId: notification!.id } : { commandId: command.id };

interface Verdict {
  readonly move: TransitionName;
  readonly state: "requeued" | "failed" | "not_yet";
  readonly error: string | null;
  readonly uncounted?: boolean;
}

function verdictOf(store: Store, message: Message, waits: boolean, gone: readonly Holder[]): Verdict {
  const { claimed_at, claimed_by } = claimOf(message);
  const by = claimed_by ?? "a dispatcher";
  const died = heldByOneOf(store, keyOf(message), claimed_at, gone);
  const ended = died ? `${by} died` : `the lease of ${by} ended`;
  if (message.state !== "claimed") {
    if (waits) return { move: "waitOn", state: "not_yet", error: null };
    const error =
      message.state === "accepted"
        ? "it waited in the agent's queue, does so no longer, and nothing proves that it arrived; look before sending it again"
        : `${ended} after sending had begun and nothing proves that the message arrived; look before sending it again`;
    return { move: message.state === "accepted" ? "giveUp" : "loseTrack", state: "failed", error };
  }
  const { command } = message;
  // A death on record before anything began is no attempt; of what only time tells, nothing is known.
  if (died) return { move: "requeue", state: "requeued", error: `${ended} before anything was sent`, uncounted: true };
  if (command !== null && command.attempts < command.max_attempts)
    return { move: "requeue", state: "requeued", error: `${ended} before anything was sent` };
  return { move: "abandon", state: "failed", error: `${ended} before anything was sent, and no attempt is left` };
}

/**
 * Moves on a message whose lease is over, and with it all that its sending told of; nothing when another was first, a lease was prolonged,
 * or anything moved since it was `seen`. A message that only waits on is nothing to tell of: its state is `not_yet`.
 * @param waits it stands in sight in the agent's own queue
 */
export function recoverMessages(
  store: Store,
  claimant: Claimant,
  seen: Message,
  waits: boolean,
  gone: readonly Holder[],
  now: string,
): Told[] {
  return tx(store, () => {
    const others = fellows(store, seen);
    if (!others.every((each) => leaseOver(store, each, gone))) return [];
    // As they stood before any of them is moved on.
    const judged = [seen, ...others].map((message) => ({ message, verdict: verdictOf(store, message, waits, gone) }));
    const told: Told[] = [];
    for (const { message, verdict } of judged) {
      const { move, state, error, uncounted } = verdict;
      const right = { by: "recovery", seen: message, gone, claimant } as const;
      if (moveMessage(store, refOfMessage(message), move, right, { error, ...(uncounted ? { uncounted } : {}) }) === null) {
        if (message === seen) return [];
        continue;
      }
      const attempt = message.command === null ? {} : { attempt_id: runningOf(message) };
      const item = { ...keysOf(message), ...attempt, error, state, side_effect_started: message.state !== "claimed" };
      if (state !== "not_yet") report(store, claimant, message, item);
      told.push(item);
    }
    if (seen.delivery !== null) writeDelivery(store, seen.delivery.id, seen, judged[0]!.verdict, now);
    return told;
  });
}

/** The other messages that were begun by the same sending and are not at an end: one fate for all. */
function fellows(store: Store, { delivery, state, ...seen }: Message): Message[] {
  if (delivery === null || state === "claimed") return [];
  return refsOf(store, delivery).flatMap((ref) => {
    const message = readMessage(store, ref);
    const isOther = message !== null && message.notification?.id !== seen.notification?.id;
    return isOther && message.delivery?.id === delivery.id && UNDER_WAY.includes(message.state) ? [message] : [];
  });
}

const runningOf = ({ attempt }: Message): number | null => (attempt?.state === "running" ? attempt.id : null);

function writeDelivery(store: Store, id: string, seen: Message, { move, error }: Verdict, now: string): void {
  if (move === "requeue" || move === "abandon") return;
  const state = move === "loseTrack" ? "unknown" : "typed";
  if (seen.delivery!.state === state && move === "waitOn") return;
  const end = { state, proof: seen.delivery!.proof, sideEffectStarted: true, sideEffectCompleted: false, error, lookedTo: null } as const;
  endDelivery(store, id, end, [
    { at: now, step: move === "waitOn" ? "waits in sight" : `settled: ${state}`, detail: { was: seen.delivery!.state } },
  ]);
}

function report(store: Store, claimant: Claimant, seen: Message, item: Told): void {
  const { command, notification } = seen;
  const { dispatcherId } = claimant;
  const { state, error, side_effect_started: started } = item;
  const { claimed_by, claim_expires_at } = claimOf(seen);
  if (command === null) {
    const { binding_id, correlation_id, signal_type, source_event_id, task_id, id } = notification!;
    reportSignal(store, task_id, {
      type: "dispatch_signal_failed",
      severity: "error",
      summary: `${signal_type} for ${item.target_session} was begun and never finished`,
      correlation: { binding_id, correlation_id, dispatcher_id: dispatcherId, signal_type, source_event_id, routed_notification_id: id },
      attributes: {
        claimed_by,
        claim_expires_at,
        error,
        error_type: "LeaseExpired",
        side_effect_risk: true,
        target_session: item.target_session,
      },
    });
    return;
  }
  const running = runningOf(seen);
  if (state === "failed" && notification?.state === "pending") {
    reportCommand(store, command, {
      type: "dispatch_signal_failed",
      severity: "error",
      summary: `${command.type} failed on recovery`,
      correlation: { attempt_id: running, routed_notification_id: notification.id, signal_type: notification.signal_type },
      attributes: { recovered: true, error, error_type: "LeaseExpired" },
    });
  }
  reportCommand(store, command, {
    type: started ? "dispatch_command_failed" : "dispatch_command_abandoned",
    severity: state === "failed" ? "error" : "warning",
    summary: `${command.type} command ${state} after its lease ended`,
    correlation: { attempt_id: running, dispatcher_id: dispatcherId },
    attributes: {
      recovery_state: state,
      side_effect_started: started,
      error,
      worker_id: command.worker_id,
      manager_id: command.manager_id,
    },
  });
}
