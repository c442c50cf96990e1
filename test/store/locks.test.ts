/** SQLite's locks: nothing that a process does beside its connection may take them away, or others take the file for unused: an older SQLite then deletes its log. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { linkSync, mkdirSync, renameSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { openStore } from "../../src/store/open.ts";
import { tx } from "../../src/store/store.ts";
import { World } from "../harness.ts";
import { folder, source } from "./opening.ts";

/** Whether another process finds the file in use: one that wants it for itself alone gets it only when nobody holds a lock on it. */
function isHeld(path: string): boolean {
  const script = `
    const { Database } = require("bun:sqlite");
    const db = new Database(process.env.FILE);
    db.run("pragma busy_timeout = 0; pragma locking_mode = exclusive");
    try {
      db.query("select * from tasks").all();
    } catch (error) {
      process.exit(error.code.startsWith("SQLITE_BUSY") ? 7 : 1);
    }`;
  const done = Bun.spawnSync([process.execPath, "-e", script], { env: { ...process.env, FILE: path }, stderr: "inherit" });
  expect([0, 7]).toContain(done.exitCode);
  return done.exitCode === 7;
}

let w: World;
beforeEach(() => {
  w = new World();
});
afterEach(() => w.close());

test("a file that nobody has open is held by nobody", () => {
  const path = join(folder(), "workerctl.db");
  const store = openStore(path, source());
  expect(isHeld(path)).toBe(true);
  store.db.close();
  expect(isHeld(path)).toBe(false);
});

test("a second opening of the same process may come and go, also while the log holds rows, and one that is refused", () => {
  const path = join(folder(), "workerctl.db");
  const first = openStore(path, source());
  expect(isHeld(path)).toBe(true);
  openStore(path, source()).db.close();
  expect(isHeld(path)).toBe(true);
  first.db.run("pragma user_version = 23");
  expect(() => openStore(path, source())).toThrow("newer than 22");
  expect(isHeld(path)).toBe(true);
  first.db.close();
});

test("the same through a link to the file", () => {
  const root = folder();
  const path = join(root, "workerctl.db");
  openStore(path, source()).db.close();
  mkdirSync(join(root, "elsewhere"));
  renameSync(path, join(root, "elsewhere", "real.db"));
  symlinkSync(join(root, "elsewhere", "real.db"), path);
  const first = openStore(path, source());
  tx(first, () => first.db.run("insert into tasks values ('t', 't', 'g', null, 'candidate', 'x', 'x')"));
  openStore(path, source()).db.close();
  expect(isHeld(join(root, "elsewhere", "real.db"))).toBe(true);
  first.db.close();
});

test("no command takes the locks from a connection that its process has", async () => {
  await w.ok("create-disposable-binding t1 --goal g");
  const held = w.context().store();
  for (const line of [
    "tasks --create t2 --goal g",
    "tasks --json",
    "db-doctor",
    "doctor",
    "telemetry snapshot",
    "telemetry failures --json",
    "audit t1 --json",
    "export-task t1 --zip",
    "replay t1 --format html --output out.html",
    "discover t1",
    "prune",
    "reconcile",
    "deliveries",
    "dispatch --once --dry-run",
    `tasks --path ${w.dbPath}`,
  ]) {
    await w.run(line);
    expect([line, isHeld(w.dbPath)]).toEqual([line, true]);
  }
  held.db.close();
});

test("records that lie in a worker's tree are not opened to be digested, under no name", async () => {
  const git = (...words: string[]) =>
    expect(Bun.spawnSync(["git", "-c", "user.name=n", "-c", "user.email=e", ...words], { cwd: w.work, env: w.env }).exitCode).toBe(0);
  git("init", "-q");
  git("commit", "-q", "--allow-empty", "-m", "m");
  const path = join(w.work, "records.db");
  await w.ok(["tasks", "--create", "t1", "--goal", "g", "--path", path]);
  linkSync(path, join(w.work, "another-name"));
  await w.ok(["criteria", "t1", "--add", "--criterion", "c", "--source", "user_requested", "--status", "accepted", "--path", path]);
  const held = w.context().store(path);
  const run = await w.run(["evidence", "run", "t1", "--criterion", "1", "--path", path, "--", "true"]);
  expect(run.exit).toBe(0);
  // What a proof leaves out is said, and nothing else is.
  expect(run.stderr).toMatch(/^the proof does not see (?:"[\w.-]+" \(our own records\)(?:, )?)+\n$/);
  expect(isHeld(path)).toBe(true);
  held.db.close();
});
