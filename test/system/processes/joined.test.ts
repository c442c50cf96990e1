/** Programs that are a part of another: all of them end with it, however it ends. */
import { afterEach, expect, test } from "bun:test";
import { resolve } from "node:path";
import { alive } from "../../../src/system/processes/processes.ts";
import { until, World } from "../../harness.ts";

const SYSTEM = resolve(import.meta.dir, "../../../src/system/processes");
let w: World;
afterEach(() => w.close());

/** A leader of its group, with a program in it that takes no wish; its first line names that one and the guard. */
const leader = (end: string): string => `
  const { guardGroup, startJoined } = await import(${JSON.stringify(`${SYSTEM}/joined.ts`)});
  const guard = guardGroup(process.env);
  const stubborn = startJoined(["/bin/sh", "-c", "trap '' HUP TERM; while :; do sleep 1; done"], { env: process.env, output: 2 });
  console.log(JSON.stringify([guard.pid, stubborn.pid]));
  ${end}`;

async function started(end: string): Promise<{ pid: number; guard: number; stubborn: number; exited: Promise<number> }> {
  w = new World();
  const child = Bun.spawn([process.execPath, "-e", leader(end)], { env: w.env, stdout: "pipe", stderr: "ignore", detached: true });
  const { value } = await child.stdout.getReader().read();
  const [guard, stubborn] = JSON.parse(new TextDecoder().decode(value)) as [number, number];
  return { pid: child.pid, guard, stubborn, exited: child.exited };
}

test("a program that is killed takes its group along, also those that take no wish, and nothing is left of the guard", async () => {
  const { pid, guard, stubborn } = await started("await Bun.sleep(60_000)");
  expect([alive(guard), alive(stubborn)]).toEqual([true, true]);
  process.kill(pid, "SIGKILL");
  await until("their end", () => !alive(guard) && !alive(stubborn));
});

test("a guard that is dismissed ends nobody", async () => {
  const { exited, guard, stubborn } = await started("await guard.dismiss(); process.exit(0);");
  expect(await exited).toBe(0);
  expect([alive(guard), alive(stubborn)]).toEqual([false, true]);
  process.kill(stubborn, "SIGKILL");
});
