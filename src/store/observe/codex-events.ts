/** `codex_events`: the records of rollouts as they were read, and how far each session's rollout has been read. */
import { SQLiteError } from "bun:sqlite";
import { type JsonObject, parseStored } from "../../core/json.ts";
import type { TurnError } from "../../core/agent/failed-turn.ts";
import { type Store, tx } from "../store.ts";
import { turnErrorOf } from "./turn-error.ts";

/** A record of a complete line of a transcript, ready to be stored. */
export interface NewCodexEvent {
  readonly type: string;
  readonly subtype: string | null;
  readonly timestamp: string | null;
  readonly payloadJson: string;
  /** Byte where the line begins. */
  readonly byteOffset: number;
}

interface CodexEvent {
  readonly id: number;
  readonly session_id: string;
  readonly timestamp: string;
  readonly type: string;
  readonly subtype: string | null;
  readonly payload: JsonObject;
  readonly byte_offset: number;
  readonly ingested_at: string;
}

interface Row extends Omit<CodexEvent, "payload"> {
  readonly payload_json: string;
}

const toEvent = ({ payload_json, ...row }: Row): CodexEvent => ({ ...row, payload: parseStored(payload_json, {}) });

/**
 * Stores the records of a session's transcript in their order and gives those that became rows; a line may have several. One that is stored
 * already at its offset with the same content is passed over (a file that was registered again), and so is one that SQLite cannot hold as
 * JSON (nested too deeply): `refused` is the number of such lines. Call it inside a transaction.
 */
export function addCodexEvents<T extends NewCodexEvent>(
  store: Store,
  sessionId: string,
  records: readonly T[],
): { stored: T[]; refused: number } {
  const { db } = store;
  const insert = db.query(
    "insert into codex_events (session_id, timestamp, type, subtype, payload_json, byte_offset, ingested_at) values (?, ?, ?, ?, ?, ?, ?)",
  );
  const same = db.query<{ id: number }, [string, number, string, string, number]>(
    "select id from codex_events where session_id = ? and byte_offset = ? and type = ? and payload_json = ? and id <= ?",
  );
  const known = db
    .query<{ at: number | null; id: number | null }, { id: string }>(
      `select (select max(byte_offset) from codex_events where session_id = $id) as at,
         (select max(id) from codex_events where session_id = $id) as id`,
    )
    .get({ id: sessionId });
  const [lastByte, lastId] = [known?.at ?? -1, known?.id ?? 0];
  const now = store.now();
  const stored: T[] = [];
  const refused = new Set<number>();
  for (const record of records) {
    const { type, subtype, timestamp, payloadJson, byteOffset } = record;
    // Only what was there before: a line may say the same twice.
    if (byteOffset <= lastByte && same.get(sessionId, byteOffset, type, payloadJson, lastId)) continue;
    try {
      insert.run(sessionId, timestamp ?? now, type, subtype, payloadJson, byteOffset, now);
      stored.push(record);
    } catch (error) {
      if (!(error instanceof SQLiteError) || error.code !== "SQLITE_CONSTRAINT_CHECK") throw error;
      refused.add(byteOffset);
    }
  }
  return { stored, refused: refused.size };
}

/** How far a session's rollout was read. */
interface ReadingMark {
  readonly state: "active" | "gone";
  readonly codex_session_path: string | null;
  readonly last_ingest_offset: number | null;
}

export const readingMark = (store: Store, sessionId: string): ReadingMark | null =>
  store.db.query<ReadingMark, [string]>("select state, codex_session_path, last_ingest_offset from sessions where id = ?").get(sessionId);

/** Notes that a session's rollout was read up to `offset` (null: nothing stored yet) just now. Call it inside a transaction. */
export function setReadingMark(store: Store, sessionId: string, offset: number | null): void {
  store.db.query("update sessions set last_ingest_offset = ?, last_heartbeat_at = ? where id = ?").run(offset, store.now(), sessionId);
}

/** The records stored for the very beginning of the session's file; several when it was registered with several files. */
export const firstRecords = (store: Store, sessionId: string): CodexEvent[] =>
  store.db
    .query<Row, [string]>("select * from codex_events where session_id = ? and byte_offset = 0 order by id desc")
    .all(sessionId)
    .map(toEvent);

/** How many records are read at once. */
const PAGE = 200;

/**
 * The records of the lines before a byte of the file that a session is read from, newest first, back to the first line: what was stored of
 * another file, with which it was registered before, is left out. They are fetched as they are taken.
 */
export function* recordsBefore(store: Store, sessionId: string, offset: number): Generator<CodexEvent> {
  const rows = store.db.query<Row, [string, number, number]>(
    `select * from codex_events where session_id = ? and byte_offset < ? and id < ? order by id desc limit ${PAGE}`,
  );
  let begun = false;
  for (let before = Number.MAX_SAFE_INTEGER; ;) {
    const page = rows.all(sessionId, offset, before);
    for (const row of page) {
      if (begun && row.byte_offset !== 0) return;
      begun ||= row.byte_offset === 0;
      yield toEvent(row);
    }
    if (page.length < PAGE) return;
    before = page.at(-1)!.id;
  }
}

/** A record that tells how a turn stands; of a failed one, why; and whether it was broken off with nothing written of that. */
export type TurnEvent = CodexEvent & { readonly turn_error: TurnError | null; readonly broken: boolean };

/** The condition is that of the index `codex_events_turns`, word by word. */
const TURNS = `(subtype in ('task_started', 'user_message', 'task_complete', 'turn_aborted')
  or (subtype = 'item_completed' and json_extract(payload_json, '$.item.type') = 'UserMessage'))`;

