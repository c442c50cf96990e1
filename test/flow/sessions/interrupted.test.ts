/** Starts that are asked to end at any moment: what they began is ended, what they recorded is taken back, and the same command works. */
import { afterAll, describe, expect, test } from "bun:test";
import { resolve } from "node:path";
import { commandLineOf, environmentOf, listProcesses } from "../../../src/system/processes/processes.ts";
import { CodexWorld } from "../../codex-world.ts";
import { until } from "../../harness.ts";
import { LONG } from "../../long.ts";
import { agentProcesses, emptyFolders, expectNothingLeft, type Moment, PAIR, struck } from "./struck.ts";

const MAIN = resolve(import.meta.dir, "../../../src/main.ts");

/** From the first record to the last one before the answer. */
const MOMENTS: Readonly<Record<string, Moment>> = {
  "the task is on record": { records: "select 1 from tasks where state = 'candidate'" },
  "the worker's start is on record": { records: "select 1 from unfinished_starts where role = 'worker'" },
  "tmux is about to make the worker's session": { tmux: "new-session", nth: 1, when: "before" },
  "tmux has made the worker's session": { tmux: "new-session", nth: 1, when: "after" },
  "the worker's screen is looked at": { tmux: "capture-pane", nth: 1, when: "after" },
  "the worker is found": { tmux: "remain-on-exit off", nth: 1, when: "before" },
  "the worker is registered": { records: "select 1 from sessions where role = 'worker' and state = 'active'" },
  "tmux has made the manager's session": { tmux: "new-session", nth: 2, when: "after" },
  "the manager is registered": { records: "select 1 from sessions where role = 'manager' and state = 'active'" },
  "both are bound": { records: "select 1 from bindings where state = 'active'" },
};

/** By then the pairing has made its run. */
const WITH_RUN = ["the manager is registered", "both are bound"];

// Each signal at every moment in the long run; else each moment by one of them.
for (const [turn, signal] of (["SIGINT", "SIGTERM", "SIGHUP"] as const).entries()) {
  const moments = Object.entries(MOMENTS).filter((_, index) => LONG !== null || index % 3 === turn);
  describe(`pair on ${signal}`, () => {
    const world = new CodexWorld();
    afterAll(() => world.close());

    for (const [moment, when] of moments) {
      test(`when ${moment}`, async () => {
        const done = await struck(world, PAIR(world), signal, when);
        expect(done).toMatchObject({ exit: 1, stdout: "" });
        expect(done.stderr).toMatch(/conveyor: it was interrupted: .*(ended|runs)\n$/);
        await expectNothingLeft(world);
        expect(emptyFolders(world)).toEqual([]);
      }, 120_000);
    }

    test("the same command then succeeds, and the events tell all that there was", async () => {
      const paired = await world.ok(PAIR(world));
      expect(paired.task).toMatchObject({ created: true, name: "t1" });
      expect(await agentProcesses(world)).not.toEqual([]);
      process.kill(paired.dispatch.pid, "SIGTERM");
      expect(world.rows("select count(*) as n from tasks where state = 'failed'")).toEqual([{ n: moments.length }]);
      expect(world.rows("select count(*) as n from telemetry_events where event_type = 'pair_interrupted'")).toEqual([
        { n: moments.length },
      ]);
      const abandoned = moments.filter(([moment]) => WITH_RUN.includes(moment)).length;
      expect(world.rows("select status, count(*) as n from runs group by 1 order by 1")).toEqual([
        ...(abandoned === 0 ? [] : [{ status: "abandoned", n: abandoned }]),
        { status: "active", n: 1 },
      ]);
    }, 120_000);
  });
}

test("pair asked to end when its Dispatch has begun leaves all of it, or nothing: no Dispatch alone", async () => {
  const w = new CodexWorld();
  try {
    const child = Bun.spawn([process.execPath, MAIN, ...PAIR(w)], { env: w.env, cwd: w.work, stdout: "pipe", stderr: "pipe" });
    const dispatching = async (): Promise<number[]> => {
      const found: number[] = [];
      for (const { pid } of (await listProcesses(w.env)) ?? [])
        if ((await commandLineOf(pid, w.env))?.includes("--until-unbound") && environmentOf(pid, "HOME") === w.env.HOME) found.push(pid);
      return found;
    };
    const [pid] = await until("its Dispatch", async () => ((await dispatching()).length > 0 ? dispatching() : false), 60);
    child.kill("SIGTERM");
    const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
    if (child.exitCode === 0) {
      expect(JSON.parse(out).dispatch).toMatchObject({ started: true, pid });
      process.kill(pid!, "SIGTERM");
    } else {
      expect([child.exitCode, out]).toEqual([1, ""]);
      expect(err).toMatch(/conveyor: it was interrupted: Dispatch, .* were ended\n$/);
      expect(await dispatching()).toEqual([]);
      await expectNothingLeft(w);
      const again = await w.ok(PAIR(w));
      expect(again.dispatch.started).toBe(true);
      process.kill(again.dispatch.pid, "SIGTERM");
    }
  } finally {
    await w.close();
  }
}, 180_000);
