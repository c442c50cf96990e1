/** Token counts of a session over time, read on from where the last look ended. */
import type { Store } from "../store.ts";

export interface TokenPoint {
  readonly id: number;
  readonly at: string;
  /** All tokens the thread had used by then. */
  readonly total: number;
}

/** Counts after the row `afterId`, in their order. The condition is that of the index `codex_events_tokens`. */
export const tokenPoints = (store: Store, sessionId: string, afterId: number): TokenPoint[] =>
  store.db
    .query<TokenPoint, [string, number]>(
      `select id, timestamp as at, json_extract(payload_json, '$.info.total_token_usage.total_tokens') as total from codex_events
       where session_id = ? and subtype = 'token_count' and id > ? and json_type(payload_json, '$.info.total_token_usage.total_tokens') =
         'integer' order by id`,
    )
    .all(sessionId, afterId);
