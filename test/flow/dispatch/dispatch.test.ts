/** One pass: order, leases lost and taken over, what is left behind is found again. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { type Item, newMemory } from "../../../src/flow/dispatch/items.ts";
import { type PassOptions, pass } from "../../../src/flow/dispatch/dispatch.ts";
import { modeOf } from "../../../src/flow/dispatch/mode.ts";
import { route } from "../../../src/flow/dispatch/route.ts";
import { inTurn } from "../../../src/flow/dispatch/send.ts";
import { endClaim, extendClaim } from "../../../src/store/dispatch/command-queue.ts";
import type { Store } from "../../../src/store/store.ts";
import { World } from "../../harness.ts";
import { boundPair, event, type Pair } from "../../rollout.ts";
import { claimNext } from "../../store/dispatch/story.ts";

let w: World;
let pair: Pair;
let store: Store;
beforeEach(async () => {
  w = new World();
  pair = await boundPair(w);
  store = w.store();
});
afterEach(() => w.close());

const options: PassOptions = { dispatcherId: "d", leaseSeconds: 60, only: undefined, limit: 10, dryRun: false };
const claimant = { dispatcherId: "d", leaseSeconds: 60 };
const once = async (change: Partial<PassOptions> = {}, turnsFirst = false) => {
  const items: Record<string, unknown>[] = [];
  const cx = w.context();
  const done = (item: Item) => void items.push({ ...item });
  await pass(
    { cx, store },
    { ...options, ...change },
    { done, stopped: () => false, carrier: inTurn({ cx, store, claimant }, done), turnsFirst, memory: newMemory() },
  );
  return items;
};
const nudge = async (message: string): Promise<string> =>
  (await w.ok(["enqueue-nudge-worker", "t1", "--message", message, "--json"])).command_id;
const expire = (sql = "commands") => store.db.query(`update ${sql} set claim_expires_at = '2020-01-01T00:00:00Z'`).run();
const complete = async (count: number) => {
  for (let i = 0; i < count; i++) pair.worker.append(event({ type: "task_complete", turn_id: `turn-${i}` }, i + 1));
  await w.ok("ingest w1");
};

describe("claims", () => {
  test("go by creation, whatever the precision of the stored time, then by insertion", async () => {
    const [a, b, c] = [await nudge("a"), await nudge("b"), await nudge("c")];
    const at = store.db.query("update commands set created_at = ? where id = ?");
    at.run("2026-01-01T00:00:05.500Z", a);
    at.run("2026-01-01T00:00:05Z", b);
    at.run("2026-01-01T00:00:05.000Z", c);
    expect((await once()).map((item) => item.command_id)).toEqual([b, c, a]);
  });

  test("later availability is waited for", async () => {
    const id = await nudge("later");
    store.db.query("update commands set available_at = '2999-01-01T00:00:00Z'").run();
    expect(await once()).toEqual([]);
    store.db.query("update commands set available_at = '2020-01-01T00:00:00Z'").run();
    expect(await once()).toMatchObject([{ command_id: id, state: "pull_required" }]);
  });

  test("a lease can be prolonged while it is ours, not after it was recovered", async () => {
    await nudge("x");
    const claim = claimNext(store, claimant, ["nudge_worker"])!;
    expect(extendClaim(store, claim, { ...claimant, leaseSeconds: 600 })).toBe(true);
    expect(await once()).toEqual([]);
    expire();
    await once();
    expect(extendClaim(store, claim, claimant)).toBe(false);
  });

  test("who finishes after the lease was lost changes nothing", async () => {
    await nudge("x");
    const claim = claimNext(store, claimant, ["nudge_worker"])!;
    expire();
    await once();
    const before = w.rows("select * from commands");
    expect(endClaim(store, claim, claimant, { state: "succeeded", item: {}, error: null })).toBe(false);
    expect(route({ store, claim, claimant }, (target) => modeOf(store, target))).toMatchObject({
      item: { state: "failed", error_type: "LeaseLost" },
    });
    expect(w.rows("select * from commands")).toEqual(before);
  });

  test("a command tried again takes over the notification that was never sent", async () => {
    const id = await nudge("x");
    store.db.query("update commands set max_attempts = 2").run();
    store.db.query("update sessions set tmux_session = 'gone-tmux' where name = 'w1'").run();
    const claim = claimNext(store, claimant, ["nudge_worker"])!;
    const routed = route({ store, claim, claimant }, (target) => modeOf(store, target));
    expect(routed).toHaveProperty("send");
    expire();
    store.db.query("update sessions set tmux_session = null where name = 'w1'").run();
    expect(await once()).toMatchObject([
      { command_id: id, state: "requeued" },
      { command_id: id, state: "pull_required" },
    ]);
    expect(w.rows("select state, delivery_mode from routed_notifications")).toEqual([
      { state: "delivered", delivery_mode: "pull_required" },
    ]);
  });

  test("of two who recover the same claim one reports it", async () => {
    await nudge("x");
    claimNext(store, claimant, ["nudge_worker"]);
    expire();
    const [a, b] = await Promise.all([once(), once()]);
    expect([...a!, ...b!]).toHaveLength(1);
    expect(w.rows("select count(*) as n from telemetry_events where event_type = 'dispatch_command_abandoned'")).toEqual([{ n: 1 }]);
  });
});

test("a command that is refused before it is routed names the task and what would help", async () => {
  await w.ok(["tasks", "--create", "free one", "--goal", "g"]);
  await w.ok(["enqueue-nudge-worker", "free one", "--message", "a"]);
  await w.ok(["enqueue-nudge-worker", "t1", "--message", "b", "--required-permission", "create_pr"]);
  expect(await once()).toMatchObject([
    {
      state: "failed",
      error: 'task "free one" has no active binding',
      hint: "conveyor bind --task 'free one' --worker NAME --manager NAME; then queue a new command",
    },
    {
      state: "failed",
      error: "permission create_pr is needed and the task has no manager configuration",
      hint: expect.stringContaining("manager-config t1 --permit create_pr"),
    },
  ]);
});

describe("a push that cannot begin", () => {
  test("fails the command and its notification", async () => {
    await nudge("x");
    store.db.query("update sessions set tmux_session = 'gone-tmux' where name = 'w1'").run();
    expect(await once()).toMatchObject([{ state: "failed", side_effect_started: false, delivery_mode: "push", target_session: "w1" }]);
    expect(w.rows("select state, side_effect_started, error is null as silent from routed_notifications")).toEqual([
      { state: "failed", side_effect_started: 0, silent: 0 },
    ]);
  });

  test("leaves a completion pending and free, for the next pass", async () => {
    await complete(1);
    store.db.query("update sessions set tmux_session = 'gone-tmux' where name = 'm1'").run();
    expect(await once()).toMatchObject([{ state: "failed", signal_type: "worker_task_complete" }]);
    expect(w.rows("select state, claimed_by, claimed_at, claim_expires_at, side_effect_started from routed_notifications")).toEqual([
      { state: "pending", claimed_by: null, claimed_at: null, claim_expires_at: null, side_effect_started: 0 },
    ]);
    store.db.query("update sessions set tmux_session = null where name = 'm1'").run();
    expect(await once()).toMatchObject([{ state: "pull_required", recovered: true }]);
  });
});

describe("completions", () => {
  test("only so many are leased as are delivered", async () => {
    await complete(3);
    store.db.query("update sessions set tmux_session = 'gone-tmux' where name = 'm1'").run();
    await once();
    store.db.query("update sessions set tmux_session = null where name = 'm1'").run();
    expect(await once({ limit: 2 })).toHaveLength(2);
    expect(w.rows("select state, claimed_by from routed_notifications order by id")).toEqual([
      { state: "delivered", claimed_by: "d" },
      { state: "delivered", claimed_by: "d" },
      { state: "pending", claimed_by: null },
    ]);
  });

  test("an event missed by the old binding goes to the new one, a routed one never again", async () => {
    await complete(1);
    await once();
    await w.ok("unbind --task t1");
    await complete(1);
    await w.ok("tasks --create t2 --goal Again");
    await w.ok("bind --task t2 --worker w1 --manager m1");
    expect(await once()).toMatchObject([{ task: "t2", state: "pull_required" }]);
    expect(await once()).toEqual([]);
  });

  test("half of a pass is theirs after one that commands filled", async () => {
    for (let i = 0; i < 6; i++) await nudge(`n${i}`);
    await complete(4);
    const kinds = (items: Record<string, unknown>[]) => items.map((item) => (item.command_type === undefined ? "turn" : "command"));
    expect(kinds(await once({ limit: 3 }))).toEqual(["command", "command", "command"]);
    expect(kinds(await once({ limit: 3 }, true))).toEqual(["turn", "turn", "command"]);
  });
});

describe("telemetry", () => {
  test("every event has its search row, and a completion's events share the correlation of its notification", async () => {
    await nudge("x");
    await complete(1);
    await once();
    expect(
      w.rows("select count(*) as n from telemetry_events e left join telemetry_events_fts f on f.event_id = e.id where f.event_id is null"),
    ).toEqual([{ n: 0 }]);
    const [notification] = w.rows<{ correlation_id: string; id: number }>(
      "select id, correlation_id from routed_notifications where signal_type = 'worker_task_complete'",
    );
    const events = w.rows<{ correlation_json: string }>(
      "select correlation_json from telemetry_events where event_type in ('dispatch_signal_detected', 'dispatch_signal_pull_required') and json_extract(correlation_json, '$.source_event_id') is not null",
    );
    expect(events.map(({ correlation_json }) => JSON.parse(correlation_json).correlation_id)).toEqual([
      notification!.correlation_id,
      notification!.correlation_id,
    ]);
  });
});
