/** Inboxes as the dashboard shows them: what waits, and what was taken. */
import type { Store } from "../store.ts";

export interface InboxLine {
  readonly id: number;
  readonly signal_type: string;
  readonly delivery_mode: string;
  readonly source: string;
  readonly created_at: string;
  readonly consumed_at: string | null;
  readonly cycle_id: number | null;
  readonly text: string | null;
  readonly correlation: string;
}

const COLUMNS = `select n.id, n.signal_type, n.delivery_mode, s.name as source, n.created_at, n.consumed_at, n.consumed_manager_cycle_id as cycle_id,
    json_extract(n.payload_json, '$.message') as text, n.correlation_id as correlation
  from routed_notifications n join sessions s on s.id = n.source_session_id where n.target_session_id = ? and n.state = 'delivered'`;

/** Waiting items oldest first, taken ones newest first, each at most `limit`. */
export const inboxOf = (store: Store, sessionId: string, limit: number): { pending: InboxLine[]; consumed: InboxLine[] } => ({
  pending: store.db
    .query<InboxLine, [string, number]>(`${COLUMNS} and n.consumed_at is null order by n.created_at, n.id limit ?`)
    .all(sessionId, limit),
  consumed: store.db
    .query<InboxLine, [string, number]>(`${COLUMNS} and n.consumed_at is not null order by n.consumed_at desc, n.id desc limit ?`)
    .all(sessionId, limit),
});
