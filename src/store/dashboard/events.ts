/** The log of events as a receipt: what was recorded since a moment ago. */
import type { Store } from "../store.ts";

export interface RecordedEvent {
  readonly id: number;
  readonly type: string;
}

/** Number of the newest event; 0 when there is none. */
export const lastEventId = (store: Store): number =>
  store.db.query<{ id: number | null }, []>("select max(id) as id from events").get()!.id ?? 0;

/** Events with higher numbers, in their order. */
export const eventsAfter = (store: Store, id: number, limit: number): RecordedEvent[] =>
  store.db.query<RecordedEvent, [number, number]>("select id, type from events where id > ? order by id limit ?").all(id, limit);
