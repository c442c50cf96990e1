/** The inbox of a session: delivered notifications that nobody has consumed yet. */
import { isObject, parseStored } from "../../core/json.ts";
import { runIdOf } from "../../core/loops/loop-run.ts";
import type { InboxItem, NotificationRow } from "../../core/dispatch/notification.ts";
import type { Session } from "../../core/sessions/session.ts";
import { type Store, tx } from "../store.ts";
import { addTelemetry } from "../record/telemetry.ts";

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

/** Waiting items of the session, oldest first, at most `limit` (below 0: all). Changes nothing. */
export const listInbox = (store: Store, sessionId: string, limit: number): InboxItem[] =>
  store.db
    .query<Joined, [string, number]>(
      `select n.*, t.name as task_name, s.name as source_session_name, s.role as source_session_role, r.name as target_session_name, r.role as target_session_role
       from routed_notifications n join tasks t on t.id = n.task_id join sessions s on s.id = n.source_session_id join sessions r on r.id
         = n.target_session_id
       where n.target_session_id = ? and n.state = 'delivered' and n.consumed_at is null order by julianday(n.created_at), n.id limit ?`,
    )
    .all(sessionId, limit)
    .map(itemOf);

/** Whether anything waits for the session. */
export const inboxWaits = (store: Store, sessionId: string): boolean =>
  store.db
    .query("select 1 from routed_notifications where target_session_id = ? and state = 'delivered' and consumed_at is null limit 1")
    .get(sessionId) !== null;

/** The loop run that an item belongs to, when its payload names one of the same task; null otherwise. */
function loopRunOf(store: Store, item: InboxItem): string | null {
  const named = runIdOf(item.payload);
  if (named === null) return null;
  return (
    store.db.query<{ id: string }, [string, string]>("select id from runs where id = ? and task_id = ?").get(named, item.task_id)?.id ??
    null
  );
}

/**
 * Takes the oldest waiting item for the session, with telemetry; null when there is none.
 * One immediate transaction: two who ask at once get different items.
 * @param poll how the caller was waiting, for the telemetry
 */
export function consumeNext(store: Store, session: Session, poll: { count: number; wait: boolean }): InboxItem | null {
  return tx(store, () => {
    const [next] = listInbox(store, session.id, 1);
    if (!next) return null;
    const now = store.now();
    store.db
      .query("update routed_notifications set consumed_at = ?, consumed_by_session_id = ? where id = ?")
      .run(now, session.id, next.id);
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
    return { ...next, consumed_at: now, consumed_by_session_id: session.id };
  });
}
