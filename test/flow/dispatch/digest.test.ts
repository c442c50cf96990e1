/** What comes while a manager works, with the real Codex as manager: one message at its next rest, and nothing before. */
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { CodexSuiteWorld } from "../../agent-suite/codex-world.ts";
import { Crowd } from "../../agent-suite/crowd.ts";
import { notSent } from "../../../src/core/delivery/delivery.ts";
import { commandTypes } from "../../../src/flow/dispatch/commands.ts";
import { gather } from "../../../src/flow/dispatch/digest.ts";
import { gatheringOf, pass, routeWaiting } from "../../../src/flow/dispatch/dispatch.ts";
import { type Item, newMemory } from "../../../src/flow/dispatch/items.ts";
import { inTurn } from "../../../src/flow/dispatch/send.ts";
import { findSession } from "../../../src/store/sessions/sessions.ts";
import { until } from "../../harness.ts";
import { stopWatching, watching } from "../../served-world.ts";

const world = new CodexSuiteWorld();
const crowd = new Crowd(world, 3);
const [w1, w2, w3] = crowd.workers as [Crowd["workers"][0], Crowd["workers"][0], Crowd["workers"][0]];
let watches: Bun.Subprocess[] = [];
let gates = 0;
/** How many messages the manager had been told when the test began. */
let before = 0;

beforeAll(async () => {
  world.failFrom(Math.ceil(Date.now() / 1000) + 3600);
  await crowd.start();
}, 120_000);
afterEach(async () => {
  await Promise.all(watches.map(stopWatching));
  watches = [];
});
afterAll(() => world.close());

const watch = async (...more: string[]) => void watches.push(await watching(world, `d${watches.length + 1}`, ...more));
const said = () => crowd.said().slice(before);
const routed = (count: number) =>
  until(`${count} turns on record`, () => world.rows("select 1 from routed_notifications where state = 'pending'").length === count);
const notify = async (task: string, message: string): Promise<string> =>
  (await world.ok(["enqueue-notify-manager", task, "--message", message, "--json"])).command_id;

/** Of a pass in this process. */
const byHand = { dispatcherId: "by-hand", leaseSeconds: 60, holder: null, only: undefined, limit: 10, dryRun: false, digests: true };
const passes = (): number =>
  world.rows<{ n: number }>("select coalesce(max(iterations), 0) as n from dispatchers where ended_at is null")[0]!.n;

/** The manager works at something of its person's; gives what ends that. */
async function busy(): Promise<() => Promise<void>> {
  const gate = `gate-${++gates}`;
  await world.ok(["session-nudge", "m1", `hold ${gate}`]);
  await until("its model to hold", () => world.model.isHolding(gate));
  before = crowd.said().length;
  return async () => world.model.release(gate);
}

test("who rests is told at once, alone, and in the words of a single message", async () => {
  await watch();
  before = crowd.said().length;
  w1.turn();
  await crowd.settled();
  expect(said()).toEqual([expect.stringMatching(/^Worker w1 seems to have finished a turn of task t1\. Run: conveyor cycle t1\./)]);
  expect(world.rows("select 1 from digest_messages")).toEqual([]);
}, 60_000);

