/** What is for a session at its limit, or for the worker of a task over its budget, is parked: not failed, not counted, and nobody else's. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { limitedUntil } from "../../../src/store/attention/limits.ts";
import { overBudget } from "../../../src/store/attention/budgets.ts";
import { claimResume, resumables } from "../../../src/store/attention/resumes.ts";
import { findSession } from "../../../src/store/sessions/sessions.ts";
import { World } from "../../harness.ts";
import { boundPair, meta, type Pair, rollout, THREAD } from "../../rollout.ts";

let w: World;
let pair: Pair;
beforeEach(async () => {
  w = new World();
  pair = await boundPair(w);
});
afterEach(() => w.close());

const line = (payload: object): string => `${JSON.stringify({ timestamp: new Date(w.clock).toISOString(), type: "event_msg", payload })}\n`;
const SPENT = { message: "You’ve hit your usage limit.", codex_error_info: "usage_limit_exceeded" };
const begins = (): string => line({ type: "task_started", turn_id: "t" });
const ends = (error: object | null = null): string => line({ type: "task_complete", turn_id: "t", last_agent_message: null, error });
const told = (used_percent: number, resetsAt: number | null, window_minutes = 300): string =>
  line({
    type: "token_count",
    info: null,
    rate_limits: { primary: { used_percent, window_minutes, resets_at: resetsAt }, secondary: null },
  });
const used = (total: number, cached: number): string => {
  const total_token_usage = {
    input_tokens: total,
    cached_input_tokens: cached,
    output_tokens: 0,
    reasoning_output_tokens: 0,
    total_tokens: total,
  };
  return line({ type: "token_count", info: { total_token_usage } });
};
const HOUR = 3_600_000;
/** The next whole second, and an hour. */
const inAnHour = (): number => Math.ceil(w.clock / 1000) * 1000 + HOUR;
const iso = (ms: number): string => new Date(ms).toISOString();

async function dies(side: "worker" | "manager", resetsAt: number | null): Promise<void> {
  pair[side].append(begins() + (resetsAt === null ? "" : told(100, resetsAt / 1000)) + ends(SPENT));
  await w.ok(`ingest ${side === "worker" ? "w1" : "m1"}`);
}
const nudge = async (message: string, task = "t1"): Promise<string> =>
  (await w.ok(["enqueue-nudge-worker", task, "--message", message, "--json"])).command_id;
const once = async (): Promise<Record<string, any>[]> => (await w.ok("dispatch --once --limit 100 --json")).processed;
const command = (id: string) => w.rows("select state, attempts, available_at, error from commands where id = ?", id)[0]!;
const limited = (name: string) => limitedUntil(w.store(), findSession(w.store(), name)!, w.clock);

test("what was gone on with before the clock was set back keeps no other session of the account waiting", async () => {
  const resets = inAnHour();
  await dies("worker", resets);
  await dies("manager", resets);
  w.clock = resets + 24 * HOUR;
  const [first] = resumables(w.store(), 0);
  expect(claimResume(w.store(), first!, 0, null)).toBe(true);
  expect(resumables(w.store(), 0).map(({ due }) => due > w.clock)).toEqual([true]);
  w.clock = resets + HOUR;
  expect(resumables(w.store(), 0).map(({ due }) => due <= w.clock)).toEqual([true]);
});

test("two sessions of one account are gone on with thirty seconds apart, whoever is first", async () => {
  const resets = inAnHour();
  await dies("worker", resets);
  await dies("manager", resets);
  w.clock = resets;
  const [first, second] = resumables(w.store(), 0);
  expect([first!.session.name, second!.session.name]).toEqual(["w1", "m1"]);
  expect(claimResume(w.store(), second!, 0, null)).toBe(true);
  const claimed = Date.parse(w.rows<{ at: string }>("select claimed_at as at from limit_resumes")[0]!.at);
  expect(claimResume(w.store(), first!, 0, null)).toBe(false);
  expect(resumables(w.store(), 0).map(({ session, due }) => [session.name, due])).toEqual([["w1", claimed + 30_000]]);
  w.clock = claimed + 29_990;
  expect(claimResume(w.store(), first!, 0, null)).toBe(false);
  w.clock = claimed + 30_000;
  expect(claimResume(w.store(), first!, 0, null)).toBe(true);
  expect(resumables(w.store(), 0)).toEqual([]);
});

