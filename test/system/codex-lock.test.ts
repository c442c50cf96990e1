/** Writer locks held by a real process, seen without taking them and by asking. */
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { askedLock, writerLock, writtenThreads } from "../../src/system/codex/lock.ts";
import { until } from "../harness.ts";

const home = mkdtempSync(join(tmpdir(), "cvl-"));
const folder = join(home, "thread-writer-locks");
const id = "01a20349-1da0-7293-8f31-37b3fd84781e";
const other = "01a2034c-5554-7cc2-b453-ad189c9a9f32";
mkdirSync(folder);
for (const name of [id, other, ".coordination"]) writeFileSync(join(folder, `${name}.lock`), "");
const holder = Bun.spawn(["flock", "--exclusive", "--no-fork", join(folder, `${id}.lock`), "sleep", "60"]);
afterAll(() => {
  holder.kill("SIGKILL");
  rmSync(home, { recursive: true, force: true });
});

test("a held lock names its holder, a free one does not, and death frees it at once", async () => {
  await until("the lock", () => writerLock(home, id)?.held);
  expect(writerLock(home, id)).toEqual({ held: true, pid: process.platform === "linux" ? holder.pid : null });
  expect(writerLock(home, other)).toEqual({ held: false, pid: null });
  expect([...writtenThreads(home).keys()]).toEqual([id]);
  expect(askedLock(join(folder, `${id}.lock`))).toEqual({ held: true, pid: null });
  expect(askedLock(join(folder, `${other}.lock`))).toEqual({ held: false, pid: null });
  holder.kill("SIGKILL");
  await holder.exited;
  expect(writerLock(home, id)).toEqual({ held: false, pid: null });
  expect(askedLock(join(folder, `${id}.lock`))?.held).toBe(false);
});

test("where locks are made, none is a thread that nobody writes", () => {
  expect(writerLock(home, "01a20349-0000-0000-0000-000000000000")).toEqual({ held: false, pid: null });
});

test("what cannot be told is null: no folder, a name that is no thread", () => {
  expect(writerLock(join(home, "absent"), id)).toBeNull();
  expect(writerLock(home, "../../etc/passwd")).toBeNull();
  expect(writtenThreads(join(home, "absent")).size).toBe(0);
});
