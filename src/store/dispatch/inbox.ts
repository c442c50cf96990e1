/** The inbox of a session: delivered notifications that nobody has consumed yet. */
import { isObject, parseStored } from "../../core/json.ts";
import type { Holder } from "../../core/dispatch/holder.ts";
import { runIdOf } from "../../core/loops/loop-run.ts";
import type { InboxItem, NotificationRow } from "../../core/dispatch/notification.ts";
import type { Session } from "../../core/sessions/session.ts";
import { type Store, tx } from "../store.ts";
import { addTelemetry } from "../record/telemetry.ts";
import { beingShown, dropClaim, readingKey, recordClaim } from "./claims.ts";

type Joined = NotificationRow &
  Pick<InboxItem, "task_name" | "source_session_name" | "source_session_role" | "target_session_name" | "target_session_role">;

const itemOf = ({ payload_json, side_effect_started, side_effect_completed, ...row }: Joined): InboxItem => {
  const payload = parseStored<unknown>(payload_json, {});
  return {
    ...row,
    payload: isObject(payload) ? payload : {},
    side_effect_started: side_effect_started === 1,
    side_effect_completed: side_effect_completed === 1,
  };
};

/**
 * Waiting items of the session, oldest first, at most `limit` (below 0: all). Changes nothing.
 * @param apart tasks whose items are meant for another look
 */
export const listInbox = (store: Store, sessionId: string, limit: number, apart: readonly string[] = []): InboxItem[] =>
  store.db
    .query<Joined, [string, string, number]>(
      `select n.*, t.name as task_name, s.name as source_session_name, s.role as source_session_role, r.name as target_session_name, r.role as target_session_role
       from routed_notifications n join tasks t on t.id = n.task_id join sessions s on s.id = n.source_session_id join sessions r on r.id
         = n.target_session_id
       where n.target_session_id = ? and n.state = 'delivered' and n.consumed_at is null
         and n.task_id not in (select value from json_each(?)) order by julianday(n.created_at), n.id limit ?`,
    )
    .all(sessionId, JSON.stringify(apart), limit)
    .map(itemOf);

/** How many messages of this task wait for the session. */
export const unreadOfTask = (store: Store, sessionId: string, taskId: string): number =>
  store.db
    .query<{ n: number }, [string, string]>(
      `select count(*) as n from routed_notifications
       where target_session_id = ? and state = 'delivered' and consumed_at is null and task_id = ?`,
    )
    .get(sessionId, taskId)!.n;

/** Whether anything waits for the session. @param apart as of {@link listInbox} */
export const inboxWaits = (store: Store, sessionId: string, apart: readonly string[] = []): boolean =>
  store.db
    .query(
      `select 1 from routed_notifications where target_session_id = ? and state = 'delivered' and consumed_at is null
         and task_id not in (select value from json_each(?)) limit 1`,
    )
    .get(sessionId, JSON.stringify(apart)) !== null;

/** The loop run that an item belongs to, when its payload names one of the same task; null otherwise. */
function loopRunOf(store: Store, item: InboxItem): string | null {
  const named = runIdOf(item.payload);
  if (named === null) return null;
  return (
    store.db.query<{ id: string }, [string, string]>("select id from runs where id = ? and task_id = ?").get(named, item.task_id)?.id ??
    null
  );
}

/** Who shows items: the process, and those that showed some and are known to have ended. Without a process it shows them unclaimed. */
export interface Reader {
  readonly holder: Holder | null;
  readonly gone: readonly Holder[];
}

/** The waiting items of the session that nobody is being shown, oldest first, at most `limit` (below 0: all). */
export function freeItems(store: Store, sessionId: string, limit: number, { gone }: Reader, apart: readonly string[] = []): InboxItem[] {
  const shown = beingShown(store, gone);
  const free = listInbox(store, sessionId, limit < 0 ? limit : limit + shown.size, apart).filter((item) => !shown.has(readingKey(item.id)));
  return limit < 0 ? free : free.slice(0, limit);
}

/** Claims an item that is about to be shown; call it inside the transaction that found it free. */
export const claimItem = (store: Store, item: InboxItem, { holder }: Reader): void =>
  recordClaim(store, readingKey(item.id), item.consumed_at!, { holder });

/** Nobody was shown these items: they wait as before. */
export const giveBack = (store: Store, items: readonly InboxItem[]): void =>
  tx(store, () => items.forEach((item) => dropClaim(store, readingKey(item.id))));

/** Records that a claimed item was shown, as it says itself: when, to whom, by which cycle. Call it inside a transaction. */
export function keepRead(store: Store, item: InboxItem): void {
  store.db
    .query("update routed_notifications set consumed_at = ?, consumed_by_session_id = ?, consumed_manager_cycle_id = ? where id = ?")
    .run(item.consumed_at, item.consumed_by_session_id, item.consumed_manager_cycle_id, item.id);
  dropClaim(store, readingKey(item.id));
}

/**
 * Claims the oldest waiting item for the session, as it is to be shown; null when there is none.
 * One immediate transaction: two who ask at once get different items.
 */
export function claimNextItem(store: Store, session: Session, reader: Reader, apart: readonly string[] = []): InboxItem | null {
  return tx(store, () => {
    const [next] = freeItems(store, session.id, 1, reader, apart);
    if (!next) return null;
    const item = { ...next, consumed_at: store.now(), consumed_by_session_id: session.id };
    claimItem(store, item, reader);
    return item;
  });
}

/**
 * Records that the session read a claimed item, with telemetry.
 * @param poll how the caller was waiting, for the telemetry
 */
export function keepConsumed(store: Store, session: Session, next: InboxItem, poll: { count: number; wait: boolean }): void {
  tx(store, () => {
    keepRead(store, next);
    const loopRun = loopRunOf(store, next);
    addTelemetry(store, {
      type: "dispatch_inbox_consumed",
      actor: "dispatch",
      taskId: next.task_id,
      ...(loopRun === null ? {} : { runId: loopRun }),
      summary: `${session.name} consumed ${next.signal_type} from ${next.source_session_name}`,
      correlation: {
        correlation_id: next.correlation_id,
        notification_id: next.id,
        signal_type: next.signal_type,
        target_session_id: next.target_session_id,
      },
      attributes: {
        consumed_by_session_id: session.id,
        delivery_mode: next.delivery_mode,
        poll_count: poll.count,
        wait_enabled: poll.wait,
        source_session_name: next.source_session_name,
        target_session_name: next.target_session_name,
        target_session_role: next.target_session_role,
      },
    });
  });
}
