/** A process that sleeps as a whole hears of all that it would hear of awake. */
import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../../harness.ts";

const folder = mkdtempSync(join(tmpdir(), "conveyor-test-rest-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** There is no such sleep elsewhere: there it waits awake, and is woken all the same. */
const here = process.platform === "linux";

/** What a process said that was woken in this way, after `wake`, when it slept. */
async function woken(way: string, wake: (child: Bun.Subprocess<"pipe", "pipe", "inherit">, place: string) => void): Promise<unknown> {
  const place = join(folder, way);
  mkdirSync(place);
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "long-rest-child.ts"), place, way], { stdin: "pipe", stdout: "pipe" });
  try {
    await until("its sleep", () => existsSync(join(place, here ? "asleep" : "ready")) || child.exitCode !== null);
    wake(child, place);
    return JSON.parse(await new Response(child.stdout).text());
  } finally {
    child.kill("SIGKILL");
  }
}

const something = (_: unknown, place: string): void => writeFileSync(join(place, "something"), "");

test.concurrent("a file in a watched folder", async () => {
  expect(await woken("folder", something)).toMatchObject({ rung: true, by: "folder" });
});

test.concurrent("a signal", async () => {
  expect(await woken("signal", (child) => child.kill("SIGUSR1"))).toMatchObject({ rung: true, by: "signal" });
});

test.concurrent("words on a pipe", async () => {
  const say = (child: Bun.Subprocess<"pipe", "pipe", "inherit">): void => void (child.stdin.write("x"), child.stdin.flush());
  expect(await woken("pipe", say)).toMatchObject({ rung: true, by: "pipe" });
});

test.concurrent("a timer goes off late, and it does", async () => {
  expect(await woken("timer", () => {})).toMatchObject({ rung: true, by: "timer" });
});

test.concurrent.if(here)("what nobody tells of is looked for, and no bell was rung for it", async () => {
  expect(await woken("look", something)).toEqual({ rung: false, by: "nothing", slept: true });
});

test.concurrent("the time is up", async () => {
  expect(await woken("time", () => {})).toEqual({ rung: false, by: "nothing", slept: here });
});
