/** Waiting: each reason that is so before, and each that comes while somebody waits, told once; several targets; what follows where. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { renameSync, rmSync } from "node:fs";
import { appendFileSync, cpSync } from "node:fs";
import { addDelivery, endDelivery } from "../../../src/store/deliveries.ts";
import { strike, until, World } from "../../harness.ts";
import { showing, tmux } from "../../panes.ts";
import { boundPair, event, meta, type Pair, rollout } from "../../rollout.ts";

let w: World;
let pair: Pair;
const children: Bun.Subprocess[] = [];

/** A process that is somebody's agent, as far as its number goes. */
function stand(): number {
  const child = Bun.spawn(["sleep", "1000"], { stdio: ["ignore", "ignore", "ignore"] });
  children.push(child);
  return child.pid;
}

const STARTED = event({ type: "task_started", turn_id: "a" });
const ENDED = event({ type: "task_complete", turn_id: "a", last_agent_message: "done" });
const FAILED = event({
  type: "task_complete",
  turn_id: "a",
  error: { message: "You've hit your usage limit.", codex_error_info: "usage_limit_exceeded" },
});

beforeEach(async () => {
  w = new World();
  w.realTime = true;
});
afterEach(() => {
  strike(...children.splice(0).map(({ pid }) => pid));
  w.close();
});

const waiting = (words: string) => w.run(`wait ${words}`);
/** It is not so by now: the cursor from which it may become so. */
async function notYet(words: string): Promise<string> {
  const done = await waiting(`${words} --timeout 0`);
  if (done.exit !== 3) throw new Error(`${words}: ${done.stdout}${done.stderr}`);
  return done.json().cursor;
}

const unsure = (name: string): void => {
  const store = w.store();
  const { id } = store.db.query<{ id: string }, [string]>("select id from sessions where name = ?").get(name)!;
  const { task } = store.db.query<{ task: string }, []>("select id as task from tasks where name = 't1'").get()!;
  const delivery = store.newId("delivery");
  addDelivery(
    store,
    {
      id: delivery,
      origin: "session-nudge",
      session_id: id,
      session_name: name,
      task_id: task,
      command_id: null,
      notification_id: null,
      client_id: delivery,
      transport: "tmux",
      state: "sending",
      proof: "pending",
      text_digest: "d",
      text_lines: 1,
      text_length: 1,
      thread_id: null,
      rollout_path: null,
      start_offset: null,
      side_effect_started: 1,
      sender_pid: process.pid,
      error: null,
    },
    [],
  );
  endDelivery(
    store,
    delivery,
    { state: "unknown", proof: "pending", sideEffectStarted: true, sideEffectCompleted: false, error: "no sign of it", lookedTo: null },
    [],
  );
};

const message = async (): Promise<void> => {
  await w.ok(["enqueue-notify-manager", "t1", "--message", "look here"]);
  await w.ok("dispatch");
};

describe("each reason, before and meanwhile", () => {
  let pid: number;
  beforeEach(async () => {
    pid = stand();
    pair = await boundPair(w, { worker: meta() + STARTED, pid });
  });

  const cases: readonly (readonly [reason: string, come: () => unknown, target: string])[] = [
    ["idle", () => pair.worker.append(ENDED), "w1"],
    ["idle", () => pair.worker.append(event({ type: "turn_aborted", turn_id: "a", reason: "interrupted" })), "t1"],
    ["failed", () => pair.worker.append(FAILED), "t1"],
    ["limit", () => pair.worker.append(FAILED), "w1"],
    ["crashed", () => strike(pid), "t1"],
    ["gone", () => strike(pid), "w1"],
    [
      "gone",
      async () => {
        await w.ok("unbind --task t1");
        await w.ok("deregister w1");
      },
      "w1",
    ],
    ["done", () => w.ok(["finish-task", "t1", "--reason", "enough"]), "t1"],
    ["done", () => w.ok(["stop-task", "t1", "--reason", "given up"]), "w1"],
    ["message", message, "t1"],
    ["message", message, "m1"],
    ["uncertain", () => unsure("w1"), "w1"],
    ["uncertain", () => unsure("w1"), "t1"],
  ];
  for (const [at, [reason, come, target]] of cases.entries())
    test(`${reason} of ${target} (${at})`, async () => {
      const cursor = await notYet(`${target} --until ${reason}`);
      const meanwhile = waiting(`${target} --until ${reason} --since ${cursor} --timeout 60`);
      await come();
      const reached = await meanwhile;
      expect([reached.exit, reached.stderr]).toEqual([0, ""]);
      const told = reached.json();
      expect(told).toMatchObject({ reason, target, timed_out: false });
      expect(told.facts).toHaveLength(1);
      // Once: neither again with its cursor, nor lost to who had the one before, or none.
      await notYet(`${target} --until ${reason} --since ${told.cursor}`);
      for (const since of [`--since ${cursor}`, ""]) {
        const before = await waiting(`${target} --until ${reason} ${since} --timeout 60`);
        expect(before.json()).toMatchObject({ reason, facts: told.facts.map(({ details: _, ...fact }: any) => fact) });
      }
    }, 60_000);

  test("stalled: once both have rested for ten minutes, which time alone brings about", async () => {
    const now = new Date().toISOString();
    const at = (text: string, when: string) => text.replace("2020-01-01T00:00:01.000Z", when);
    pair.worker.append(at(ENDED, now));
    pair.manager.append(at(STARTED + ENDED, now));
    await w.ok("ingest m1");
    const cursor = await notYet("t1 --until stalled");
    const old = "2020-01-01T00:00:00.000Z";
    // The pair was bound long ago, and its turns ended a little less than ten minutes before now.
    w.store().db.query("update bindings set created_at = ?").run(old);
    w.store()
      .db.query("update codex_events set timestamp = ? where subtype = 'task_complete'")
      .run(new Date(Date.now() - 600_000 + 1500).toISOString());
    const reached = await waiting(`t1 --until stalled --since ${cursor} --timeout 60`);
    expect(reached.json()).toMatchObject({ reason: "stalled", target: "t1" });
    await notYet(`t1 --until stalled --since ${reached.json().cursor}`);
  }, 60_000);
});

