/** A new file of version 22. */
import type { Database } from "bun:sqlite";
import { indexesSql, schemaVersion, tablesSql } from "./schema.ts";

/** Creates everything in an empty database, inside the transaction of the caller. */
export function createSchema(db: Database, now: string): void {
  db.run(tablesSql);
  db.run(indexesSql);
  recordVersion(db, now);
}

/** Notes that the file is now of version 22; older rows of `schema_migrations` stay. */
export function recordVersion(db: Database, now: string): void {
  db.query("insert or ignore into schema_migrations (version, applied_at) values (?, ?)").run(schemaVersion, now);
  db.run(`pragma user_version = ${schemaVersion}`);
}
