/** `routed_notifications`: written once per dedupe key, then moved on only by whoever holds it. */
import { compactJson } from "../../core/json.ts";
import type { DeliveryMode, NotificationRow } from "../../core/dispatch/notification.ts";
import { messageKey, recordClaim } from "./claims.ts";
import { type Claimant, leaseEnd } from "./lease.ts";
import { type Store, tx } from "../store.ts";

interface NewNotification {
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
  /** `suppressed`: another notification stands for what it would tell. */
  readonly state?: "pending" | "suppressed";
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
    const id = Number(
      store.db
        .query(
          `insert into routed_notifications (task_id, binding_id, correlation_id, source_session_id, target_session_id, signal_type, source_event_id, source_event_timestamp,
             dedupe_key, command_id, created_at, delivery_mode, state, claimed_by, claimed_at, claim_expires_at, payload_json)
           values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
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
          input.state ?? "pending",
          ...claim,
          compactJson(input.payload),
        ).lastInsertRowid,
    );
    if (input.claimant) recordClaim(store, messageKey({ commandId: null, notificationId: id }), now, input.claimant);
    return id;
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
