/** Giving a table the definition of version 22 while its rows stay. SQLite cannot change a CHECK or a NOT NULL in place. */
import type { Database } from "bun:sqlite";
import { tableSql } from "./schema.ts";

/** Names of the columns that `table` has now; empty when there is no such table. */
export const columnsOf = (db: Database, table: string): string[] =>
  db
    .query<{ name: string }, [string]>("select name from pragma_table_info(?)")
    .all(table)
    .map((row) => row.name);

/** The SQL text by which `table` was made, or an empty text. */
export const definitionOf = (db: Database, table: string): string =>
  db.query<{ sql: string }, [string]>("select sql from sqlite_master where type = 'table' and name = ?").get(table)?.sql ?? "";

/**
 * Makes `table` anew as version 22 has it, with all its rows and its highest row number. Its indexes and triggers go with the old
 * table and must be created again. Inside the transaction of the caller, with foreign keys off.
 */
export function rebuild(db: Database, table: string): void {
  const fresh = `${table}_v22`;
  db.run(tableSql(table, fresh));
  const kept = columnsOf(db, fresh);
  const columns = columnsOf(db, table).filter((column) => kept.includes(column));
  const sequence = db.query<{ seq: number }, [string]>("select seq from sqlite_sequence where name = ?").get(table)?.seq;
  db.run(`insert into ${fresh} (${columns.join(", ")}) select ${columns.join(", ")} from ${table} order by rowid`);
  db.run(`drop table ${table}`);
  db.run(`alter table ${fresh} rename to ${table}`);
  if (sequence === undefined) return;
  // The last rows may have been deleted; their numbers must not be given out again.
  db.query("delete from sqlite_sequence where name = ?").run(table);
  db.query("insert into sqlite_sequence (name, seq) values (?, ?)").run(table, sequence);
}
