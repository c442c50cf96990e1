/** `routed_notifications`: written once per dedupe key, then moved on only by whoever holds it. */
import { compactJson } from "../../core/json.ts";
import type { DeliveryMode, NotificationRow } from "../../core/dispatch/notification.ts";
import { type Claimant, leaseEnd } from "./lease.ts";
import { type Store, tx } from "../store.ts";

export interface NewNotification {
  readonly taskId: string;
  readonly bindingId: string;
  readonly correlationId: string;
  readonly sourceSessionId: string;
  readonly targetSessionId: string;
  readonly signalType: string;
  readonly dedupeKey: string;
  readonly commandId?: string;
  readonly sourceEventId?: number;
  readonly sourceEventTimestamp?: string;
  readonly mode: DeliveryMode;
  readonly payload: Readonly<Record<string, unknown>>;
  /** Who holds it from its birth; notifications of commands are held by the command's claim instead. */
  readonly claimant?: Claimant;
}

export const findNotification = (store: Store, dedupeKey: string): NotificationRow | null =>
  store.db.query<NotificationRow, [string]>("select * from routed_notifications where dedupe_key = ?").get(dedupeKey);

export const notificationOfCommand = (store: Store, commandId: string): NotificationRow | null =>
  store.db
    .query<NotificationRow, [string]>("select * from routed_notifications where command_id = ? order by id desc limit 1")
    .get(commandId);

export const notificationById = (store: Store, id: number): NotificationRow | null =>
  store.db.query<NotificationRow, [number]>("select * from routed_notifications where id = ?").get(id);

/** Inserts a pending notification and gives its id; the dedupe key must be free. */
export function addNotification(store: Store, input: NewNotification): number {
  return tx(store, () => {
    const now = store.now();
    const claim = input.claimant
      ? ([input.claimant.dispatcherId, now, leaseEnd(store, input.claimant)] as const)
      : ([null, null, null] as const);
    return Number(
      store.db
        .query(
          `insert into routed_notifications (task_id, binding_id, correlation_id, source_session_id, target_session_id, signal_type, source_event_id, source_event_timestamp,
             dedupe_key, command_id, created_at, delivery_mode, state, claimed_by, claimed_at, claim_expires_at, payload_json)
           values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?, ?, ?)`,
        )
        .run(
          input.taskId,
          input.bindingId,
          input.correlationId,
          input.sourceSessionId,
          input.targetSessionId,
          input.signalType,
          input.sourceEventId ?? null,
          input.sourceEventTimestamp ?? null,
          input.dedupeKey,
          input.commandId ?? null,
          now,
          input.mode,
          ...claim,
          compactJson(input.payload),
        ).lastInsertRowid,
    );
  });
}

/** Takes over a pending notification whose sending never began: its mode and payload become those of the new attempt. */
export function takeOverNotification(store: Store, id: number, mode: DeliveryMode, payload: Readonly<Record<string, unknown>>): void {
  tx(
    store,
    () =>
      void store.db
        .query("update routed_notifications set delivery_mode = ?, payload_json = ?, error = null where id = ? and state = 'pending'")
        .run(mode, compactJson(payload), id),
  );
}

/** How the notification is delivered from now on; looked up anew by who takes it over. */
export function setMode(store: Store, id: number, mode: DeliveryMode): void {
  tx(store, () => void store.db.query("update routed_notifications set delivery_mode = ? where id = ?").run(mode, id));
}

/** Records that from here on the message may reach its target. */
export function markStarted(store: Store, id: number): void {
  tx(store, () => void store.db.query("update routed_notifications set side_effect_started = 1 where id = ?").run(id));
}

/** @param how `pulled`: it lies in the inbox, nothing was sent; `pushed`: it was sent too */
export function markDelivered(store: Store, id: number, how: "pulled" | "pushed"): void {
  tx(store, () => {
    const pushed = how === "pushed" ? 1 : 0;
    store.db
      .query(
        `update routed_notifications set state = 'delivered', delivered_at = ?, delivery_mode = ?, side_effect_started = ?,
            side_effect_completed = ?, error = null where id = ? and state = 'pending'`,
      )
      .run(store.now(), pushed ? "push" : "pull_required", pushed, pushed, id);
  });
}

/** Ends a pending notification without delivery. @param started it may have arrived; absent: the flag stays as it was */
export function markFailed(store: Store, id: number, error: string, started?: boolean): void {
  tx(store, () => {
    store.db
      .query(
        `update routed_notifications set state = 'failed', error = ?, side_effect_started = coalesce(?, side_effect_started) where id = ?
            and state = 'pending'`,
      )
      .run(error, started === undefined ? null : Number(started), id);
  });
}