/** The newest record that tells how the turn stands, or null. */
export function newestTurnEvent(store: Store, sessionId: string): TurnEvent | null {
  const row = store.db
    .query<Row, [string]>(`select * from codex_events where session_id = ? and ${TURNS} order by id desc limit 1`)
    .get(sessionId);
  return row && toTurnEvent(store, row);
}

/** The newest record before this one that tells of the end of a turn, or null. */
export function turnEndBefore(store: Store, sessionId: string, eventId: number): TurnEvent | null {
  const row = store.db
    .query<Row, [string, number]>(
      `select * from codex_events where session_id = ? and id < ? and ${TURNS} and subtype in ('task_complete', 'turn_aborted')
        order by id desc limit 1`,
    )
    .get(sessionId, eventId);
  return row && toTurnEvent(store, row);
}

function toTurnEvent(store: Store, row: Row): TurnEvent {
  const event = toEvent(row);
  const broken = store.db.query("select 1 from broken_turns where session_id = ? and event_id = ?").get(row.session_id, row.id) !== null;
  return { ...event, turn_error: event.subtype === "task_complete" ? turnErrorOf(store, event) : null, broken };
}

/** The ends of the session's turns in the records after the row `afterId`, oldest first. */
export const turnEndsAfter = (store: Store, sessionId: string, afterId: number): TurnEvent[] =>
  store.db
    .query<Row, [string, number]>(
      `select * from codex_events where session_id = ? and id > ? and type = 'event_msg' and subtype in ('task_complete', 'turn_aborted')
       order by id`,
    )
    .all(sessionId, afterId)
    .map((row) => {
      const event = toEvent(row);
      return { ...event, turn_error: event.subtype === "task_complete" ? turnErrorOf(store, event) : null, broken: false };
    });

/** Puts on record that the turn which stands open with this record has ended. Nothing is changed when a newer record tells of one. */
export function noteBroken(store: Store, sessionId: string, eventId: number): void {
  tx(store, () => {
    if (newestTurnEvent(store, sessionId)?.id !== eventId) return;
    store.db.query("insert or replace into broken_turns (session_id, event_id) values (?, ?)").run(sessionId, eventId);
  });
}

/** Subtype of the session's very last record of any type; null also when there is none. */
export const lastSubtype = (store: Store, sessionId: string): string | null =>
  store.db
    .query<{ subtype: string | null }, [string]>("select subtype from codex_events where session_id = ? order by id desc limit 1")
    .get(sessionId)?.subtype ?? null;

/** The session's records, newest first; `subtype` filters before `limit` counts. */
export const newestEvents = (store: Store, sessionId: string, options: { subtype?: string | undefined; limit: number }): CodexEvent[] =>
  (options.subtype === undefined
    ? store.db
        .query<Row, [string, number]>("select * from codex_events where session_id = ? order by id desc limit ?")
        .all(sessionId, options.limit)
    : store.db
        .query<Row, [string, string, number]>("select * from codex_events where session_id = ? and subtype = ? order by id desc limit ?")
        .all(sessionId, options.subtype, options.limit)
  ).map(toEvent);

/** The end of a turn of a worker, with where it came from. */
interface Completion {
  readonly id: number;
  readonly timestamp: string;
  readonly payload: JsonObject;
  readonly session_id: string;
  readonly session_name: string;
  readonly binding_id: string;
}

/** The newest `task_complete` of any worker session that was ever bound to the task, or null. */
export function newestCompletion(store: Store, taskId: string): Completion | null {
  const row = store.db
    .query<Omit<Completion, "payload"> & { payload_json: string }, [string]>(
      `select e.id, e.timestamp, e.payload_json, e.session_id, s.name as session_name, b.id as binding_id
       from bindings b join sessions s on s.id = b.worker_session_id
       join codex_events e on e.id = (select max(id) from codex_events where session_id = b.worker_session_id and subtype = 'task_complete')
       where b.task_id = ? order by e.id desc, julianday(b.created_at) desc, b.rowid desc limit 1`,
    )
    .get(taskId);
  if (!row) return null;
  const { payload_json, ...rest } = row;
  return { ...rest, payload: parseStored<JsonObject>(payload_json, {}) };
}

/** What the session said last at the end of a turn; null: nothing yet, or that turn ended without a word. */
export function lastWords(store: Store, sessionId: string): string | null {
  const row = store.db
    .query<{ said: unknown }, [string]>(
      `select json_extract(payload_json, '$.last_agent_message') as said from codex_events
       where session_id = ? and subtype = 'task_complete' order by id desc limit 1`,
    )
    .get(sessionId);
  return typeof row?.said === "string" ? row.said : null;
}

interface TokenPoint {
  readonly id: number;
  readonly at: string;
  /** All tokens the thread had used by then. */
  readonly total: number;
}

/** Token counts of a session after the row `afterId`, in their order. The condition is that of the index `codex_events_tokens`. */
export const tokenPoints = (store: Store, sessionId: string, afterId: number): TokenPoint[] =>
  store.db
    .query<TokenPoint, [string, number]>(
      `select id, timestamp as at, json_extract(payload_json, '$.info.total_token_usage.total_tokens') as total from codex_events
       where session_id = ? and subtype = 'token_count' and id > ? and json_type(payload_json, '$.info.total_token_usage.total_tokens') =
         'integer' order by id`,
    )
    .all(sessionId, afterId);