describe("a worker at its limit", () => {
  test("needs a person under one name, also when the limit is over and it may be gone on with; else as one that failed", async () => {
    const resets = inAnHour();
    await dies("worker", resets);
    // That no Dispatch runs to tell its manager is another thing.
    const pressing = async () =>
      (await w.ok("attention --json")).items.flatMap(({ kind, id, resets_at, weight }: any) =>
        weight === "now" && kind !== "no_dispatch" ? [{ kind, id, resets_at }] : [],
      );
    const [limit, ...more] = await pressing();
    expect([limit, more]).toEqual([{ kind: "limit", id: expect.stringMatching(/^limit:/), resets_at: iso(resets) }, []]);
    w.clock = resets + 60_000;
    expect(await pressing()).toEqual([{ ...limit, resets_at: null }]);
    w.clock = resets + 601_000;
    expect(await pressing()).toMatchObject([{ kind: "failed" }]);
  });

  test("what is for it stays pending until the reset, uncounted and without an attempt, and then goes on", async () => {
    const resets = inAnHour();
    await dies("worker", resets);
    const id = await nudge("go on");
    expect(await once()).toContainEqual(
      expect.objectContaining({ command_id: id, state: "parked", reason: "limit", available_at: iso(resets), target_session: "w1" }),
    );
    expect(command(id)).toEqual({ state: "pending", attempts: 0, available_at: iso(resets), error: null });
    expect(w.rows("select 1 from command_attempts")).toEqual([]);
    expect(await w.ok("replay t1")).toContain(`nudge_worker for w1 waits: w1 is at its usage limit until ${iso(resets)}`);
    expect(limited("w1")).toEqual({ limited: true, resets_at: iso(resets), since: expect.any(String) });
    expect((await once()).filter(({ command_id }) => command_id === id)).toEqual([]);
    expect((await w.ok("dispatch status --json")).parked).toEqual({ count: 1, next_at: iso(resets) });
    expect((await w.run("dispatch status")).stdout).toContain(`parked: 1, the first until ${iso(resets)}`);
    w.clock = resets;
    expect(limited("w1").limited).toBe(false);
    expect(await once()).toContainEqual(expect.objectContaining({ command_id: id, state: "pull_required" }));
    expect(command(id)).toMatchObject({ state: "succeeded", attempts: 1, available_at: iso(resets) });
    expect(w.rows("select 1 from parked_messages")).toEqual([]);
  });

  test("others' messages are not held up, however many are parked before them", async () => {
    const other = "33333333-3333-4333-8333-333333333333";
    const third = "44444444-4444-4444-8444-444444444444";
    for (const [name, role, thread] of [
      ["w2", "worker", other],
      ["m2", "manager", third],
    ] as const) {
      const { path } = await rollout(w, meta(thread), thread);
      await w.ok([`register-${role}`, "--name", name, "--pid", String(process.pid), "--codex-session", path, "--cwd", w.work]);
    }
    await w.ok("tasks --create t2 --goal g");
    await w.ok("bind --task t2 --worker w2 --manager m2");
    await dies("worker", inAnHour());
    for (let n = 0; n < 15; n++) await nudge(`held ${n}`);
    const free = await nudge("free", "t2");
    const manager = (await w.ok(["enqueue-notify-manager", "t1", "--message", "free too", "--json"])).command_id;
    await once();
    expect([free, manager].map((id) => command(id).state)).toEqual(["succeeded", "succeeded"]);
    expect(w.rows("select count(*) as n from commands where state = 'pending'")).toEqual([{ n: 15 }]);
  });

  test("a person who goes on first lets all of it go at once", async () => {
    await dies("worker", inAnHour());
    const id = await nudge("go on");
    await once();
    pair.worker.append(begins());
    // Not told of yet: whoever would hold it back looks again.
    const late = await nudge("and this");
    expect(await once()).toContainEqual(expect.objectContaining({ command_id: late, state: "pull_required" }));
    expect(await once()).toContainEqual(expect.objectContaining({ command_id: id, state: "pull_required" }));
    expect(limited("w1")).toEqual({ limited: false, resets_at: null, since: null });
  });

  test("without a known end one message tries it after five minutes, and the others wait how it fares", async () => {
    await dies("worker", null);
    const [first, second] = [await nudge("first"), await nudge("second")];
    await once();
    expect(limited("w1")).toMatchObject({ limited: true, resets_at: null });
    const look = Date.parse(String(command(first).available_at));
    expect(look).toBeLessThanOrEqual(w.clock + 5 * 60_000);
    w.clock = look - 10;
    expect(await once()).toEqual([]);
    w.clock = look;
    pair.worker.append(begins());
    await w.ok("ingest w1");
    // Its turn runs: whether the limit is over is not known yet.
    expect(await once()).toEqual([]);
    expect(command(second).state).toBe("pending");
    pair.worker.append(ends(SPENT));
    await w.ok("ingest w1");
    await once();
    expect(Date.parse(String(command(first).available_at))).toBeGreaterThan(look);
    expect(command(first)).toMatchObject({ state: "pending", attempts: 0 });
    pair.worker.append(begins() + ends());
    await w.ok("ingest w1");
    expect((await once()).filter(({ command_id, state }) => command_id && state === "pull_required")).toHaveLength(2);
  });

  test("a reset that cannot be is none, and one told to a session of the same account is", async () => {
    for (const absurd of [-1, Date.parse("9999-01-01T00:00:00Z"), 1e300]) {
      await dies("worker", absurd);
      expect(limited("w1")).toMatchObject({ limited: true, resets_at: null });
    }
    const resets = inAnHour();
    pair.manager.append(told(100, resets / 1000));
    await w.ok("ingest m1");
    expect(limited("w1")).toMatchObject({ limited: true, resets_at: iso(resets) });
  });

  test("a record that claims to be of the future holds nothing up beyond what could be", async () => {
    pair.worker.append(
      line({ type: "task_started" }) +
        `${JSON.stringify({ timestamp: "9999-01-01T00:00:00Z", type: "event_msg", payload: { type: "task_complete", error: SPENT } })}\n`,
    );
    await w.ok("ingest w1");
    const id = await nudge("go on");
    await once();
    expect(Date.parse(String(command(id).available_at))).toBeLessThanOrEqual(w.clock + 5 * 60_000);
  });
});