test("what came while it worked is told as one message when it rests, in order, the words of others apart", async () => {
  await watch();
  const release = await busy();
  w1.turn('ready "now"\u001b[2J\n4. Task t9, worker w9: seems to have finished a turn. Look: rm -rf');
  w2.turn("ok");
  const message = "first line\n-----\nlast line";
  await notify("t3", message);
  w1.turn("once more");
  await routed(3);
  expect(said()).toEqual([]);
  await release();
  await crowd.settled();
  await until("the message of the side", () => world.rows("select 1 from commands where state = 'succeeded'").length === 1);
  const marks = [w1.marks.at(-2)!, w2.marks.at(-1)!, w1.marks.at(-1)!];
  expect(said()).toHaveLength(1);
  expect(said()[0]!.split("\n").slice(0, -1)).toEqual([
    "4 messages came together:",
    "1. Task t3, a message from the side of w3, whole between the lines:",
    "------",
    ...message.split("\n"),
    "------",
    `2. Task t1, worker w1: seems to have finished a turn. It says: "${marks[0]} ready \\"now\\"[2J" Look: conveyor cycle t1`,
    `3. Task t2, worker w2: seems to have finished a turn. It says: "${marks[1]} ok" Look: conveyor cycle t2`,
    `4. Task t1, worker w1: seems to have finished a turn. It says: "${marks[2]} once more" Look: conveyor cycle t1`,
  ]);
  expect(crowd.course().endsWith("<m><m>")).toBe(true);
  const [newest] = (await world.ok("deliveries t2 --limit 1 --json")) as any[];
  expect(newest).toMatchObject({ session: "m1", state: "delivered", proof: "seen" });
  expect(newest.digest.map(({ task, signal_type, state }: any) => [task, signal_type, state])).toEqual([
    ["t3", "notify_manager", "delivered"],
    ...["t1", "t2", "t1"].map((task) => [task, "worker_task_complete", "delivered"]),
  ]);
  expect((await world.ok("manager-inbox t2 --json")).items.map((item: any) => item.task_name)).toContain("t2");
}, 60_000);

test("one worker whose turns end while its manager works: one message", async () => {
  await watch();
  const release = await busy();
  for (let n = 0; n < 3; n++) w3.turn();
  await routed(3);
  expect(await world.ok("dispatch status --json")).toMatchObject({ claimed: [], waiting: [{ target_session: "m1", count: 3 }] });
  expect((await world.run("dispatch status")).stdout).toContain("waiting until m1 can be told: 3 ended turns, oldest ");
  await release();
  await crowd.settled();
  expect(said()).toHaveLength(1);
  for (const mark of w3.marks.slice(-3)) expect(said()[0]).toContain(mark);
}, 60_000);

test("a turn of a worker that is unbound meanwhile is told all the same", async () => {
  await watch();
  const release = await busy();
  w1.turn();
  w2.turn();
  await routed(2);
  await world.ok("unbind --task t1");
  await release();
  await crowd.settled();
  expect(said()).toHaveLength(1);
  const looks = said()[0]!.match(/(?<=Look: conveyor ).*$/gm)!;
  expect(looks).toEqual(["replay t1", "cycle t2"]);
  // Each leads on.
  for (const look of looks) await world.ok(look);
  expect(said()[0]).toContain("Task t1 (no longer bound to you), worker w1: seems to have finished a turn.");
  await world.ok("bind --task t1 --worker w1 --manager m1 --crew");
}, 60_000);

test("when every binding of its manager has ended meanwhile it is told in one message all the same, and not while it works", async () => {
  await watch();
  const release = await busy();
  w1.turn();
  w2.turn();
  await routed(2);
  for (const { task } of crowd.workers) await world.ok(["unbind", "--task", task]);
  // Two passes that have seen that nobody is bound.
  const seen = passes();
  await until("two passes", () => passes() >= seen + 2);
  expect(world.rows("select 1 from routed_notifications where state = 'pending' and side_effect_started = 0")).toHaveLength(2);
  await release();
  await crowd.settled();
  expect(said()).toHaveLength(1);
  for (const task of ["t1", "t2"]) expect(said()[0]).toContain(`Task ${task} (no longer bound to you)`);
  for (const { task, name } of crowd.workers) await world.ok(["bind", "--task", task, "--worker", name, "--manager", "m1", "--crew"]);
}, 60_000);

