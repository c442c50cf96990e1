/** `digest_messages`: what one sending tells of besides the notification in its own row, so that all of it has one fate. */
import type { Holder } from "../../core/dispatch/holder.ts";
import type { NotificationState } from "../../core/dispatch/notification.ts";
import type { Delivery } from "../deliveries.ts";
import type { Store } from "../store.ts";
import { leaseOver, readMessage } from "./message.ts";

/** Records that this sending tells of these notifications too, in their order. Call it inside the transaction that begins them all. */
export function addDigest(store: Store, deliveryId: string, notificationIds: readonly number[]): void {
  const insert = store.db.query("insert into digest_messages (delivery_id, position, notification_id) values (?, ?, ?)");
  notificationIds.forEach((id, index) => insert.run(deliveryId, index + 1, id));
}

/** All notifications that a sending tells of, in their order; none for what is said without Dispatch. */
export const toldBy = (store: Store, { id, notification_id }: Pick<Delivery, "id" | "notification_id">): number[] =>
  notification_id === null
    ? []
    : [
        notification_id,
        ...store.db
          .query<{ notification_id: number }, [string]>(
            "select notification_id from digest_messages where delivery_id = ? order by position",
          )
          .all(id)
          .map((row) => row.notification_id),
      ];

/** One of several messages that were said together. */
interface DigestPart {
  readonly notification_id: number;
  readonly command_id: string | null;
  readonly signal_type: string;
  readonly task: string;
  readonly source_session: string;
  readonly state: NotificationState;
}

/** What was said together by this sending, in its order; null where it was one message. */
export function digestOf(store: Store, delivery: Pick<Delivery, "id" | "notification_id">): DigestPart[] | null {
  const ids = toldBy(store, delivery);
  if (ids.length < 2) return null;
  const part = store.db.query<DigestPart, [number]>(
    `select n.id as notification_id, n.command_id, n.signal_type, t.name as task, s.name as source_session, n.state
     from routed_notifications n join tasks t on t.id = n.task_id join sessions s on s.id = n.source_session_id where n.id = ?`,
  );
  return ids.flatMap((id) => part.get(id) ?? []);
}

/** Whether somebody is about to say something to this session, or it has not taken what was said last. */
export function isInHand(store: Store, sessionId: string, gone: readonly Holder[]): boolean {
  const open = store.db
    .query<{ id: number; command_id: string | null }, [string]>(
      "select id, command_id from routed_notifications where target_session_id = ? and consumed_at is null and state = 'pending'",
    )
    .all(sessionId);
  return open.some(({ id, command_id }) => {
    const message = readMessage(store, command_id === null ? { notificationId: id } : { commandId: command_id });
    if (message === null) return false;
    const { state } = message;
    return state === "begun" || state === "accepted" || (state === "claimed" && !leaseOver(store, message, gone));
  });
}
