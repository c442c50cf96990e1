/** Inboxes: waiting wakes on a commit, two who consume get different items, consuming is tied to its loop run. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { until, World } from "../../harness.ts";
import { boundPair } from "../../rollout.ts";

let w: World;
beforeEach(async () => {
  w = new World();
  w.realTime = true;
  await boundPair(w);
});
afterEach(() => w.close());

const nudge = async (message: string) => {
  await w.ok(["enqueue-nudge-worker", "t1", "--message", message]);
  await w.ok("dispatch");
};

describe("--wait", () => {
  test("wakes with the commit, long before its interval", async () => {
    const waiting = w.ok("worker-inbox t1 --consume-next --wait --timeout 50 --interval 50 --json");
    await until("its first look", () => w.rows("select 1 from inbox_polls").length > 0);
    await nudge("hello");
    const { consumed, wait } = await waiting;
    expect(consumed.payload.message).toBe("hello");
    expect(wait).toMatchObject({ timed_out: false, enabled: true });
    expect(wait.poll_count).toBeGreaterThan(1);
  });

  test("listing waits too, and takes nothing", async () => {
    const waiting = w.ok("worker-inbox t1 --wait --timeout 50 --interval 50 --json");
    await nudge("hello");
    expect((await waiting).items).toHaveLength(1);
    expect(await w.ok("worker-inbox t1 --json")).toMatchObject({ consumed: null, items: [{ payload: { message: "hello" } }] });
  });

  test("a commit that brings nothing for this session lets it sleep on", async () => {
    const waiting = w.ok("manager-inbox t1 --wait --timeout 50 --interval 50 --json");
    await nudge("for the worker");
    await w.ok(["enqueue-notify-manager", "t1", "--message", "for the manager"]);
    await w.ok("dispatch");
    expect((await waiting).items).toMatchObject([{ payload: { message: "for the manager" } }]);
  });

  test("what is there already is taken at the first look", async () => {
    await nudge("early");
    expect(await w.ok("worker-inbox t1 --consume-next --wait --json")).toMatchObject({
      consumed: { payload: { message: "early" } },
      wait: { poll_count: 1 },
    });
  });
});

test("many who consume at once get each item once", async () => {
  for (let i = 0; i < 6; i++) await w.ok(["enqueue-nudge-worker", "t1", "--message", `m${i}`]);
  await w.ok("dispatch");
  const taken = await Promise.all(Array.from({ length: 8 }, () => w.ok("session-inbox w1 --consume-next --wait --timeout 0 --json")));
  expect(taken.flatMap(({ consumed }) => (consumed ? [consumed.payload.message] : [])).sort()).toEqual([
    "m0",
    "m1",
    "m2",
    "m3",
    "m4",
    "m5",
  ]);
});

test("times of different precision are put in the order of instants", async () => {
  await nudge("first");
  await nudge("second");
  const [a, b] = w.rows<{ id: number }>("select id from routed_notifications order by id").map(({ id }) => id);
  const { db } = w.store();
  db.query("update routed_notifications set created_at = '2026-01-01T00:00:05Z' where id = ?").run(b!);
  db.query("update routed_notifications set created_at = '2026-01-01T00:00:05.500Z' where id = ?").run(a!);
  const { items } = await w.ok("worker-inbox t1 --json");
  expect(items.map((item: { payload: { message: string } }) => item.payload.message)).toEqual(["second", "first"]);
});

test("text shows the consumed message and how many are left", async () => {
  await nudge("one\ntwo");
  await nudge("three");
  const { stdout } = await w.run("worker-inbox t1 --consume-next");
  expect(stdout).toContain("inbox of w1 (task t1)");
  expect(stdout).toContain("consumed #");
  expect(stdout).toContain("    two");
  expect(stdout).toContain("1 pending");
  await w.ok("worker-inbox t1 --consume-next");
  expect((await w.run("session-inbox w1")).stdout).toContain("no pending items");
});