describe("what counts", () => {
  beforeEach(async () => {
    pair = await boundPair(w, { worker: meta() + STARTED });
  });

  test("several at once are told together, the most telling first", async () => {
    const cursor = await notYet("t1 --until idle,failed,limit,message");
    pair.worker.append(FAILED);
    await message();
    const told = (await waiting(`t1 --until idle,failed,limit,message --since ${cursor}`)).json();
    expect(told.reason).toBe("limit");
    const rest = told.facts.map(({ reason }: { reason: string }) => reason);
    const more = rest.includes("message") ? [] : (await waiting(`t1 --until message --since ${told.cursor}`)).json().facts;
    expect([...rest, ...more.map(({ reason }: { reason: string }) => reason)]).toEqual(["limit", "failed", "message", "idle"]);
  });

  test("a turn that ended and was followed by another is told of, and that it has gone on", async () => {
    const cursor = await notYet("w1 --until idle");
    pair.worker.append(ENDED + event({ type: "task_started", turn_id: "b" }));
    const told = (await waiting(`w1 --until idle --since ${cursor} --timeout 60`)).json();
    expect(told.facts).toMatchObject([{ still: false, details: { turn: "completed", now: { turn: "open" } } }]);
    await notYet(`w1 --until idle --since ${told.cursor}`);
    await notYet("w1 --until idle");
  });

  test("a message that somebody has taken meanwhile wakes nobody", async () => {
    const cursor = await notYet("t1 --until message");
    await message();
    await w.ok("manager-inbox t1 --consume-next --json");
    await notYet(`t1 --until message --since ${cursor}`);
  });

  test("a message that had its row before the cursor and is delivered after it", async () => {
    await w.ok(["enqueue-notify-manager", "t1", "--message", "late"]);
    await w.ok("dispatch");
    const { db } = w.store();
    db.run("update routed_notifications set state = 'pending', delivered_at = null");
    const cursor = await notYet("t1 --until message");
    db.run("update routed_notifications set state = 'delivered'");
    const told = (await waiting(`t1 --until message --since ${cursor} --timeout 60`)).json();
    expect(told.facts).toMatchObject([{ details: { message: "late" } }]);
    await notYet(`t1 --until message --since ${told.cursor}`);
  });

  test("--all: when each has reached one, whether it still is so or not; a time-out on the way loses none of them", async () => {
    const other = await rollout(w, meta("33333333-3333-4333-8333-333333333333") + STARTED, "33333333-3333-4333-8333-333333333333");
    await w.ok(["register-worker", "--name", "w2", "--pid", String(process.pid), "--codex-session", other.path, "--cwd", w.work]);
    pair.worker.append(ENDED);
    const cursor = await notYet("w1 w2 --all --until idle");
    pair.worker.append(event({ type: "task_started", turn_id: "b" }));
    const again = await notYet(`w1 w2 --all --until idle --since ${cursor}`);
    pair.worker.append(event({ type: "task_complete", turn_id: "b" }));
    const reached = waiting(`w1 w2 --all --until idle --since ${again} --timeout 60`);
    other.append(ENDED);
    const told = (await reached).json();
    expect(new Set(told.facts.map(({ target }: { target: string }) => target))).toEqual(new Set(["w1", "w2"]));
    await notYet(`w1 w2 --until idle --since ${told.cursor}`);
  });

  test("without a target a task that has ended between two waits is told of", async () => {
    const cursor = await notYet("--until done");
    await w.ok(["finish-task", "t1", "--reason", "enough"]);
    const told = (await waiting(`--until done --since ${cursor}`)).json();
    expect(told).toMatchObject({ reason: "done", target: "t1" });
    const refused = await waiting(`--until done --since ${told.cursor}`);
    expect([refused.exit, refused.stderr]).toEqual([1, expect.stringContaining("no task has an open binding")]);
  });

  test("a binding that begins while everything is waited for counts, too", async () => {
    const cursor = await notYet("--until idle");
    const third = "44444444-4444-4444-8444-444444444444";
    const other = await rollout(w, meta(third) + STARTED, third);
    const manager = "55555555-5555-4555-8555-555555555555";
    const theirs = await rollout(w, meta(manager), manager);
    const reached = waiting(`--until idle --since ${cursor} --timeout 60`);
    for (const [role, name, path] of [
      ["worker", "w2", other.path],
      ["manager", "m2", theirs.path],
    ] as const)
      await w.ok([`register-${role}`, "--name", name, "--pid", String(process.pid), "--codex-session", path, "--cwd", w.work]);
    await w.ok(["tasks", "--create", "t2", "--goal", "Another"]);
    await w.ok(["bind", "--task", "t2", "--worker", "w2", "--manager", "m2"]);
    other.append(ENDED);
    expect((await reached).json()).toMatchObject({ reason: "idle", target: "t2" });
  });
});