describe("a manager at its limit", () => {
  test("hears of its worker's turn when the limit is over: the notification is parked by a row of its own", async () => {
    const resets = inAnHour();
    await dies("manager", resets);
    pair.worker.append(begins() + ends());
    await w.ok("ingest w1");
    expect(await once()).toMatchObject([{ signal_type: "worker_task_complete", state: "parked", reason: "limit" }]);
    const [row] = w.rows<{ id: number }>("select id, state, claimed_by, side_effect_started from routed_notifications");
    expect(row).toMatchObject({ state: "pending", claimed_by: null, side_effect_started: 0 });
    expect(w.rows("select message, reason, until from parked_messages")).toEqual([
      { message: `notification-${row!.id}`, reason: "limit", until: iso(resets) },
    ]);
    expect(await once()).toEqual([]);
    expect((await w.ok("manager-inbox t1 --json")).items).toEqual([]);
    w.clock = resets;
    expect(await once()).toMatchObject([{ notification_id: row!.id, state: "pull_required" }]);
    expect((await w.ok("manager-inbox t1 --json")).items).toHaveLength(1);
  });
});

describe("a budget", () => {
  const over = () => overBudget(w.store(), w.rows<{ id: string }>("select id from tasks")[0]!.id);

  test("counts tokens once and without the cached ones; over it the worker is told nothing, by nudges neither", async () => {
    await w.ok("budget t1 --tokens 1000 --json");
    pair.worker.append(used(5000, 4500));
    await w.ok("ingest w1");
    expect(await w.ok("budget t1 --json")).toMatchObject({ tokens_used: 500, tokens_cached: 4500, over: false });
    pair.worker.append(used(5000, 4500) + used(6000, 4600));
    await w.ok("ingest w1");
    expect(await w.ok("budget t1 --json")).toMatchObject({ tokens_used: 1400, tokens_cached: 4600, over: true, until: null });
    expect((await w.run("budget t1")).stdout).toContain("tokens: 1400 of 1000 used, besides 4600 that were cached\n");
    const id = await nudge("queued");
    expect(await once()).toContainEqual(expect.objectContaining({ command_id: id, state: "parked", reason: "budget", available_at: null }));
    expect(command(id)).toMatchObject({ state: "pending", attempts: 0 });
    w.store().db.run("update sessions set tmux_session = 'pane' where name = 'w1'");
    const said = await w.ok(["session-nudge", "w1", "spoken"]);
    expect(said).toMatchObject({
      delivery_id: null,
      side_effect_started: false,
      parked: { reason: "budget", command_id: expect.any(String) },
    });
    w.store().db.run("update sessions set tmux_session = null where name = 'w1'");
    expect(w.rows("select 1 from deliveries")).toEqual([]);
    const manager = (await w.ok(["enqueue-notify-manager", "t1", "--message", "to the manager", "--json"])).command_id;
    await once();
    expect(command(manager).state).toBe("succeeded");
    expect((await w.ok("budget t1 --json")).parked).toBe(2);
    expect((await w.run("budget t1")).stdout).toContain("2 messages for its worker wait\n");
    await w.ok("budget t1 --tokens 100000");
    expect((await once()).filter(({ state }) => state === "pull_required")).toHaveLength(2);
  });

  test("of a window is the account's, and is over by itself when that is full again", async () => {
    const resets = inAnHour();
    await w.ok("budget t1 --window 80");
    expect(over()).toMatchObject({ over: false });
    pair.worker.append(told(79, resets / 1000));
    await w.ok("ingest w1");
    expect(over().over).toBe(false);
    pair.worker.append(told(80, resets / 1000));
    await w.ok("ingest w1");
    expect(over()).toMatchObject({ over: true, until: iso(resets), why: expect.stringContaining("80 %") });
    const id = await nudge("later");
    await once();
    expect(command(id)).toMatchObject({ state: "pending", available_at: iso(resets) });
    w.clock = resets;
    expect(over().over).toBe(false);
    expect(await once()).toContainEqual(expect.objectContaining({ command_id: id, state: "pull_required" }));
  });

  test("is a positive number, and only a person clears it", async () => {
    for (const words of [
      "--tokens 0",
      "--tokens -5",
      "--tokens NaN",
      "--tokens 1e99",
      "--tokens 99999999999999999999",
      "--window 0",
      "--window 101",
      "--window -1",
      "--window NaN",
      "--window Infinity",
      "--show --clear",
      "--clear --tokens 5",
      "--show --tokens 5",
    ])
      expect([words, (await w.run(`budget t1 ${words}`)).exit]).toEqual([words, 2]);
    expect(w.rows("select 1 from task_budgets")).toEqual([]);
    expect(await w.run("budget nothing")).toMatchObject({ exit: 1 });
    await w.ok("budget t1 --tokens 5 --window 50");
    expect((await w.ok("budget t1 --tokens 7 --json")).budget).toMatchObject({ tokens: 7, window_percent: 50 });
    const asWorker = { env: { CODEX_THREAD_ID: THREAD.worker } };
    const refused = await w.run("budget t1 --clear", asWorker);
    expect([refused.exit, refused.stderr]).toEqual([1, expect.stringContaining("only a person clears")]);
    w.store().db.run("update sessions set pid = null");
    expect((await w.ok("budget t1 --clear --json")).budget).toBeNull();
    expect(w.rows("select type from events where type like 'budget%'")).toEqual([
      { type: "budget_set" },
      { type: "budget_set" },
      { type: "budget_cleared" },
    ]);
  });
});

