/** Version 22 agrees with a file that 0.1.0 made. */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { join } from "node:path";
import { createSchema } from "../../src/schema/create.ts";
import { columnSql, indexNames, tableNames, tableSql, triggerNames } from "../../src/schema/schema.ts";
import { shapeOf } from "./shape.ts";

const theirs = () => new Database(join(import.meta.dir, "../fixtures/databases/v22.db"), { readonly: true });

test("a fresh schema has the same tables, columns, checks, indexes and triggers as the sample file", () => {
  using db = new Database(":memory:");
  createSchema(db, "2026-01-01T00:00:00.000Z");
  using sample = theirs();
  expect(shapeOf(db)).toEqual(shapeOf(sample));
});

test("columns stand in the order of the sample file", () => {
  using db = new Database(":memory:");
  createSchema(db, "2026-01-01T00:00:00.000Z");
  using sample = theirs();
  const columns = (from: Database, table: string) =>
    from.query(`select name, lower(type) as type, "notnull", dflt_value, pk from pragma_table_info(?)`).all(table);
  for (const table of tableNames()) expect([table, columns(db, table)]).toEqual([table, columns(sample, table)]);
});

test("creating twice changes nothing", () => {
  using db = new Database(":memory:");
  createSchema(db, "2026-01-01T00:00:00.000Z");
  const before = shapeOf(db);
  createSchema(db, "2026-02-02T00:00:00.000Z");
  expect(shapeOf(db)).toEqual(before);
  expect(db.query("select * from schema_migrations").all()).toEqual([{ version: 22, applied_at: "2026-01-01T00:00:00.000Z" }]);
});

test("the lists of names are whole", () => {
  expect([tableNames().length, indexNames().length, triggerNames()]).toEqual([32, 37, ["events_no_delete", "events_no_update"]]);
});

test("the full-text table is searchable", () => {
  using db = new Database(":memory:");
  createSchema(db, "2026-01-01T00:00:00.000Z");
  db.run("insert into telemetry_events_fts (event_id, summary, attributes) values ('e', 'worker nudged', '{}')");
  expect(db.query("select event_id from telemetry_events_fts where telemetry_events_fts match ?").all('"nudged"')).toEqual([
    { event_id: "e" },
  ]);
});

test("one definition serves for rebuilding a table and for adding a column", () => {
  expect(tableSql("schema_migrations", "other")).toBe(
    "create table other (\n  version integer primary key,\n  applied_at text not null\n)",
  );
  expect(columnSql("sessions", "last_ingest_offset")).toBe("last_ingest_offset integer");
  expect(columnSql("routed_notifications", "delivery_mode")).toBe(
    "delivery_mode text not null default 'push' check (delivery_mode in ('push', 'pull_required'))",
  );
  expect(() => columnSql("sessions", "state_of_mind")).toThrow("sessions.state_of_mind");
});
