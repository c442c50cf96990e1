/** The checks of `db-doctor`: what is healthy, and what each check notices. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { checkHealth } from "../../src/store/health.ts";
import { openStore } from "../../src/store/open.ts";
import { folder, foreign, source } from "./opening.ts";

const path = () => join(folder(), "workerctl.db");

/** The checks of a new file that `sql` was run on by another program, by name. */
const after = (sql: string) => {
  const file = path();
  openStore(file, source()).db.close();
  foreign(file, sql);
  const store = openStore(file, source());
  try {
    const health = checkHealth(store);
    return { health, failed: health.checks.filter((check) => !check.ok) };
  } finally {
    store.db.close();
  }
};

test("a fresh file passes every check, in their order", () => {
  const { health, failed } = after("select 1");
  expect(failed).toEqual([]);
  expect(health).toMatchObject({ ok: true, schema_version: 22, user_version: 22, path: expect.stringContaining("workerctl.db") });
  expect(health.checks).toEqual([
    { name: "foreign_keys", ok: true, value: 1 },
    { name: "journal_mode_wal", ok: true, value: "wal" },
    { name: "busy_timeout", ok: true, value: 5000 },
    { name: "schema_version", ok: true, value: 22 },
    { name: "user_version", ok: true, value: 22 },
    { name: "required_tables", ok: true, missing: [] },
    { name: "required_indexes", ok: true, missing: [] },
    { name: "required_triggers", ok: true, missing: [] },
    { name: "foreign_key_check", ok: true, violations: [] },
  ]);
});

test("missing tables, indexes and triggers are named and not repaired", () => {
  const { health, failed } = after("drop table prompts; drop index events_task_id; drop trigger events_no_update");
  expect(health.ok).toBe(false);
  expect(failed).toEqual([
    { name: "required_tables", ok: false, missing: ["prompts"] },
    { name: "required_indexes", ok: false, missing: ["events_task_id"] },
    { name: "required_triggers", ok: false, missing: ["events_no_update"] },
  ]);
});

test("the one optional index is not asked for", () => {
  expect(after("drop index routed_notifications_consumed_cycle").health.ok).toBe(true);
});

test("a version that was never recorded is noticed", () => {
  expect(after("delete from schema_migrations").failed).toEqual([{ name: "schema_version", ok: false, value: null }]);
  const { health, failed } = after("drop table schema_migrations");
  expect(health.schema_version).toBeNull();
  expect(failed.map((check) => check.name)).toEqual(["schema_version", "required_tables"]);
});

test("rows that refer to nothing are listed", () => {
  const { failed } = after("pragma foreign_keys = off; insert into budgets values ('task-gone', 3, 0, '2026-01-01T00:00:00Z')");
  expect(failed).toEqual([
    { name: "foreign_key_check", ok: false, violations: [{ table: "budgets", rowid: expect.any(Number), parent: "tasks", fkid: 0 }] },
  ]);
});
