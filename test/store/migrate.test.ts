/** Files of older versions: the samples that the published versions made, and what may be wrong with a file. */
import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { copyFileSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createSchema } from "../../src/schema/create.ts";
import { openStore } from "../../src/store/open.ts";
import { shapeOf } from "../schema/shape.ts";
import { folder, foreign, source } from "./opening.ts";

const samples = join(import.meta.dir, "../fixtures/databases");
const versions = readdirSync(samples)
  .map((name) => Number(/^v(\d+)\.db$/.exec(name)?.[1]))
  .sort((left, right) => left - right);

type Row = Record<string, unknown>;

const contents = (path: string): Record<string, Row[]> => {
  using db = new Database(path, { readonly: true });
  const tables = db.query<{ name: string }, []>("select name from sqlite_master where type = 'table' and sql not like '%virtual%'").all();
  const found: Record<string, Row[]> = {};
  for (const { name } of tables) {
    if (!name.startsWith("telemetry_events_fts")) found[name] = db.query<Row, []>(`select * from "${name}" order by rowid`).all();
  }
  return found;
};

const sample = (version: number): string => {
  const path = join(folder(), "workerctl.db");
  copyFileSync(join(samples, `v${version}.db`), path);
  return path;
};

const freshShape = () => {
  using db = new Database(":memory:");
  createSchema(db, "2026-01-01T00:00:00.000Z");
  return shapeOf(db);
};

const migrated = (path: string): void => openStore(path, source(), { extensions: [] }).db.close();

const beside = (path: string): string[] => readdirSync(join(path, "..")).sort();

describe.each(versions)("a sample of version %d", (version) => {
  test("keeps every row of every table", () => {
    const path = sample(version);
    const before = contents(path);
    migrated(path);
    const after = contents(path);
    for (const [table, rows] of Object.entries(before)) {
      if (table === "sqlite_sequence") continue;
      expect([table, after[table]]).toEqual([table, expect.arrayContaining(rows.map((row) => expect.objectContaining(row)))]);
      if (table !== "sessions" && table !== "schema_migrations") expect([table, after[table]!.length]).toEqual([table, rows.length]);
    }
    expect(Object.keys(before)).toContain("tasks");
    expect(before.tasks!.length).toBeGreaterThan(0);
  });

  test("becomes what a fresh file is", () => {
    const path = sample(version);
    migrated(path);
    using db = new Database(path, { readonly: true });
    expect(shapeOf(db, (name) => name !== "extension_migrations")).toEqual(freshShape());
    expect(db.query("pragma user_version").get()).toEqual({ user_version: 22 });
    expect(db.query("pragma integrity_check").get()).toEqual({ integrity_check: "ok" });
    expect(db.query("pragma foreign_key_check").all()).toEqual([]);
    expect(db.query("select version from schema_migrations order by version").all()).toEqual(
      [...new Set([version, 22])].map((each) => ({ version: each })),
    );
  });

  test("has its backup, and a second opening changes nothing", () => {
    const path = sample(version);
    const before = contents(path);
    migrated(path);
    const names = version === 22 ? ["workerctl.db"] : ["workerctl.db", `workerctl.db.bak-v${version}`];
    expect(beside(path)).toEqual(names);
    if (version < 22) expect(contents(`${path}.bak-v${version}`)).toEqual(before);
    const bytes = readFileSync(path);
    migrated(path);
    expect(readFileSync(path).equals(bytes)).toBe(true);
    expect(beside(path)).toEqual(names);
  });
});

test("all samples are here", () => {
  expect(versions).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 18, 19, 20, 21, 22]);
});

test("a worker whose id was its name gets one of its own, and all that refers to it follows", () => {
  const path = sample(2);
  foreign(
    path,
    `pragma foreign_keys = off; drop trigger events_no_update;
     update workers set id = 'old-worker'; update bindings set worker_id = 'old-worker'; update statuses set worker_id = 'old-worker';
     update commands set worker_id = 'old-worker' where worker_id is not null; update events set worker_id = 'old-worker';
     pragma user_version = 1`,
  );
  migrated(path);
  using db = new Database(path);
  const id = db.query<{ id: string }, []>("select id from workers").get()!.id;
  expect(id).toStartWith("worker-");
  for (const table of ["bindings", "statuses", "commands", "events"]) {
    expect([table, db.query(`select distinct worker_id from ${table} where worker_id is not null`).all()]).toEqual([
      table,
      [{ worker_id: id }],
    ]);
  }
  expect(db.query("select id, name, role from sessions where role = 'worker'").all()).toEqual([{ id, name: "old-worker", role: "worker" }]);
  const log = db.query<{ payload_json: string }, []>("select payload_json from events where type = 'worker_id_migrated'").all();
  expect(log.map((row) => JSON.parse(row.payload_json))).toEqual([{ old_worker_id: "old-worker", new_worker_id: id }]);
  expect(() => db.run("update events set type = 'x'")).toThrow("append-only");
});

