/** `unknown_records`: kinds of rollout records that no rule knows, counted. A growing list says that Codex has changed its format. */
import type { Store } from "../store.ts";

export interface UnknownRecord {
  readonly kind: string;
  readonly count: number;
  readonly first_seen_at: string;
  readonly last_seen_at: string;
  /** Where it was seen last. */
  readonly session_id: string;
  readonly byte_offset: number;
  readonly cli_version: string | null;
}

/** Counts one more of this kind. Call it inside the transaction that stores the record. */
export function countUnknownRecord(store: Store, seen: { kind: string; sessionId: string; byteOffset: number }): void {
  const now = store.now();
  const version = store.db.query<{ version: string | null }, [string]>(
    `select json_extract(payload_json, '$.cli_version') as version from codex_events where session_id = ? and byte_offset = 0 and type =
        'session_meta' order by id desc limit 1`,
  );
  store.db
    .query(
      `insert into unknown_records (kind, count, first_seen_at, last_seen_at, session_id, byte_offset, cli_version) values (?, 1, ?, ?, ?, ?, ?)
       on conflict (kind) do update set count = count + 1, last_seen_at = excluded.last_seen_at, session_id = excluded.session_id,
         byte_offset = excluded.byte_offset, cli_version = excluded.cli_version`,
    )
    .run(seen.kind.slice(0, 200), now, now, seen.sessionId, seen.byteOffset, String(version.get(seen.sessionId)?.version ?? "") || null);
}

/** Every unknown kind that was met, the newest first. */
export const unknownRecords = (store: Store): UnknownRecord[] =>
  store.db.query<UnknownRecord, []>("select * from unknown_records order by last_seen_at desc, kind").all();
