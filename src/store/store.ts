/** What every function of this room takes first: the open database, and where times and ids come from. */
import type { Database } from "bun:sqlite";
import { requirePlace } from "./place.ts";
import { sqliteFailure } from "./sqlite-failure.ts";

export interface Store {
  readonly db: Database;
  /** Absolute path of the database file. */
  readonly path: string;
  /** Which file it was when it was opened (`identityOf`). */
  readonly identity: string | null;
  /** Which log was written beside it since then (`logIdentity`); null without one. */
  readonly log: string | null;
  /** Nothing can be written there, and the file is read without the log that it has elsewhere. */
  readonly alone: boolean;
  /** Now, UTC with milliseconds. */
  now(): string;
  /** `<prefix>-<uuid>`, for instance `newId("task")`. */
  newId(prefix: string): string;
}

/**
 * Runs `change` in one immediate transaction and gives what it returns; any throw rolls everything back. What the file itself refuses
 * (locked, full, damaged, not the one any more that stands at its path) comes out as a Failure that names it.
 * `change` must be synchronous: an async function would be committed at its first await. Nested calls join the outer one.
 */
export function tx<T>(store: Store, change: () => T extends Promise<unknown> ? never : T): T {
  if (store.db.inTransaction) return change();
  try {
    return store.db
      .transaction(() => {
        requirePlace(store);
        return change();
      })
      .immediate() as T;
  } catch (error) {
    throw sqliteFailure(error, store.path) ?? error;
  }
}
