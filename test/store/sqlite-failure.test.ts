/** Errors of SQLite about the file become sentences; mistakes in our SQL stay what they are. */
import { Database, SQLiteError } from "bun:sqlite";
import { expect, test } from "bun:test";
import { join } from "node:path";
import { sqliteFailure } from "../../src/store/sqlite-failure.ts";
import { tx } from "../../src/store/store.ts";
import { World } from "../harness.ts";
import { folder, foreign } from "./opening.ts";

const thrown = (run: () => unknown): unknown => {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
};

test("a lock held by another program names the file and what to do", () => {
  const path = join(folder(), "locked.db");
  foreign(path, "create table tasks (x)");
  using other = new Database(path);
  other.run("begin exclusive");
  using db = new Database(path);
  const failure = sqliteFailure(
    thrown(() => db.run("insert into tasks values (1)")),
    path,
  );
  expect(failure?.message).toContain(`${path} is locked by another program`);
  expect(failure?.hint).toContain(path);
});

test("a transaction that finds the file locked says so in the same words, and a broken constraint stays what it is", () => {
  const w = new World();
  const store = w.store();
  store.db.run("pragma busy_timeout = 0");
  using other = new Database(store.path);
  other.run("begin immediate");
  expect(() => tx(store, () => store.db.run("delete from tasks"))).toThrow(`${store.path} is locked by another program`);
  other.run("rollback");
  expect(() => tx(store, () => store.db.run("insert into tasks (id) values ('t')"))).toThrow(SQLiteError);
  w.close();
});

test("a database that was opened for reading only cannot be written", () => {
  const path = join(folder(), "read.db");
  foreign(path, "create table tasks (x)");
  using db = new Database(path, { readonly: true });
  expect(
    sqliteFailure(
      thrown(() => db.run("insert into tasks values (1)")),
      path,
    )?.message,
  ).toContain("cannot be written");
});

test("a path that cannot be opened is said", () => {
  const path = join(folder(), "none", "x.db");
  expect(
    sqliteFailure(
      thrown(() => new Database(path)),
      path,
    )?.message,
  ).toContain("cannot be opened");
});

test("a broken constraint, wrong SQL and other errors are not the file's", () => {
  using db = new Database(":memory:");
  db.run("create table t (x unique); insert into t values (1)");
  expect(
    sqliteFailure(
      thrown(() => db.run("insert into t values (1)")),
      "p",
    ),
  ).toBeUndefined();
  expect(
    sqliteFailure(
      thrown(() => db.run("selec 1")),
      "p",
    ),
  ).toBeUndefined();
  expect(sqliteFailure(new Error("no"), "p")).toBeUndefined();
});
