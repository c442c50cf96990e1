/** Opening: what is looked at before, what is made, what is refused, and who may come at the same time. */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../src/core/failure.ts";
import { extensions } from "../../src/schema/extensions.ts";
import { openStore } from "../../src/store/open.ts";
import { folder, foreign, source } from "./opening.ts";

const refusal = (open: () => unknown): Failure => {
  try {
    open();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error("it was opened");
};

const open = (path: string, options = {}) => openStore(path, source(), options);
const one = <T>(db: Database, sql: string): T => Object.values(db.query(sql).get() as Record<string, T>)[0]!;

test("a missing file is made with its folders, for its owner only", () => {
  const root = folder();
  const path = join(root, "a", "b", "workerctl.db");
  const store = open(path);
  expect(store.path).toBe(path);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(`${path}-wal`).mode & 0o777).toBe(0o600);
  expect([statSync(join(root, "a")).mode & 0o777, statSync(join(root, "a", "b")).mode & 0o777]).toEqual([0o700, 0o700]);
  expect(one<number>(store.db, "pragma user_version")).toBe(22);
  expect(one<string>(store.db, "pragma journal_mode")).toBe("wal");
  expect(one<number>(store.db, "pragma foreign_keys")).toBe(1);
  expect(one<number>(store.db, "pragma busy_timeout")).toBe(5000);
  expect(one<number>(store.db, "pragma synchronous")).toBe(1);
  expect(store.db.query("select * from schema_migrations").all()).toEqual([{ version: 22, applied_at: "2026-01-02T03:04:05.000Z" }]);
  store.db.close();
  expect(readdirSync(join(root, "a", "b"))).toEqual(["workerctl.db"]);
});

test("an empty file is filled, and keeps its permissions", () => {
  const path = join(folder(), "empty.db");
  writeFileSync(path, "", { mode: 0o640 });
  const store = open(path);
  expect(one<number>(store.db, "select count(*) from tasks")).toBe(0);
  expect(statSync(path).mode & 0o777).toBe(0o640);
  store.db.close();
});

test("a database without any table is filled", () => {
  const path = join(folder(), "bare.db");
  foreign(path, "create table x (y); drop table x");
  const store = open(path);
  expect(one<number>(store.db, "pragma user_version")).toBe(22);
  store.db.close();
});

test("create: false refuses a missing file and makes nothing", () => {
  const root = folder();
  const error = refusal(() => open(join(root, "sub", "none.db"), { create: false }));
  expect(error.message).toContain(join(root, "sub", "none.db"));
  expect(error.hint).toContain("conveyor ");
  expect(readdirSync(root)).toEqual([]);
});

test("the second opening changes no byte", () => {
  const path = join(folder(), "twice.db");
  open(path).db.close();
  const before = readFileSync(path);
  open(path).db.close();
  expect(readFileSync(path).equals(before)).toBe(true);
});

test("a newer file is refused with both numbers, and no byte of it or file beside it changes", () => {
  const root = folder();
  const path = join(root, "newer.db");
  foreign(path, "create table future (x); pragma user_version = 23");
  const before = readFileSync(path);
  const error = refusal(() => open(path));
  expect(error.message).toContain("23");
  expect(error.message).toContain("22");
  expect(error.hint).toBeString();
  expect(readFileSync(path).equals(before)).toBe(true);
  expect(readdirSync(root)).toEqual(["newer.db"]);
});

test("a newer version that stands only in the write-ahead log is seen", () => {
  const root = folder();
  const path = join(root, "log.db");
  open(path).db.close();
  using other = new Database(path);
  other.run("pragma wal_autocheckpoint = 0; pragma user_version = 26; create table future (x)");
  const before = readFileSync(path);
  expect(before.readInt32BE(60)).toBe(22);
  expect(refusal(() => open(path)).message).toContain("26");
  expect(readFileSync(path).equals(before)).toBe(true);
});

test("a newer file whose maker was killed keeps its log, and every byte", () => {
  const root = folder();
  const path = join(root, "killed.db");
  open(path).db.close();
  const other = new Database(path);
  other.run("pragma wal_autocheckpoint = 0; pragma user_version = 26; create table future (x)");
  // What is left of it is a copy of the three files, which nobody has open.
  const left = join(root, "left.db");
  for (const part of ["", "-wal", "-shm"]) copyFileSync(`${path}${part}`, `${left}${part}`);
  other.close();
  const before = ["", "-wal"].map((part) => readFileSync(`${left}${part}`));
  expect(refusal(() => open(left)).message).toContain("26");
  expect(["", "-wal"].map((part) => readFileSync(`${left}${part}`))).toEqual(before);
});

