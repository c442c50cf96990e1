/** Dispatches that are asked to end, or end by themselves: what is being sent is finished first. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { alive } from "../../../src/system/processes/processes.ts";
import { CodexWorld } from "../../codex-world.ts";
import { strike, until, World } from "../../harness.ts";
import { boundPair } from "../../rollout.ts";

const MAIN = resolve(import.meta.dir, "../../../src/main.ts");

/** Watches of a world, as processes of their own. */
class Watches {
  private readonly children: Bun.Subprocess[] = [];
  constructor(private readonly w: World) {}

  async start(id: string, more: readonly string[] = [], env: Record<string, string> = {}): Promise<Bun.Subprocess> {
    const words = ["dispatch", "--watch", "--dispatcher-id", id, "--interval", "300", ...more];
    const child = Bun.spawn([process.execPath, MAIN, ...words], { env: { ...this.w.env, ...env }, stdout: "ignore", stderr: "ignore" });
    this.children.push(child);
    await until(
      `the watch ${id}`,
      () =>
        existsSync(this.w.dbPath) &&
        this.w.rows("select 1 from dispatchers where dispatcher_id = ? and pid = ? and iterations > 0", id, child.pid).length > 0,
    );
    return child;
  }

  close(): void {
    strike(...this.children.filter((child) => child.exitCode === null && child.signalCode === null).map(({ pid }) => pid));
  }
}

describe("dispatch stop", () => {
  let w: World;
  let watches: Watches;
  beforeEach(async () => {
    w = new World();
    w.realTime = true;
    watches = new Watches(w);
    await boundPair(w);
  });
  afterEach(() => {
    watches.close();
    w.close();
  });

  test("where none runs says so in one sentence", async () => {
    const done = await w.run("dispatch stop");
    expect([done.exit, done.stdout, done.stderr]).toEqual([
      1,
      "",
      "conveyor: no Dispatch runs on these records\nhint: conveyor dispatch status\n",
    ]);
  });

  test("ends the only one, long before its interval, and comes back when it is gone", async () => {
    const child = await watches.start("a");
    const done = await w.run("dispatch stop");
    expect([done.exit, done.stdout]).toEqual([0, `Dispatch a (process ${child.pid}) has ended\n`]);
    expect(alive(child.pid)).toBe(false);
    expect(await child.exited).toBe(0);
    expect((await w.ok("dispatch status --json")).dispatchers).toMatchObject([{ dispatcher_id: "a", state: "ended" }]);
  });

  test("of several names them, and ends the one that is named; its next run is not stopped by the wish of before", async () => {
    const [a, b] = [await watches.start("a"), await watches.start("b")];
    const done = await w.run("dispatch stop");
    expect([done.exit, done.stdout]).toEqual([1, ""]);
    expect(done.stderr).toContain("2 Dispatches run on these records: ");
    for (const [id, { pid }] of Object.entries({ a, b })) expect(done.stderr).toContain(`${id} (process ${pid})`);
    expect(done.stderr).toMatch(/hint: say which is meant: conveyor dispatch stop [ab]; conveyor dispatch stop [ab]\n/);
    expect((await w.run("dispatch stop c")).stderr).toContain('no Dispatch "c" runs on these records, but ');
    expect(await w.ok("dispatch stop a --json")).toEqual({ stopped: [{ dispatcher_id: "a", host: expect.any(String), pid: a.pid }] });
    expect([alive(a.pid), alive(b.pid)]).toEqual([false, true]);
    await watches.start("a");
    expect((await w.ok("dispatch status --json")).dispatchers.filter((each: { alive: boolean }) => each.alive).length).toBe(2);
  });

  test("takes no flags of a watch, and only stop takes a name", async () => {
    for (const words of ["dispatch stop --watch", "dispatch status a", "dispatch --until-unbound 5", "dispatch stop a b"])
      expect((await w.run(words)).exit).toBe(2);
  });

  test("one that hangs is told after a while, with what ends it at once", async () => {
    const child = await watches.start("a");
    process.kill(child.pid, "SIGSTOP");
    const done = await w.run("dispatch stop --timeout-seconds 0");
    expect([done.exit, done.stdout]).toEqual([1, ""]);
    expect(done.stderr).toContain(`Dispatch a (process ${child.pid}) was asked to end, and has not within 0 s`);
    expect(done.stderr).toContain(`kill ${child.pid}`);
    process.kill(child.pid, "SIGCONT");
    expect(await child.exited).toBe(0);
  });

  test("one of another machine is not told to be killed on this one", async () => {
    const columns = "dispatcher_id, host, pid, started_at, last_seen_at, dry_run, interval_seconds, iterations, processed_count";
    const now = new Date().toISOString();
    w.store().db.run(`insert into dispatchers (${columns}) values ('far', 'elsewhere', ?, ?, ?, 0, 60, 0, 0)`, [process.pid, now, now]);
    const done = await w.run("dispatch stop far --timeout-seconds 0");
    expect([done.exit, done.stdout]).toEqual([1, ""]);
    expect(done.stderr).toContain(`kill ${process.pid} on elsewhere`);
    w.store().db.run("delete from dispatchers where host = 'elsewhere'");
  });
});

