/** Whether a process has ended for certain: by pid and birth, never by a pid alone, and never of another machine. */
import { expect, test } from "bun:test";
import { isGone, thisHolder } from "../../src/system/processes/holder.ts";

const env = process.env;
/** A pid beyond the highest. */
const NOBODY = 4_194_304 + 5;

test("this one lives; the same pid of another birth, and a pid that nobody has, are gone", async () => {
  const me = (await thisHolder(env))!;
  expect(me.pid).toBe(process.pid);
  expect(await isGone(me, env)).toBe(false);
  expect(await isGone({ ...me, born: "0" }, env)).toBe(true);
  expect(await isGone({ ...me, pid: NOBODY }, env)).toBe(true);
});

test("of another host nothing is known", async () => {
  const me = (await thisHolder(env))!;
  expect(await isGone({ ...me, world: "elsewhere", pid: NOBODY }, env)).toBe(false);
});

test.skipIf(process.platform !== "linux")(
  "on Linux: what ran at an earlier boot of this machine is gone, whatever its pid is now; of another machine nothing is known",
  async () => {
    const me = (await thisHolder(env))!;
    const [boot, namespace, id, name] = me.world.split(" ");
    const other = "11111111-2222-3333-4444-555555555555";
    const gone = (...world: (string | undefined)[]) => isGone({ ...me, world: world.join(" ") }, env);
    expect(await gone(other, namespace, id, name)).toBe(true);
    expect(await gone(other, "pid:[1]", id, name)).toBe(true);
    expect(await gone(other, namespace, "0".repeat(32), name)).toBe(false);
    expect(await gone(other, namespace, id, "another-host")).toBe(false);
    expect(await gone(other, namespace)).toBe(false);
    // The boot is ours: it lives, whatever the machine is called by now.
    expect(await gone(boot, namespace, id, "another-name")).toBe(false);
    expect(await isGone({ world: `${boot} ${namespace}`, pid: NOBODY, born: me.born }, env)).toBe(true);
    expect(await isGone({ ...me, world: [boot, "pid:[1]", id, name].join(" "), pid: NOBODY }, env)).toBe(false);
  },
);

test("a child that has ended is gone", async () => {
  const me = (await thisHolder(env))!;
  const child = Bun.spawn(["sleep", "60"]);
  const holder = { ...me, pid: child.pid, born: "1" };
  child.kill("SIGKILL");
  await child.exited;
  expect(await isGone(holder, env)).toBe(true);
});
