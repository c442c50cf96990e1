/** What every function of this room takes first: the open database, and where times and ids come from. */
import type { Database } from "bun:sqlite";
import { requirePlace } from "./place.ts";
import { isBusy, sqliteFailure } from "./sqlite-failure.ts";

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
  let begun = false;
  const whole = store.db.transaction(() => {
    begun = true;
    requirePlace(store);
    return change();
  });
  const end = performance.now() + longestQueueMs;
  try {
    for (let seen = commitsOfOthers(store); ;) {
      try {
        return whole.immediate() as T;
      } catch (error) {
        if (begun || !isBusy(error) || performance.now() > end) throw error;
        const now = commitsOfOthers(store);
        if (now === seen) throw error;
        seen = now;
      }
    }
  } catch (error) {
    throw sqliteFailure(error, store.path) ?? error;
  }
}

/**
 * How long a write stands in line behind others that do get on. SQLite's own wait (busy_timeout) is no queue: whoever asks when the lock
 * happens to be free has it, and of eight writers on a busy machine one had none in five seconds. A file that stands still is given up
 * after that one wait.
 */
const longestQueueMs = 60_000;

/** A number that differs from the one before when another connection has committed in between (SQLite, PRAGMA data_version). */
const commitsOfOthers = ({ db }: Store): number => db.query<{ data_version: number }, []>("pragma data_version").get()!.data_version;