test("a message that is being sent is sent to its end, also when two ask to stop", async () => {
  const w = new CodexWorld(undefined, { launch: "tmux" });
  const watches = new Watches(w);
  try {
    const start = ["--cwd", w.project, "--timeout-seconds", "60"];
    const { codex_session_id: thread } = await w.ok(["start-worker", "--name", "w1", ...start]);
    await w.ok(["tasks", "--create", "t1", "--goal", "g"]);
    await w.ok(["start-manager", "--name", "m1", "--task", "t1", "--worker", "w1", ...start]);
    await w.ok("bind --task t1 --worker w1 --manager m1");
    await w.idle(thread);
    // A tmux that waits in the middle of the sending until it is let go on.
    const [begun, go] = [join(w.dir, "begun"), join(w.dir, "go")];
    const real = Bun.which("tmux", { PATH: w.env.PATH! })!;
    const script = `#!/bin/sh\ncase " $* " in *" load-buffer "*) touch ${begun}; while ! [ -e ${go} ]; do sleep 0.05; done;; esac\nexec ${real} "$@"\n`;
    chmodSync(await w.file("slow/tmux", script), 0o755);
    const child = await watches.start("a", [], { PATH: `${join(w.dir, "slow")}:${w.env.PATH}` });
    await w.ok(["enqueue-nudge-worker", "t1", "--message", "the whole of it"]);
    await until("the sending", () => existsSync(begun));
    const stops = [w.run("dispatch stop --json"), w.run("dispatch stop --json")];
    await until("the wish", () => w.rows("select 1 from dispatch_stops").length > 0);
    expect(alive(child.pid)).toBe(true);
    writeFileSync(go, "");
    expect((await Promise.all(stops)).map(({ exit }) => exit)).toEqual([0, 0]);
    expect(alive(child.pid)).toBe(false);
    expect(w.rows("select state from commands where type = 'nudge_worker'")).toEqual([{ state: "succeeded" }]);
    expect(w.userTexts(thread)).toContain("the whole of it");
  } finally {
    watches.close();
    await w.close();
  }
}, 180_000);

describe("a watch until nobody is bound", () => {
  let w: World;
  let watches: Watches;
  beforeEach(async () => {
    w = new World();
    w.realTime = true;
    watches = new Watches(w);
    await boundPair(w);
  });
  afterEach(() => {
    watches.close();
    w.close();
  });

  test("ends by itself when the last binding has ended, and not before", async () => {
    const child = await watches.start("a", ["--until-unbound", "0.3"]);
    await w.ok("unbind --task t1");
    expect(await child.exited).toBe(0);
    const [row] = w.rows<{ ended: number; unbound: number }>(
      "select julianday(d.ended_at) as ended, julianday(b.ended_at) as unbound from dispatchers d, bindings b",
    );
    expect((row!.ended - row!.unbound) * 86_400).toBeGreaterThan(0.25);
  });

  test("goes on when somebody is bound again meanwhile", async () => {
    const elsewhere = new World();
    elsewhere.realTime = true;
    const others = new Watches(elsewhere);
    try {
      await elsewhere.ok("tasks --json");
      const child = await watches.start("a", ["--until-unbound", "1"]);
      await w.ok("unbind --task t1");
      await w.ok("bind --task t1 --worker w1 --manager m1");
      // One that has begun to wait later, and is not bound meanwhile, has had its time: so would this one.
      expect(await (await others.start("b", ["--until-unbound", "1"])).exited).toBe(0);
      expect(child.exitCode).toBeNull();
      await w.ok("unbind --task t1");
      expect(await child.exited).toBe(0);
    } finally {
      others.close();
      elsewhere.close();
    }
  });
});
