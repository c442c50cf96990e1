/** Watching: woken by commits and rollouts, kept awake by nothing, stopped by a signal, not stopped by a failing pass. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readFileSync, renameSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Item } from "../../../src/flow/dispatch/items.ts";
import { type Stop, type WatchOptions, watchDispatch } from "../../../src/flow/dispatch/watch.ts";
import { isDispatching } from "../../../src/flow/reach/dispatchers.ts";
import { addTelemetry } from "../../../src/store/record/telemetry.ts";
import { until, World } from "../../harness.ts";
import { writingPane } from "../../panes.ts";
import { boundPair, event, type Pair } from "../../rollout.ts";

let w: World;
let pair: Pair;
beforeEach(async () => {
  w = new World();
  w.realTime = true;
  pair = await boundPair(w);
});
afterEach(() => w.close());

class Button implements Stop {
  asked = false;
  private listener = () => {};
  listen(listener: () => void): void {
    this.listener = listener;
  }
  press(): void {
    this.asked = true;
    this.listener();
  }
}

const SLEEPY: WatchOptions = {
  dispatcherId: "d",
  leaseSeconds: 60,
  only: undefined,
  limit: 10,
  dryRun: false,
  intervalSeconds: 300,
  iterations: undefined,
  untilUnboundSeconds: null,
};

function watching(change: Partial<WatchOptions> = {}) {
  const stop = new Button();
  const items: Item[] = [];
  const problems: string[] = [];
  const cx = w.context();
  const ended = watchDispatch({ cx, store: cx.store() }, { ...SLEEPY, ...change }, stop, {
    done: (item) => items.push(item),
    problem: (message) => problems.push(message),
  });
  return { items, problems, ended, end: () => (stop.press(), ended) };
}
const began = () =>
  until("a first pass", () => w.rows("select 1 from telemetry_events where event_type = 'dispatch_watch_heartbeat'").length);
const beats = () =>
  w
    .rows<{ iteration: number }>(
      "select json_extract(correlation_json, '$.iteration') as iteration from telemetry_events where event_type = 'dispatch_watch_heartbeat' order by rowid",
    )
    .map((row) => row.iteration);

describe("woken, long before the interval", () => {
  test("by a command that somebody queues", async () => {
    const watch = watching();
    await began();
    await w.ok(["enqueue-nudge-worker", "t1", "--message", "hello"]);
    await until("the delivery", () => watch.items.length === 1);
    expect(await watch.end()).toBe(2);
    expect(watch.items).toMatchObject([{ state: "pull_required" }]);
  });

  test("by the byte that ends a worker's turn", async () => {
    const watch = watching();
    await began();
    pair.worker.append(event({ type: "task_complete", turn_id: "t" }));
    await until("the item", () => watch.items.length === 1);
    await watch.end();
    expect((await w.ok("manager-inbox t1 --json")).items).toMatchObject([{ signal_type: "worker_task_complete" }]);
  });

  test("by the turn of a worker that is bound while it watches", async () => {
    await w.ok("unbind --task t1");
    const watch = watching();
    await began();
    await w.ok("bind --task t1 --worker w1 --manager m1");
    pair.worker.append(event({ type: "task_complete", turn_id: "t" }));
    await until("the item", () => watch.items.length === 1);
    await watch.end();
  });

  test("to go on at once when a pass was full", async () => {
    for (let i = 0; i < 5; i++) await w.ok(["enqueue-nudge-worker", "t1", "--message", `m${i}`]);
    const watch = watching({ limit: 2 });
    await until("all five", () => watch.items.length === 5);
    await watch.end();
  });
});

describe("not woken", () => {
  test("by its own commits, by those of another watch, and by lines that end no turn", async () => {
    const watch = watching();
    const other = watching({ dispatcherId: "other", intervalSeconds: 0.05, iterations: 20 });
    await began();
    pair.worker.append(event({ type: "agent_message", message: "still at it" }));
    expect(await other.ended).toBe(20);
    expect(await watch.end()).toBe(1);
  });
});

test("a rollout that no watch sees costs one interval", async () => {
  const hidden = join(w.dir, "codex", "hidden");
  renameSync(join(w.dir, "codex", "sessions"), hidden);
  const watch = watching({ intervalSeconds: 0.2 });
  await began();
  renameSync(hidden, join(w.dir, "codex", "sessions"));
  pair.worker.append(event({ type: "task_complete", turn_id: "t" }));
  await until("the item", () => watch.items.length === 1);
  await watch.end();
});

test("idle heartbeats stop adding up", async () => {
  await watching({ intervalSeconds: 0.01, iterations: 60 }).ended;
  const numbers = beats();
  expect(numbers.length).toBeLessThanOrEqual(26);
  expect(numbers[0]).toBe(1);
  expect(w.rows("select iterations, processed_count, ended_at is not null as ended from dispatchers")).toEqual([
    { iterations: 60, processed_count: 0, ended: 1 },
  ]);
});

test("a pass that fails is told, and the watch goes on", async () => {
  await w.ok(["enqueue-nudge-worker", "t1", "--message", "hello"]);
  const { db } = w.store();
  db.run("create trigger broken before insert on command_attempts begin select raise(abort, 'disk on fire'); end");
  const watch = watching({ intervalSeconds: 0.1 });
  await until("the problem", () => watch.problems.some((text) => text.includes("disk on fire")));
  expect(w.rows("select state from commands")).toEqual([{ state: "pending" }]);
  db.run("drop trigger broken");
  await until("the delivery", () => watch.items.length === 1);
  await watch.end();
});

test("a rollout that cannot be read is told once and stops nobody else", async () => {
  pair.worker.append(event({ type: "task_started" }));
  await w.ok("ingest w1");
  await Bun.write(pair.worker.path, "");
  const watch = watching({ intervalSeconds: 0.02, iterations: 5 });
  await watch.ended;
  expect(watch.problems.filter((text) => text.includes("shrunk"))).toHaveLength(1);
});

test("a dry run writes its heartbeats and nothing else", async () => {
  await w.ok(["enqueue-nudge-worker", "t1", "--message", "hello"]);
  pair.worker.append(event({ type: "task_complete", turn_id: "t" }));
  const watch = watching({ dryRun: true, intervalSeconds: 0.02, iterations: 2 });
  await watch.ended;
  expect(watch.items.map((item) => item.state)).toEqual(["planned", "planned"]);
  expect(w.rows("select count(*) as n from codex_events")).toEqual([{ n: 0 }]);
  expect(w.rows("select state from commands")).toEqual([{ state: "pending" }]);
});

describe("who lives", () => {
  const lives = () => isDispatching(w.context(), w.store(), "d");

  test("a running watch, until it ends", async () => {
    const watch = watching();
    await began();
    expect(await lives()).toBe(true);
    expect((await w.ok("dispatch status --json")).dispatchers).toMatchObject([{ dispatcher_id: "d", alive: true, state: "watching" }]);
    await watch.end();
    expect(await lives()).toBe(false);
  });

  test("not one whose pid belongs to another process by now, however fresh", async () => {
    const watch = watching();
    await began();
    w.store().db.query("update dispatchers set process_started_at = '2020-01-01T00:00:00.000Z'").run();
    expect(await lives()).toBe(false);
    expect((await w.ok("dispatch status --json")).dispatchers).toMatchObject([{ alive: false, state: "died" }]);
    await watch.end();
  });

  test("one that keeps no row, while its heartbeat is fresh", async () => {
    const store = w.store();
    addTelemetry(store, {
      type: "dispatch_watch_heartbeat",
      actor: "dispatch",
      summary: "x",
      correlation: { dispatcher_id: "d", iteration: 1 },
      attributes: { dry_run: false },
    });
    expect(await lives()).toBe(true);
    store.db.query("update telemetry_events set timestamp = '2026-01-01T00:00:00Z' where event_type = 'dispatch_watch_heartbeat'").run();
    expect(await lives()).toBe(false);
  });

  test("rows of the dead are forgotten by the next watch of the name", async () => {
    await watching({ iterations: 1 }).ended;
    w.store().db.query("update dispatchers set pid = 4194000, ended_at = null").run();
    await watching({ iterations: 1 }).ended;
    expect(w.rows("select pid from dispatchers")).toEqual([{ pid: process.pid }]);
  });
});

describe("one message each, also while the manager works, and with digests", () => {
  const twoTurns = async (watch: ReturnType<typeof watching>): Promise<void> => {
    await began();
    // Ended now, not before the binding: of those only the newest would be told of.
    const now = new Date().toISOString();
    for (let n = 1; n <= 2; n++)
      pair.worker.append(event({ type: "task_complete", turn_id: `turn-${n}` }).replace("2020-01-01T00:00:01.000Z", now));
    await until("both items", () => watch.items.length === 2);
    await watch.end();
  };
  beforeEach(() => pair.manager.append(event({ type: "task_started", turn_id: "m" })));

  test("for who pulls: an item each in its inbox", async () => {
    const watch = watching({ digests: true });
    await twoTurns(watch);
    expect(watch.items).toMatchObject([{ state: "pull_required" }, { state: "pull_required" }]);
    expect((await w.ok("manager-inbox t1 --json")).items).toHaveLength(2);
  });

  test("for a pane where nothing can be proven: typed one by one", async () => {
    const typed = await writingPane(w);
    w.store().db.query("update sessions set tmux_session = 'pane' where name = 'm1'").run();
    const watch = watching({ digests: true });
    await twoTurns(watch);
    expect(watch.items).toMatchObject(Array(2).fill({ state: "delivered", proof: "unavailable" }));
    const said = () => readFileSync(typed, "utf8").split("Worker w1 seems to have finished a turn").length - 1;
    await until("both in the pane", () => said() === 2);
  });
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`${signal} ends the program with its summary and exit 0`, async () => {
    await w.ok(["enqueue-nudge-worker", "t1", "--message", "hello"]);
    const child = Bun.spawn([process.execPath, resolve(import.meta.dir, "../../../src/main.ts"), "dispatch", "--watch", "--json"], {
      env: w.env,
      cwd: w.work,
      stdout: "pipe",
      stderr: "pipe",
    });
    await until("the delivery", () => w.rows("select 1 from routed_notifications where state = 'delivered'").length);
    child.kill(signal);
    expect(await child.exited).toBe(0);
    expect(JSON.parse(await new Response(child.stdout).text())).toMatchObject({
      watch: true,
      processed_count: 1,
      processed: [{ state: "pull_required" }],
    });
    expect(w.rows("select ended_at is not null as ended from dispatchers")).toEqual([{ ended: 1 }]);
  });
}

test("what was routed is not looked at again, what is new is", async () => {
  const watch = watching();
  await began();
  for (let n = 1; n <= 3; n++) {
    pair.worker.append(event({ type: "task_complete", turn_id: `turn-${n}` }, n));
    await until(`item ${n}`, () => watch.items.length === n);
  }
  await w.ok("unbind --task t1");
  pair.worker.append(event({ type: "task_complete", turn_id: "while unbound" }, 4));
  await w.ok("ingest w1");
  await w.ok("bind --task t1 --worker w1 --manager m1");
  await until("the turn that nobody was bound for", () => watch.items.length === 4);
  await watch.end();
  expect(w.rows("select count(*) as n, count(distinct source_event_id) as events from routed_notifications")).toEqual([
    { n: 4, events: 4 },
  ]);
});