describe("limits", () => {
  test("are told by account and window, newest first told wins, and unknown is unknown", async () => {
    const resets = inAnHour();
    expect((await w.ok("limits --json")).accounts).toMatchObject([
      { agent: "codex", home: w.env.CODEX_HOME, state: "unknown", windows: [], sessions: [{ session: "w1" }, { session: "m1" }] },
    ]);
    expect(await w.ok("limits")).toContain("unknown");
    pair.worker.append(told(40, resets / 1000));
    pair.manager.append(told(41.5, resets / 1000));
    const [account] = (await w.ok("limits --json")).accounts;
    expect(account.windows).toMatchObject([
      { window: "primary", used_percent: 41.5, window_minutes: 300, resets_at: iso(resets), state: "told", told_by: "m1" },
    ]);
    expect((await w.ok("cycle t1")).limits).toMatchObject({
      worker: { limited: false, parked: 0, windows: [{ used_percent: 41.5 }] },
      manager: { limited: false },
    });
    const table = (await w.run("limits", { ttyOut: true })).stdout;
    expect(table).toMatch(/codex .* primary +5 h +41\.5 %/);
    w.clock = resets + 1;
    expect((await w.ok("limits --json")).accounts[0].windows).toMatchObject([{ used_percent: null, resets_at: null, state: "unknown" }]);
    expect(await w.ok("limits")).not.toMatch(/ 0 %/);
  });
});
