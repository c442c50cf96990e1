/** Reading much: rows one by one, and reports whose parts agree. */
import type { Store } from "./store.ts";

export type Parameter = string | number | null;

/**
 * The rows of a query one by one, so that memory does not grow with their number. The statement is its own: the same query may be walked
 * twice at once. The caller may stop early.
 */
export function* rows<T>(store: Store, sql: string, ...parameters: Parameter[]): Generator<T> {
  const statement = store.db.prepare<T, Parameter[]>(sql);
  try {
    yield* statement.iterate(...parameters);
  } finally {
    statement.finalize();
  }
}

/** Runs `read` inside one read transaction: all that it looks at is of one moment. `read` must be synchronous and write nothing. */
export function snapshot<T>(store: Store, read: () => T extends Promise<unknown> ? never : T): T {
  if (store.db.inTransaction) return read();
  return store.db.transaction(read).deferred() as T;
}
