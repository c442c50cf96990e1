/** What a wait reads of the rows: how far they go, which pairs there are, and what waits or hangs for a session. */
import type { Binding } from "../sessions/bindings.ts";
import type { Store } from "../store.ts";

/** How far the rows go. */
export interface Marks {
  readonly record: number;
  readonly message: number;
  readonly event: number;
}

/** The numbers of the newest rows; a number is never given twice, and a later commit has the higher one. */
export const marksNow = ({ db }: Store): Marks =>
  db
    .query<Marks, []>(
      `select coalesce((select max(id) from codex_events), 0) as record, coalesce((select max(id) from routed_notifications), 0) as message,
         coalesce((select max(id) from events), 0) as event`,
    )
    .get()!;

/** What is told of this file and of no other: the first line of its log, which is never changed. Null while nothing has happened in it. */
export function firstLine({ db }: Store): string | null {
  const row = db
    .query<{ created_at: string; type: string; payload_json: string }, []>(
      "select created_at, type, payload_json from events order by id limit 1",
    )
    .get();
  return row === null ? null : `${row.created_at} ${row.type} ${row.payload_json}`;
}

/** Every open binding; of one manager when it is given. */
export const openBindings = ({ db }: Store, managerId: string | null): Binding[] =>
  db
    .query<Binding, [string | null]>(
      "select * from bindings where state in ('active', 'ending') and (?1 is null or manager_session_id = ?1) order by rowid",
    )
    .all(managerId);

/** Tasks that have ended with something told of them after this event, and had a binding; of one manager when it is given. */
export const endedSince = ({ db }: Store, event: number, managerId: string | null): string[] =>
  db
    .query<{ id: string }, [number, string | null]>(
      `select t.id from tasks t where t.id in (select task_id from events where id > ?1) and t.state in ('done', 'failed')
         and exists (select 1 from bindings b where b.task_id = t.id and (?2 is null or b.manager_session_id = ?2)) order by t.rowid`,
    )
    .all(event, managerId)
    .map(({ id }) => id);

/** The binding that the session was part of last, whatever became of it; null when it never had one. */
export const lastBindingOf = ({ db }: Store, sessionId: string): Binding | null =>
  db
    .query<Binding, [string]>(
      `select * from bindings where worker_session_id = ?1 or manager_session_id = ?1 
         order by state in ('active', 'ending') desc, rowid desc limit 1`,
    )
    .get(sessionId);

/** A message in an inbox, as it is named to who waits for it. */
export interface WaitingMessage {
  readonly id: number;
  readonly task_id: string;
  readonly signal_type: string;
  readonly source: string;
  readonly delivered_at: string | null;
  readonly payload_json: string;
}

/** What lies unread in the session's inbox, oldest first. */
export const unreadOf = ({ db }: Store, sessionId: string): WaitingMessage[] =>
  db
    .query<WaitingMessage, [string]>(
      `select n.id, n.task_id, n.signal_type, s.name as source, n.delivered_at, n.payload_json from routed_notifications n
         join sessions s on s.id = n.source_session_id
       where n.target_session_id = ? and n.state = 'delivered' and n.consumed_at is null order by n.id`,
    )
    .all(sessionId);

/** What is on its way to the session and not delivered yet. */
export const comingTo = ({ db }: Store, sessionId: string): number[] =>
  db
    .query<{ id: number }, [string]>(
      "select id from routed_notifications where target_session_id = ? and consumed_at is null and state = 'pending' order by id",
    )
    .all(sessionId)
    .map(({ id }) => id);