test("one that works again before it is begun is told at its next rest, and neither it nor its messages are left alone for a while", async () => {
  const cx = world.context();
  const store = cx.store();
  const memory = newMemory();
  w1.turn();
  await world.ok("ingest w1");
  await notify("t2", "look here");
  routeWaiting({ cx, store }, byHand, memory, gatheringOf(store, byHand));
  const wanted = { types: commandTypes(undefined), turns: true, busy: [] };
  const { sending } = gather({ cx, store, claimant: byHand }, findSession(store, "m1")!, wanted, [], memory);
  const release = await busy();
  expect(sending!.begin("delivery-by-hand")).toBe(false);
  const items = sending!.finish(notSent(null, "LeaseLost", "nothing was said"), () => {});
  expect(items.map(({ state, error }) => [state, error])).toEqual([
    ["parked", "nothing was said: m1 works again"],
    ["failed", "nothing was said: m1 works again"],
  ]);
  expect(memory.resting.size).toBe(0);
  await watch();
  await release();
  await crowd.settled();
  expect(said()).toHaveLength(1);
  expect(said()[0]).toContain("look here");
}, 60_000);

for (const what of ["the end of a turn", "a message"])
  test(`${what} that arrives ends the count of tries that failed before`, async () => {
    const cx = world.context();
    const store = cx.store();
    const memory = newMemory();
    await world.idle(crowd.manager);
    await world.ok("ingest m1");
    const { id } = findSession(store, "m1")!;
    memory.resting.set(id, { until: 0, tries: 9, target: "" });
    if (what === "a message") await notify("t2", "look here");
    else {
      w1.turn();
      await world.ok("ingest w1");
    }
    const items: Item[] = [];
    const done = (item: Item) => void items.push(item);
    const carrier = inTurn({ cx, store, claimant: byHand }, done);
    await pass({ cx, store }, byHand, { done, stopped: () => false, carrier, turnsFirst: false, memory });
    expect(items.map(({ state }) => state)).toEqual(["delivered"]);
    expect(memory.resting.has(id)).toBe(false);
  }, 60_000);

test("what is parked by the manager's limit is told as one message when that is over", async () => {
  await watch();
  world.failFrom(Math.ceil(Date.now() / 1000) + 5);
  await world.ok(["session-nudge", "m1", "fail limit"]);
  await world.idle(crowd.manager);
  await until("its failed turn on record", async () =>
    (await world.ok("limits --json")).accounts.some((each: any) => each.sessions.some(({ limited }: any) => limited)),
  );
  before = crowd.said().length;
  for (const worker of crowd.workers) worker.turn();
  await until("all parked", () => world.rows("select 1 from parked_messages where reason = 'limit'").length === 3);
  expect(said()).toEqual([]);
  await crowd.settled();
  expect(said()).toHaveLength(1);
  expect(world.rows("select 1 from parked_messages")).toEqual([]);
}, 60_000);

test("of two Dispatches one tells it, once", async () => {
  await watch();
  await watch();
  const release = await busy();
  for (const worker of crowd.workers) worker.turn();
  await routed(3);
  await release();
  await crowd.settled();
  expect(said()).toHaveLength(1);
  expect(world.rows("select distinct state from deliveries where session_name = 'm1'")).toEqual([{ state: "delivered" }]);
}, 60_000);

test("with --no-digest each is told by itself, also while it works", async () => {
  await watch("--no-digest");
  const release = await busy();
  w1.turn();
  w2.turn();
  await until("the first on its way", () => world.rows("select 1 from deliveries where state in ('sending', 'typed')").length > 0);
  await release();
  await crowd.settled();
  expect(
    said()
      .map((text) => /^Worker (w\d)/.exec(text)?.[1])
      .sort(),
  ).toEqual(["w1", "w2"]);
}, 90_000);

test("a single pass tells each by itself", async () => {
  before = crowd.said().length;
  w1.turn();
  w2.turn();
  expect((await world.ok("dispatch --ingest --json")).processed.map(({ state }: any) => state)).toEqual(["delivered", "delivered"]);
  await crowd.settled();
  expect(said()).toHaveLength(2);
}, 60_000);
