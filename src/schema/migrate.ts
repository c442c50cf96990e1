/** From any older version to 22, in steps that look at the file itself, so that each may run on any of them. */
import type { Database } from "bun:sqlite";
import { recordVersion } from "./create.ts";
import { addColumns } from "./migrate-columns.ts";
import { addLegacySessions, bindSessions } from "./migrate-sessions.ts";
import { giveWorkersIds } from "./migrate-workers.ts";
import type { Migration } from "./migration.ts";
import { definitionOf, rebuild } from "./rebuild.ts";
import { indexesSql, tablesSql } from "./schema.ts";

/** Values that later versions allow in a column that an older CHECK refuses. */
const allowed: readonly (readonly [table: string, value: string])[] = [
  ["telemetry_events", "'dispatch'"],
  ["commands", "'blocked'"],
  ["command_attempts", "'blocked'"],
];

/** Rebuilds the tables whose CHECK does not know the value. */
function widenChecks(db: Database): void {
  for (const [table, value] of allowed) if (!definitionOf(db, table).includes(value)) rebuild(db, table);
}

const steps: readonly ((db: Database, migration: Migration) => void)[] = [
  (db) => db.run(tablesSql),
  giveWorkersIds,
  bindSessions,
  addLegacySessions,
  addColumns,
  widenChecks,
  (db) => db.run(indexesSql),
  (db, migration) => recordVersion(db, migration.now()),
];

/** Rows that refer to one that is not there, counted by table and what it refers to. */
const dangling = (db: Database): Record<string, number> => {
  const found: Record<string, number> = {};
  for (const row of db.query<{ table: string; parent: string }, []>("pragma foreign_key_check").all()) {
    const key = `${row.table} → ${row.parent}`;
    found[key] = (found[key] ?? 0) + 1;
  }
  return found;
};

/**
 * Brings the file to version 22, inside the transaction of the caller and with foreign keys off.
 * Throws when it would leave more rows without what they refer to than there were before.
 */
export function migrate(db: Database, migration: Migration): void {
  const before = dangling(db);
  for (const step of steps) step(db, migration);
  const worse = Object.entries(dangling(db)).filter(([key, count]) => count > (before[key] ?? 0));
  if (worse.length > 0) throw new Error(`rows would refer to nothing: ${worse.map(([key, count]) => `${key} (${count})`).join(", ")}`);
}