describe("what changes under it", () => {
  test("the sessions folder is replaced: the next commit finds what was written since", async () => {
    pair = await boundPair(w, { worker: meta() + STARTED });
    const cursor = await notYet("w1 --until idle");
    const reached = waiting(`w1 --until idle --since ${cursor} --timeout 60`);
    const sessions = `${w.dir}/codex/sessions`;
    cpSync(sessions, `${sessions}-new`, { recursive: true });
    renameSync(sessions, `${sessions}-old`);
    renameSync(`${sessions}-new`, sessions);
    appendFileSync(pair.worker.path, ENDED);
    // Somebody else reads it.
    await w.ok("ingest w1");
    expect((await reached).json()).toMatchObject({ reason: "idle" });
  });

  test("a Dispatch that comes, tells the manager and goes", async () => {
    pair = await boundPair(w, { worker: meta() + STARTED });
    const cursor = await notYet("t1 --until message");
    const reached = waiting(`t1 --until message --since ${cursor} --timeout 60`);
    pair.worker.append(ENDED.replace("2020-01-01T00:00:01.000Z", new Date(Date.now() + 1000).toISOString()));
    await w.ok("dispatch --ingest");
    expect((await reached).json().facts).toMatchObject([{ reason: "message", details: { signal_type: "worker_task_complete" } }]);
  });

  test("the database is moved away: one clear sentence, and no hang", async () => {
    pair = await boundPair(w);
    const cursor = await notYet("t1 --until message");
    const done = waiting(`t1 --until message --since ${cursor} --timeout 60`);
    await message().catch(() => {});
    await done;
    const left = waiting(`t1 --until failed --timeout 60`);
    await Bun.sleep(0);
    renameSync(w.stateRoot, `${w.stateRoot}-away`);
    const { exit, stderr } = await left;
    expect([exit, stderr]).toEqual([1, expect.stringContaining("was moved away or removed")]);
    rmSync(`${w.stateRoot}-away`, { recursive: true });
  });

  test("tmux is killed under a session, and another server is there later: gone, and its page once it is back", async () => {
    await showing(w, "one", "› \n");
    pair = await boundPair(w, { worker: meta() + STARTED, extra: ["--tmux-session", "one"] });
    const { db } = w.store();
    // No process is on record: its terminal alone tells.
    db.run("update sessions set pid = null where name = 'w1'");
    const cursor = await notYet("w1 --until gone,question");
    const reached = waiting(`w1 --until gone,question --since ${cursor} --timeout 60`);
    tmux(w, "kill-server");
    const told = (await reached).json();
    expect(told).toMatchObject({ reason: "gone" });
    const next = waiting(`w1 --until gone,question --since ${told.cursor} --timeout 60`);
    await showing(
      w,
      "one",
      "Do you trust the contents of this directory?\n\n› 1. Yes, continue\n  2. No, quit\n\n  Press enter to continue\n",
    );
    db.run("update sessions set tmux_pane_id = null where name = 'w1'");
    await until("its end", async () => (await next) !== null, 60);
    expect((await next).json()).toMatchObject({ reason: "question" });
  }, 60_000);
});