test("a log that was carried over only in part, as on a full disk, is no damage", () => {
  const root = folder();
  const path = join(root, "part.db");
  const store = open(path);
  store.db.run("pragma wal_autocheckpoint = 0; create table big (x); insert into big values (zeroblob(200000))");
  const left = join(root, "left.db");
  for (const part of ["", "-wal", "-shm"]) copyFileSync(`${path}${part}`, `${left}${part}`);
  store.db.run("pragma wal_checkpoint(passive)");
  const half = readFileSync(path);
  store.db.close();
  // Its first page says how long it should be; the rest did not fit.
  writeFileSync(left, half.subarray(0, 100 * 4096));
  const again = open(left);
  expect(one<number>(again.db, "select length(x) from big")).toBe(200000);
  again.db.close();
});

test("a file that is no database is refused by name, and stays as it was", () => {
  const path = join(folder(), "notes.txt");
  for (const text of ["short", "this is not a database, only a text that is longer than the header of one ".repeat(4)]) {
    writeFileSync(path, text);
    const error = refusal(() => open(path));
    expect(error.message).toContain(path);
    expect(error.hint).toContain("move what is there away");
    expect(readFileSync(path, "utf8")).toBe(text);
  }
});

test("a damaged database is refused without a stack", () => {
  const path = join(folder(), "damaged.db");
  open(path).db.close();
  const bytes = readFileSync(path);
  bytes.fill(0xff, 100, 4096);
  writeFileSync(path, bytes);
  expect(refusal(() => open(path)).message).toContain("is damaged");
});

test("the database of another program is not taken for an old one of ours", () => {
  const path = join(folder(), "places.db");
  foreign(path, "create table bookmarks (url); insert into bookmarks values ('x'); pragma user_version = 7");
  const before = readFileSync(path);
  expect(refusal(() => open(path)).message).toContain("another program");
  expect(readFileSync(path).equals(before)).toBe(true);
});

test("a folder or a pipe in the way, and a file where a folder should be, are said in one sentence", () => {
  const root = folder();
  mkdirSync(join(root, "dir.db"));
  writeFileSync(join(root, "file"), "");
  expect(refusal(() => open(join(root, "dir.db"))).message).toContain("it is a folder");
  expect(refusal(() => open(join(root, "file", "x.db"))).message).toContain("not a folder");
  expect(Bun.spawnSync(["mkfifo", join(root, "pipe")]).exitCode).toBe(0);
  expect(refusal(() => open(join(root, "pipe"))).message).toContain("not a plain file");
});

test("eight first openings at once all succeed", async () => {
  const path = join(folder(), "state", "workerctl.db");
  const children = Array.from({ length: 8 }, () =>
    Bun.spawn([process.execPath, join(import.meta.dir, "open-child.ts"), path], { stdin: "pipe", stdout: "pipe", stderr: "pipe" }),
  );
  const readers = children.map((child) => child.stdout.getReader());
  await Promise.all(readers.map((reader) => reader.read()));
  for (const child of children) child.stdin.end();
  const errors = await Promise.all(children.map((child) => new Response(child.stderr).text()));
  expect(errors.join("")).toBe("");
  expect(await Promise.all(children.map((child) => child.exited))).toEqual(Array(8).fill(0));
  const store = open(path);
  expect(one<number>(store.db, "select count(*) from tasks")).toBe(8);
  expect(one<number>(store.db, "select count(*) from schema_migrations")).toBe(1);
  store.db.close();
});

test("extensions are applied once, in order, and those of a newer conveyor are left alone", () => {
  const path = join(folder(), "extended.db");
  open(path, { extensions: [] }).db.close();
  const next = extensions.length + 1;
  const more = [...extensions, { version: next, name: "more", sql: "create table more (x integer) strict; insert into more values (1)" }];
  const store = open(path, { extensions: more });
  expect(one<number>(store.db, "select count(*) from extension_migrations")).toBe(next);
  store.db.run("insert into extension_migrations values (900, 'later', '2030-01-01T00:00:00.000Z')");
  store.db.close();
  const again = open(path);
  expect(one<number>(again.db, "select count(*) from extension_migrations")).toBe(next + 1);
  expect(one<number>(again.db, "select count(*) from more")).toBe(1);
  again.db.close();
});

test("an extension that fails leaves nothing behind", () => {
  const path = join(folder(), "failing.db");
  open(path, { extensions: [] }).db.close();
  expect(() => open(path, { extensions: [{ version: 1, name: "bad", sql: "create table half (x); create table half (x)" }] })).toThrow(
    "half",
  );
  using db = new Database(path);
  expect(db.query("select name from sqlite_master where name in ('half', 'extension_migrations')").all()).toEqual([]);
  expect(existsSync(`${path}.bak-v22`)).toBe(false);
});

test("the versions of the extensions count up from 1", () => {
  expect(extensions.map((extension) => extension.version)).toEqual(extensions.map((_, at) => at + 1));
});
