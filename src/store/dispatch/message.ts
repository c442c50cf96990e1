/**
 * The one hand that moves a message: command, attempt, notification, delivery and claim in one immediate transaction, as the table in core
 * says.
 */
import {
  allows,
  type AttemptState,
  type MessageState,
  stateOf,
  type Transition,
  type TransitionName,
  TRANSITIONS,
} from "../../core/dispatch/message.ts";
import type { DeliveryMode, NotificationRow } from "../../core/dispatch/notification.ts";
import type { CommandRow } from "../../core/dispatch/queued-command.ts";
import { compactJson } from "../../core/json.ts";
import { type Delivery, lastBegun } from "../deliveries.ts";
import { type Store, tx } from "../store.ts";
import { dropClaim, heldByOneOf, messageKey, recordClaim } from "./claims.ts";
import { type Claimant, leaseEnd } from "./lease.ts";
import type { Holder } from "../../core/dispatch/holder.ts";
import { notificationById, notificationOfCommand } from "./notifications.ts";

/** Which message: a command's, or the end of a turn by its notification. */
export type MessageRef = { readonly commandId: string } | { readonly notificationId: number };

interface AttemptRow {
  readonly id: number;
  readonly state: AttemptState;
  readonly side_effect_started: number;
  readonly dispatcher_id: string;
  readonly result_json: string | null;
}

/** All rows that tell of a message. */
export interface Message {
  readonly command: CommandRow | null;
  /** The newest one. */
  readonly attempt: AttemptRow | null;
  readonly notification: NotificationRow | null;
  /** The newest begun one. */
  readonly delivery: Delivery | null;
  readonly state: MessageState;
}

/** The message as its rows tell it now; null when there is none. */
export function readMessage(store: Store, ref: MessageRef): Message | null {
  const command =
    "commandId" in ref ? store.db.query<CommandRow, [string]>("select * from commands where id = ?").get(ref.commandId) : null;
  const notification = "commandId" in ref ? notificationOfCommand(store, ref.commandId) : notificationById(store, ref.notificationId);
  if (command === null && notification === null) return null;
  const attempt =
    command &&
    store.db
      .query<AttemptRow, [string]>(
        `select id, state, side_effect_started, dispatcher_id, result_json from command_attempts where command_id = ? order by
          state = 'running' desc, id desc limit 1`,
      )
      .get(command.id);
  const rows = { command, attempt, notification, delivery: notification && lastBegun(store, notification.id) };
  return { ...rows, state: stateOf(rows) };
}

/** The claim under which somebody moves a message; of a command by its attempt, of a turn by who took it when. */
export type ClaimMark = { readonly attemptId: number } | Pick<NotificationRow, "claimed_by" | "claimed_at">;

/** Whether the claim was given to nobody else and the message is not at its end. */
export function claimStands({ command, attempt, notification }: Message, mark: ClaimMark): boolean {
  if ("attemptId" in mark) return command?.state === "attempted" && attempt?.id === mark.attemptId && attempt.state === "running";
  return notification?.state === "pending" && notification.claimed_by === mark.claimed_by && notification.claimed_at === mark.claimed_at;
}

/** When the claim on the message was made and when it ends. */
export const claimOf = ({ command, notification }: Message): Pick<NotificationRow, "claimed_by" | "claimed_at" | "claim_expires_at"> => {
  const { claimed_by, claimed_at, claim_expires_at } = (command ?? notification)!;
  return { claimed_by, claimed_at, claim_expires_at };
};

/** Under which name the record of claims knows the message. */
export const keyOf = ({ command, notification }: Message): string =>
  messageKey({ commandId: command?.id ?? null, notificationId: notification?.id ?? null });

/** Whether the lease is over: its time has passed, or who holds it is one of these processes, known to be gone. */
export function leaseOver(store: Store, message: Message, gone: readonly Holder[]): boolean {
  const { claimed_at, claim_expires_at } = claimOf(message);
  if (claim_expires_at === null) return false;
  const end = Date.parse(claim_expires_at);
  return (!Number.isNaN(end) && end <= Date.parse(store.now())) || heldByOneOf(store, keyOf(message), claimed_at, gone);
}

/** By which right a message is moved; checked against its rows of this moment. */
export type Right =
  | { readonly by: "anyone"; readonly claimant: Claimant }
  | { readonly by: "holder"; readonly claim: ClaimMark; readonly claimant: Claimant }
  /** `seen`: the message as it was when it was decided about; whatever moved since forbids the move. */
  | { readonly by: "recovery"; readonly seen: Message; readonly gone: readonly Holder[]; readonly claimant: Claimant }
  | { readonly by: "settling"; readonly deliveryId: string };

interface Facts {
  /** Why it came to this; null: nothing is wrong. */
  readonly error?: string | null;
  /** What is told of it; result of attempt and command. Absent: what stands there stays. */
  readonly result?: Readonly<Record<string, unknown>>;
  /** Writes the row of the delivery; called once the move is allowed. */
  readonly delivery?: (() => void) | undefined;
  /** An attempt that did nothing and is not counted. */
  readonly uncounted?: boolean;
  /** For a command's first claim: its correlation. */
  readonly correlationId?: string;
}

function permitted(store: Store, message: Message, right: Right): boolean {
  if (right.by === "anyone") return true;
  if (right.by === "holder") return claimStands(message, right.claim);
  if (right.by === "settling") return message.delivery?.id === right.deliveryId;
  const [was, is] = [claimOf(right.seen), claimOf(message)];
  return (
    message.state === right.seen.state &&
    message.attempt?.id === right.seen.attempt?.id &&
    message.delivery?.id === right.seen.delivery?.id &&
    was.claimed_at === is.claimed_at &&
    leaseOver(store, message, right.gone)
  );
}

