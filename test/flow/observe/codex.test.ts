/** The real Codex, observed: its turns as cycle tells them, its pages, its compaction on request, its death in the middle of a turn. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { CodexWorld, PlainModel } from "../../codex-world.ts";
import { until } from "../../harness.ts";
import { tmux } from "../../panes.ts";
import { meta, rollout, THREAD } from "../../rollout.ts";

const model = new PlainModel();
const world = new CodexWorld(model.script);
let thread = "";
let path = "";
let pid = 0;
const cycle = () => world.ok("cycle t1 --busy-wait-seconds 0");
const nudge = (text: string) => Bun.spawnSync(["tmux", "send-keys", "-t", "=codex-w1:", "-l", "--", text], { env: world.env });
const enter = () => tmux(world, "send-keys", "-t", "=codex-w1:", "Enter");

/** Says something and waits until its turn is being worked on. */
async function hold(name: string): Promise<void> {
  nudge(`hold ${name}`);
  await until("the words in the composer", () => tmux(world, "capture-pane", "-p", "-t", "=codex-w1:").includes(`hold ${name}`));
  await until("the turn", () => {
    enter();
    return model.isHolding(name);
  });
}

beforeAll(async () => {
  const started = await world.ok(["start-worker", "--name", "w1", "--cwd", world.project, "--timeout-seconds", "30"]);
  thread = started.codex_session_id;
  await world.turns(thread, 1);
  const manager = await rollout(world, meta(THREAD.manager), THREAD.manager);
  await world.ok(["register-manager", "--name", "m1", "--pid", String(process.pid), "--codex-session", manager.path, "--cwd", world.work]);
  await world.ok(["tasks", "--create", "t1", "--goal", "g"]);
  await world.ok("bind --task t1 --worker w1 --manager m1");
  const [row] = world.rows<{ p: string; pid: number }>("select codex_session_path as p, pid from sessions where name = 'w1'");
  path = row!.p;
  pid = row!.pid;
}, 60_000);
afterAll(() => world.close());

test("an ended turn is completed, its words are in the receipt, its tokens are counted, the composer is idle", async () => {
  const seen = await cycle();
  expect(seen).toMatchObject({
    state: "idle",
    turn: "completed",
    worker_alive: true,
    notable_pane_pattern: null,
    pane_signal: { captured: true, page: "idle" },
  });
  expect(seen.manager_context.worker_receipt).toMatchObject({
    last_agent_message: "ok",
    turn_id: expect.any(String),
    source_session_name: "w1",
  });
  expect(world.rows("select sum(total_tokens) > 0 as counted from token_totals")).toEqual([{ counted: 1 }]);
  expect(seen.tokens).toEqual([]);
  expect(world.rows("select kind from unknown_records")).toEqual([]);
});

test("a turn that is worked on is open, and becomes idle when it is interrupted", async () => {
  await hold("one");
  expect(await cycle()).toMatchObject({
    state: "busy",
    turn: "open",
    notable_pane_pattern: "long_running_interruptible",
    pane_signal: { page: "working" },
  });
  tmux(world, "send-keys", "-t", "=codex-w1:", "Escape");
  await until("the interrupt in the rollout", () => readFileSync(path, "utf8").includes('"turn_aborted"'));
  expect(await cycle()).toMatchObject({ state: "idle", turn: "aborted", task_completed: false });
}, 60_000);

test("a permitted worker compacts when it is idle, and is left alone while it works", async () => {
  await world.ok(["manager-config", "t1", "--allow-worker-compact-clear"]);
  await world.ok(["handoff", "t1", "--summary", "half way"]);
  await hold("two");
  const busy = await world.run("request-worker-compact t1");
  expect([busy.exit, busy.stderr.includes("middle of a turn")]).toEqual([1, true]);
  model.release("two");
  await world.turns(thread, 3);
  await until("the composer", async () => (await cycle()).pane_signal.page === "idle");
  expect(await world.ok("compact-worker t1 --reason 'context is full'")).toMatchObject({
    send_text: "/compact",
    send_result: { side_effect_started: true, transport: "codex_protocol" },
  });
  expect((await cycle()).tokens).toMatchObject([
    { session: "w1", role: "worker", output_tokens: expect.any(Number), total_tokens: expect.any(Number) },
  ]);
  await until("the compaction in the rollout", () => /"type":"(compacted|context_compacted)"/.test(readFileSync(path, "utf8")));
  expect(world.rows("select state from commands order by rowid")).toEqual([{ state: "failed" }, { state: "succeeded" }]);
}, 60_000);

test("killed in the middle of a turn, it is told as crashed at the next cycle", async () => {
  await until("the composer", async () => (await cycle()).pane_signal.page === "idle");
  await hold("three");
  expect(await cycle()).toMatchObject({ turn: "open" });
  process.kill(pid, "SIGKILL");
  await until("the end of the process", async () => (await cycle()).worker_alive === false);
  // The server that wrote for it, and tmux, hear of it a moment later.
  await until("the end of its writer", async () => (await cycle()).turn !== "open");
  await until("the end of its terminal", async () => (await cycle()).pane_signal.captured === false);
  expect(await cycle()).toMatchObject({
    state: "busy",
    turn: "crashed",
    worker_alive: false,
    pane_signal: { notable_pattern: "tmux_session_missing" },
  });
}, 60_000);
