/** How much room the records take. */
import { statSync } from "node:fs";
import { boundWorkers } from "./audit.ts";
import type { Store } from "../store.ts";

interface Kept {
  readonly count: number;
  /** Of the texts that are still held. */
  readonly bytes: number;
}

interface Storage {
  /** The file and what is still in its write-ahead log. */
  readonly database_file: number;
  readonly terminal_captures: Kept;
  readonly transcript_captures: Kept;
  readonly transcript_segments: Kept;
  readonly total_retained: number;
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** Bytes of the database file with its write-ahead log. */
export const databaseBytes = (store: Store): number => sizeOf(store.path) + sizeOf(`${store.path}-wal`);

function kept(store: Store, table: string, text: string, owner: string, ids: readonly string[] | null): Kept {
  const where = ids === null ? "" : `where ${owner} in (select value from json_each(?))`;
  // The expression is that of an index, so that no text is touched.
  return store.db
    .query<Kept, string[]>(
      `select count(*) as count, coalesce(sum(iif(${text} is null, 0, byte_count)), 0) as bytes from ${table} ${where}`,
    )
    .get(...(ids === null ? [] : [JSON.stringify(ids)]))!;
}

/** The room taken by everything, or by one task. */
export function storage(store: Store, taskId?: string): Storage {
  const task = taskId === undefined ? null : [taskId];
  const workers = taskId === undefined ? null : boundWorkers(store, taskId);
  const terminal_captures = kept(store, "terminal_captures", "content", "task_id", task);
  const transcript_captures = kept(store, "transcript_captures", "content", "worker_id", workers);
  const transcript_segments = kept(store, "transcript_segments", "segment_text", "task_id", task);
  return {
    database_file: databaseBytes(store),
    terminal_captures,
    transcript_captures,
    transcript_segments,
    total_retained: terminal_captures.bytes + transcript_captures.bytes + transcript_segments.bytes,
  };
}