/**
 * Moves a message; null, and nothing is changed, when the table or the right of this moment do not allow it. Gives the message as it was.
 */
export function moveMessage(store: Store, ref: MessageRef, name: TransitionName, right: Right, facts: Facts = {}): Message | null {
  return tx(store, () => {
    const message = readMessage(store, ref);
    const move: Transition = TRANSITIONS[name];
    if (message === null || move.by !== right.by || !allows(name, message.state) || !permitted(store, message, right)) return null;
    const claim = claimColumns(store, message, move, right);
    writeCommand(store, message, move, facts, claim);
    writeAttempt(store, message, move, right, facts, claim);
    writeNotification(store, message, move, facts, claim);
    facts.delivery?.();
    return message;
  });
}

type ClaimColumns = Pick<NotificationRow, "claimed_by" | "claimed_at" | "claim_expires_at">;

function claimColumns(store: Store, message: Message, { writes }: Transition, right: Right): ClaimColumns {
  const was = claimOf(message);
  const key = keyOf(message);
  if (writes.claim === "drop") {
    dropClaim(store, key);
    return { claimed_by: null, claimed_at: null, claim_expires_at: null };
  }
  if (writes.claim === "keep" || right.by === "settling") {
    dropClaim(store, key);
    return was;
  }
  const end = leaseEnd(store, right.claimant);
  if (writes.claim === "extend") return { ...was, claim_expires_at: end };
  const now = store.now();
  recordClaim(store, key, now, right.claimant);
  return { claimed_by: right.claimant.dispatcherId, claimed_at: now, claim_expires_at: end };
}

function writeCommand(store: Store, { command }: Message, { writes }: Transition, facts: Facts, claim: ClaimColumns): void {
  if (command === null) return;
  const state = writes.command ?? command.state;
  const claimed = state === "attempted" && command.state === "pending";
  const attempts = command.attempts + (claimed ? 1 : 0) - (facts.uncounted ? 1 : 0);
  const error = state === "pending" || state === "attempted" ? null : writes.command === null ? command.error : (facts.error ?? null);
  store.db
    .query(
      `update commands set state = ?, attempts = ?, claimed_by = ?, claimed_at = ?, claim_expires_at = ?, correlation_id = coalesce(?,
        correlation_id), result_json = coalesce(?, result_json), error = ?, updated_at = ? where id = ?`,
    )
    .run(
      state,
      attempts,
      claim.claimed_by,
      claim.claimed_at,
      claim.claim_expires_at,
      facts.correlationId ?? null,
      facts.result === undefined ? null : compactJson(facts.result),
      error,
      store.now(),
      command.id,
    );
}

function writeAttempt(
  store: Store,
  { command, attempt }: Message,
  { writes }: Transition,
  right: Right,
  facts: Facts,
  claim: ClaimColumns,
): void {
  if (command === null) return;
  if (writes.attempt === "running") {
    store.db
      .query("insert into command_attempts (command_id, correlation_id, dispatcher_id, started_at, state) values (?, ?, ?, ?, 'running')")
      .run(command.id, facts.correlationId ?? command.correlation_id, claim.claimed_by, claim.claimed_at);
    return;
  }
  // What ended long ago is only touched by its proof.
  if (attempt === null || (attempt.state !== "running" && right.by !== "settling")) return;
  const [started, completed] = writes.flags ?? [attempt.side_effect_started, 0];
  store.db
    .query(
      `update command_attempts set state = coalesce(?, state), finished_at = iif(? is null, finished_at, ?), result_json = coalesce(?,
        result_json), error = ?, side_effect_started = ?, side_effect_completed = ? where id = ?`,
    )
    .run(
      writes.attempt,
      writes.attempt,
      store.now(),
      facts.result === undefined ? null : compactJson(facts.result),
      facts.error ?? null,
      started,
      completed,
      attempt.id,
    );
}

function writeNotification(store: Store, { command, notification }: Message, move: Transition, facts: Facts, claim: ClaimColumns): void {
  if (notification === null) return;
  const { writes } = move;
  const state = writes.notification ?? notification.state;
  // Of a command it is held by the command's claim.
  const held = command === null ? claim : notification;
  const [started, completed] = writes.flags ?? [notification.side_effect_started, notification.side_effect_completed];
  const delivered = state === "delivered";
  const mode: DeliveryMode = delivered ? (completed === 1 ? "push" : "pull_required") : notification.delivery_mode;
  const error = delivered || move.to === "queued" ? null : writes.notification === null ? notification.error : (facts.error ?? null);
  store.db
    .query(
      `update routed_notifications set state = ?, delivered_at = ?, delivery_mode = ?, claimed_by = ?, claimed_at = ?, claim_expires_at = ?,
        side_effect_started = ?, side_effect_completed = ?, error = ? where id = ?`,
    )
    .run(
      state,
      delivered ? store.now() : notification.delivered_at,
      mode,
      held.claimed_by,
      held.claimed_at,
      held.claim_expires_at,
      started,
      completed,
      error,
      notification.id,
    );
}

/** Prolongs a claim that stands; false when it was lost. */
export function prolong(store: Store, ref: MessageRef, claim: ClaimMark, claimant: Claimant): boolean {
  return tx(store, () => {
    const message = readMessage(store, ref);
    if (message === null || !claimStands(message, claim)) return false;
    const [table, id] = message.command === null ? ["routed_notifications", message.notification!.id] : ["commands", message.command.id];
    store.db.query(`update ${table} set claim_expires_at = ? where id = ?`).run(leaseEnd(store, claimant), id);
    return true;
  });
}
