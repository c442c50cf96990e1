/** Whether the database is what this tool needs: the checks of `db-doctor`. Looks only, repairs nothing. */
import { indexNames, schemaVersion, tableNames, triggerNames } from "../schema/schema.ts";
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

/**
 * All checks in their order. A file that lacks tables is told so instead of failing.
 * @param options.rows false: the one check that reads every row is left out, for reports that are asked for often
 */
export function checkHealth(store: Store, options: { rows?: boolean } = {}): Health {
  const tables = required(store, "required_tables", "table", tableNames());
  const recorded = (tables.missing as string[]).includes("schema_migrations")
    ? null
    : (only<number | null>(store, "select max(version) from schema_migrations") ?? null);
  const version = only<number>(store, "pragma user_version") ?? 0;
  const keys = only<number>(store, "pragma foreign_keys") ?? 0;
  const journal = only<string>(store, "pragma journal_mode") ?? "";
  const busy = only<number>(store, "pragma busy_timeout") ?? 0;
  const violations = options.rows === false ? null : store.db.query("pragma foreign_key_check").all();
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
    ...(violations === null ? [] : [{ name: "foreign_key_check", ok: violations.length === 0, violations }]),
  ];
  return { ok: checks.every((check) => check.ok), path: store.path, schema_version: recorded, user_version: version, checks };
}
