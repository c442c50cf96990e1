/** Whether a process has ended for certain: by pid and birth, never by a pid alone, and never of another world. */
import { expect, test } from "bun:test";
import { isGone, thisHolder } from "../../src/system/processes/holder.ts";

const env = process.env;

test("this one lives; the same pid of another birth, and a pid that nobody has, are gone", async () => {
  const me = (await thisHolder(env))!;
  expect(me.pid).toBe(process.pid);
  expect(await isGone(me, env)).toBe(false);
  expect(await isGone({ ...me, born: "0" }, env)).toBe(true);
  expect(await isGone({ ...me, pid: 4_194_304 + 5 }, env)).toBe(true);
});

test("of another host or another boot nothing is known", async () => {
  const me = (await thisHolder(env))!;
  expect(await isGone({ ...me, world: "elsewhere", pid: 4_194_304 + 5 }, env)).toBe(false);
});

test("a child that has ended is gone", async () => {
  const me = (await thisHolder(env))!;
  const child = Bun.spawn(["sleep", "60"]);
  const holder = { ...me, pid: child.pid, born: "1" };
  child.kill("SIGKILL");
  await child.exited;
  expect(await isGone(holder, env)).toBe(true);
});
