/** Whether the database is what this tool needs: the checks of `db-doctor`. Looks only, repairs nothing. */
import { indexNames, schemaVersion, tableNames, triggerNames } from "../schema/schema.ts";
import { takesCrews } from "./sessions/crews.ts";
import { brief } from "./sqlite-failure.ts";
import type { Store } from "./store.ts";

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly [detail: string]: unknown;
}

export interface Health {
  readonly ok: boolean;
  readonly path: string;
  readonly schema_version: number | null;
  readonly user_version: number;
  /** Whether a manager of it was ever given a second worker. */
  readonly crews: boolean;
  readonly checks: readonly Check[];
}

/** An index that only speeds up a report; files of 0.1.0 may lack it. */
const optionalIndex = "routed_notifications_consumed_cycle";
const smallestBusyMs = 5000;

const only = <T>(store: Store, sql: string): T | undefined => Object.values(store.db.query<Record<string, T>, []>(sql).get() ?? {})[0];

const value = (name: string, found: unknown, ok: boolean): Check => ({ name, ok, value: found });

const required = (store: Store, name: string, type: string, wanted: readonly string[]): Check => {
  const rows = store.db.query<{ name: string }, [string]>("select name from sqlite_master where type = ?").all(type);
  const present = new Set(rows.map((row) => row.name));
  const missing = wanted.filter((each) => !present.has(each));
  return { name, ok: missing.length === 0, missing };
};

const newestRecorded = (store: Store): number | null => {
  try {
    return only<number | null>(store, "select max(version) from schema_migrations") ?? null;
  } catch (error) {
    // Its page cannot be read: then none is known, and the check of the pages says why.
    if ((error as { code?: string }).code?.startsWith("SQLITE_CORRUPT")) return null;
    throw error;
  }
};

/** Rows that refer to nothing; a file whose pages cannot be read so far is told so. */
const references = (store: Store): Check => {
  const name = "foreign_key_check";
  try {
    const violations = store.db.query("pragma foreign_key_check").all();
    return { name, ok: violations.length === 0, violations };
  } catch (error) {
    if (!(error as { code?: string }).code?.startsWith("SQLITE_CORRUPT")) throw error;
    return { name, ok: false, violations: [], error: brief((error as Error).message) };
  }
};

/**
 * All checks in their order but those that read the whole file (`integrity_check`, `value_types`). A file that lacks tables is told so
 * instead of failing.
 * @param options.rows false: the one that reads every reference is left out, for reports that are asked for often
 */
export function checkHealth(store: Store, options: { rows?: boolean } = {}): Health {
  const tables = required(store, "required_tables", "table", tableNames());
  const recorded = (tables.missing as string[]).includes("schema_migrations") ? null : newestRecorded(store);
  const version = only<number>(store, "pragma user_version") ?? 0;
  const keys = only<number>(store, "pragma foreign_keys") ?? 0;
  // Only a file with a log had to be opened alone, of which SQLite then says nothing.
  const journal = store.alone ? "wal" : (only<string>(store, "pragma journal_mode") ?? "");
  const busy = only<number>(store, "pragma busy_timeout") ?? 0;
  const checks: Check[] = [
    value("foreign_keys", keys, keys === 1),
    value("journal_mode_wal", journal, journal === "wal"),
    value("busy_timeout", busy, busy >= smallestBusyMs),
    value("schema_version", recorded, recorded === schemaVersion),
    value("user_version", version, version === schemaVersion),
    tables,
    required(
      store,
      "required_indexes",
      "index",
      indexNames().filter((name) => name !== optionalIndex),
    ),
    required(store, "required_triggers", "trigger", triggerNames()),
    ...(options.rows === false ? [] : [references(store)]),
  ];
  return {
    ok: checks.every((check) => check.ok),
    path: store.path,
    schema_version: recorded,
    user_version: version,
    crews: takesCrews(store),
    checks,
  };
}