test("workers and managers that have stopped become sessions that are gone", () => {
  const path = sample(4);
  foreign(path, "update workers set state = 'stopped'; update managers set state = 'missing'");
  migrated(path);
  using db = new Database(path);
  expect(db.query("select name, state, pid, identity_token from sessions order by name").all()).toEqual([
    { name: "old-manager", state: "gone", pid: null, identity_token: "session-token-1" },
    { name: "old-worker", state: "gone", pid: null, identity_token: "token-old-1" },
  ]);
});

test("row numbers are not given out again after a table was made anew", () => {
  const path = sample(21);
  foreign(
    path,
    `insert into command_attempts (id, command_id, correlation_id, dispatcher_id, started_at, state) values (41, 'command-old-1', 'c', 'd', 't', 'failed');
     delete from command_attempts where id = 41`,
  );
  migrated(path);
  using db = new Database(path);
  db.run(
    "insert into command_attempts (command_id, correlation_id, dispatcher_id, started_at, state) values ('command-old-1', 'c', 'd', 't', 'blocked')",
  );
  expect(db.query("select max(id) as id from command_attempts").get()).toEqual({ id: 42 });
});

test("a file from before versions were written is migrated by what is in it", () => {
  const path = sample(7);
  foreign(path, "pragma user_version = 0");
  migrated(path);
  using db = new Database(path);
  expect(shapeOf(db, (name) => name !== "extension_migrations")).toEqual(freshShape());
  expect(beside(path)).toContain("workerctl.db.bak-v0");
});

test("a backup that is there is never overwritten", () => {
  const path = sample(8);
  writeFileSync(`${path}.bak-v8`, "mine");
  migrated(path);
  expect(readFileSync(`${path}.bak-v8`, "utf8")).toBe("mine");
  expect(contents(`${path}.bak-v8.2`)).toEqual(contents(join(samples, "v8.db")));
});

test("a file that cannot be migrated keeps every byte and gets no backup", () => {
  const path = sample(21);
  foreign(
    path,
    "alter table commands rename to kept; create table commands (id text, payload_json text); insert into commands values ('c', 'no json')",
  );
  const before = readFileSync(path);
  expect(() => migrated(path)).toThrow("could not be migrated from version 21 to 22 and stays as it was");
  expect(readFileSync(path).equals(before)).toBe(true);
  expect(beside(path)).toEqual(["workerctl.db"]);
});

test("a row that referred to nothing before does not lock its owner out", () => {
  const path = sample(15);
  foreign(path, "pragma foreign_keys = off; insert into budgets values ('task-gone', 3, 0, '2026-01-01T00:00:00Z')");
  migrated(path);
  using db = new Database(path);
  expect(db.query("select max_nudges from budgets where task_id = 'task-gone'").all()).toEqual([{ max_nudges: 3 }]);
});

test("foreign keys hold on the connection that migrated", () => {
  const store = openStore(sample(9), source());
  expect(() => store.db.run("insert into budgets values ('nobody', 3, 0, 'x')")).toThrow("FOREIGN KEY");
  store.db.close();
});

test("four openings of an old file at once migrate it once", async () => {
  const path = sample(5);
  const children = Array.from({ length: 4 }, () =>
    Bun.spawn([process.execPath, join(import.meta.dir, "open-child.ts"), path], { stdin: "pipe", stdout: "pipe", stderr: "pipe" }),
  );
  await Promise.all(children.map((child) => child.stdout.getReader().read()));
  for (const child of children) child.stdin.end();
  const errors = await Promise.all(children.map((child) => new Response(child.stderr).text()));
  expect(errors.join("")).toBe("");
  expect(await Promise.all(children.map((child) => child.exited))).toEqual([0, 0, 0, 0]);
  expect(beside(path)).toEqual(["workerctl.db", "workerctl.db.bak-v5"]);
  expect(contents(path).tasks!.length).toBe(5);
});
