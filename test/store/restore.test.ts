/** A damaged file beside a log that was left: who does what the hint says, and lays a backup in its place, has the backup and nothing else. */
import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { copyFileSync, existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../src/core/failure.ts";
import { openStore } from "../../src/store/open.ts";
import { createTask } from "../../src/store/tasks/tasks.ts";
import { folder, source } from "./opening.ts";

const parts = ["", "-wal", "-shm"];

/** A backup with one task, and the three files that a killed process with more of them left. */
function left(name: string): { path: string; backup: string } {
  const root = folder();
  const [path, backup, live] = [name, "backup.db", "live.db"].map((each) => join(root, each)) as [string, string, string];
  const store = openStore(live, source());
  createTask(store, { name: "old", goal: "g" });
  store.db.run("pragma wal_checkpoint(truncate)");
  copyFileSync(live, backup);
  for (let at = 0; at < 30; at++) createTask(store, { name: `new ${at}`, goal: "g".repeat(300) });
  for (const part of parts) copyFileSync(`${live}${part}`, `${path}${part}`);
  store.db.close();
  return { path, backup };
}

function refusal(path: string): Failure {
  try {
    openStore(path, source()).db.close();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error("it was opened");
}

/** Runs the commands of a hint as a person would paste them. */
function follow(hint: string): void {
  const commands = /mv .*(?=; then lay a backup)/.exec(hint)![0];
  const done = Bun.spawnSync(["sh", "-ec", commands], { stderr: "inherit" });
  expect([commands, done.exitCode]).toEqual([commands, 0]);
}

const DAMAGES: Readonly<Record<string, readonly [damage: (bytes: Buffer) => void, said: string, as: string]>> = {
  "its head is gone, which its log would hide": [(bytes) => bytes.fill(0, 0, 512), "is not an SQLite database", "old"],
  "it is something else": [(bytes) => bytes.fill("text "), "is not an SQLite database", "old"],
};

describe.each(["workerctl.db", "a?b#c%20d é;x&y.db", "it's $HOME\\.db", "%41.db"])("for a file named %s", (name) => {
  test.each(Object.keys(DAMAGES))("%s", (kind) => {
    const [damage, said, as] = DAMAGES[kind]!;
    const { path, backup } = left(name);
    const bytes = readFileSync(path);
    damage(bytes);
    writeFileSync(path, bytes);
    const failure = refusal(path);
    expect(failure.message).toContain(said);
    expect(failure.hint).toContain("end every watch and dashboard on it");
    follow(failure.hint!);
    expect(parts.map((part) => existsSync(`${path}${part}`))).toEqual([false, false, false]);
    // The damaged one keeps its log, so that what can be saved of both still can be.
    expect(parts.map((part) => existsSync(`${path}.${as}${part}`))).toEqual([true, true, true]);
    copyFileSync(backup, path);
    const store = openStore(path, source());
    expect(store.db.query("select name from tasks").all()).toEqual([{ name: "old" }]);
    expect(store.db.query("pragma integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
    store.db.close();
  });
});

test("damage that the schema shows gives the same hint, and an earlier damaged file is not written over", () => {
  const { path, backup } = left("workerctl.db");
  {
    using db = new Database(path);
    db.run("pragma wal_checkpoint(truncate)");
  }
  const bytes = readFileSync(path);
  bytes.write("CREATE TABEL", bytes.indexOf("CREATE TABLE events"));
  writeFileSync(path, bytes);
  writeFileSync(`${path}.damaged`, "an earlier one");
  const failure = refusal(path);
  expect(failure.message).toContain("is damaged");
  follow(failure.hint!);
  expect(readFileSync(`${path}.damaged`, "utf8")).toBe("an earlier one");
  expect(readFileSync(`${path}.damaged.2`).equals(bytes)).toBe(true);
  copyFileSync(backup, path);
  openStore(path, source()).db.close();
});

test("an empty file beside a log is no new one: the log is kept, and the hint leads to the backup", () => {
  const { path, backup } = left("workerctl.db");
  writeFileSync(path, "");
  const failure = refusal(path);
  expect(failure.message).toContain("is damaged (it is empty, but its log is not)");
  follow(failure.hint!);
  expect(existsSync(`${path}.damaged-wal`)).toBe(true);
  copyFileSync(backup, path);
  openStore(path, source()).db.close();
  // Where no file stands, a log of old is nobody's.
  const { path: gone } = left("gone.db");
  rmSync(gone);
  const store = openStore(gone, source());
  expect(store.db.query("select name from tasks").all()).toEqual([]);
  store.db.close();
});

test("behind a link the file itself is moved, with the log beside it", () => {
  const { path, backup } = left("real.db");
  const link = join(folder(), "workerctl.db");
  symlinkSync(path, link);
  const bytes = readFileSync(path);
  bytes.fill(0, 0, 512);
  writeFileSync(path, bytes);
  follow(refusal(link).hint!);
  expect(parts.map((part) => existsSync(`${path}${part}`))).toEqual([false, false, false]);
  copyFileSync(backup, path);
  const store = openStore(link, source());
  expect(store.db.query("select name from tasks").all()).toEqual([{ name: "old" }]);
  store.db.close();
});
