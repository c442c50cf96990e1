/** Dispatch with the real Codex at the other end, by its terminal: proof in the rollout, also for what a dead dispatcher had begun. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync } from "node:fs";
import { join, resolve } from "node:path";
import { capturePane } from "../../../src/system/terminal/panes.ts";
import { tmuxResult } from "../../../src/system/terminal/tmux.ts";
import { CodexWorld, PlainModel } from "../../codex-world.ts";
import { until } from "../../harness.ts";

const SRC = resolve(import.meta.dir, "../../../src/main.ts");
const model = new PlainModel();
const w = new CodexWorld(model.script, { launch: "tmux" });
let worker = "";
let manager = "";
beforeAll(async () => {
  worker = (await w.ok(["start-worker", "--name", "w1", "--cwd", w.project, "--timeout-seconds", "30"])).codex_session_id;
  manager = (await w.ok(["start-manager", "--name", "m1", "--cwd", w.project, "--timeout-seconds", "30"])).codex_session_id;
  await w.ok("tasks --create t1 --goal Ship");
  await w.ok("bind --task t1 --worker w1 --manager m1");
  await w.turns(worker, 1);
  await w.turns(manager, 1);
  // The turns of starting up are not what is tested.
  await w.ok("dispatch --ingest --limit 100 --json");
  await w.idle(manager);
}, 120_000);
afterAll(() => w.close());

const times = (thread: string, part: string) => w.userTexts(thread).filter((said) => said.includes(part)).length;
const nudge = async (message: string): Promise<string> =>
  (await w.ok(["enqueue-nudge-worker", "t1", "--message", message, "--json"])).command_id;
const expire = () => {
  const { db } = w.store();
  db.run("update commands set claim_expires_at = '2020-01-01T00:00:00Z' where state = 'attempted'");
};
const only = async (type: string) => (await w.ok(`dispatch --type ${type} --json`)).processed;

/** A tmux that kills who asks it to paste, before or after it does. */
async function deadlyPath(first: "paste" | "die"): Promise<string> {
  const tmux = Bun.which("tmux")!;
  const script = `#!/bin/sh\nfor word in "$@"; do if [ "$word" = paste-buffer ]; then ${first === "paste" ? `${tmux} "$@"; ` : ""}kill -9 $PPID; exit 1; fi; done\nexec ${tmux} "$@"\n`;
  chmodSync(await w.file("bin/tmux", script), 0o755);
  return `${join(w.dir, "bin")}:${w.env.PATH}`;
}

async function diesSending(first: "paste" | "die"): Promise<void> {
  const child = Bun.spawn([process.execPath, SRC, "dispatch", "--type", "nudge_worker"], {
    env: { ...w.env, PATH: await deadlyPath(first) },
    cwd: w.work,
    stdout: "ignore",
    stderr: "ignore",
  });
  await child.exited;
  expect(child.signalCode).toBe("SIGKILL");
}

test("the end of a worker's turn reaches the manager once, with proof", async () => {
  const watch = Bun.spawn([process.execPath, SRC, "dispatch", "--watch", "--interval", "300", "--json"], {
    env: w.env,
    cwd: w.work,
    stdout: "pipe",
    stderr: "inherit",
  });
  await until("the first heartbeat", () => w.rows("select 1 from dispatchers where iterations > 0").length);
  await nudge("please look again");
  await until("the news at the manager", () => times(manager, "finished a turn of task t1") >= 2, 40);
  await until("the records", () => w.rows("select 1 from routed_notifications where state = 'pending'").length === 0);
  watch.kill("SIGTERM");
  const { processed } = JSON.parse(await new Response(watch.stdout).text());
  expect(await watch.exited).toBe(0);
  expect(processed.find((item: { command_type?: string }) => item.command_type === "nudge_worker")).toMatchObject({
    state: "delivered",
    transport: "tmux",
    proof: "seen",
    send_result: { proof: "seen", text: "please look again" },
  });
  expect(processed.find((item: { signal_type?: string }) => item.signal_type === "worker_task_complete")).toMatchObject({
    state: "delivered",
    proof: "seen",
  });
  expect(times(worker, "please look again")).toBe(1);
}, 90_000);

describe("a dispatcher that dies while sending", () => {
  test("after Enter: the next one finds the text in the rollout and counts it as delivered", async () => {
    await w.idle(worker);
    const id = await nudge("typed before death");
    await diesSending("paste");
    await until("the text", () => times(worker, "typed before death") === 1);
    expire();
    expect(await only("nudge_worker")).toMatchObject([{ command_id: id, state: "delivered", side_effect_started: true }]);
    expect(w.rows("select state, error from commands where id = ?", id)).toEqual([{ state: "succeeded", error: null }]);
    expect(w.rows("select state, side_effect_completed as done from routed_notifications where command_id = ?", id)).toEqual([
      { state: "delivered", done: 1 },
    ]);
    expect(w.rows("select state, proof from deliveries where command_id = ?", id)).toEqual([{ state: "delivered", proof: "seen" }]);
    expect(times(worker, "typed before death")).toBe(1);
  });

  test("before the paste: it is left to a person and never sent again", async () => {
    await w.idle(worker);
    const id = await nudge("never typed");
    w.store().db.query("update commands set max_attempts = 5 where id = ?").run(id);
    await diesSending("die");
    expire();
    expect(await only("nudge_worker")).toMatchObject([{ command_id: id, state: "failed", side_effect_started: true }]);
    expect(await only("nudge_worker")).toEqual([]);
    expect(times(worker, "never typed")).toBe(0);
    expect((await w.ok("dispatch status --json")).uncertain.newest).toMatchObject([{ command_id: id, target_session: "w1" }]);
  });
});

test("a message that waits behind a running command is delivered when its proof comes, and holds up nobody", async () => {
  await w.idle(worker);
  const gate = join(w.dir, "gate");
  await nudge(`run until [ -e ${gate} ]; do sleep 0.1; done`);
  await only("nudge_worker");
  await until("the command", async () => (await capturePane(w.env, "codex-w1", 0)).includes("background terminal running"));
  const watch = Bun.spawn([process.execPath, SRC, "dispatch", "--watch", "--interval", "1", "--json"], {
    env: w.env,
    cwd: w.work,
    stdout: "pipe",
    stderr: "inherit",
  });
  const late = await nudge("when you are done");
  await until("the claim", () => w.rows("select 1 from commands where id = ? and state = 'attempted'", late).length);
  await w.ok(["enqueue-notify-manager", "t1", "--message", "meanwhile", "--json"]);
  await until("the other one", () => times(manager, "meanwhile") === 1);
  expect(w.rows("select state from commands where id = ?", late)).toEqual([{ state: "attempted" }]);
  await Bun.write(gate, "");
  await until("the proof", () => w.rows("select 1 from commands where id = ? and state = 'succeeded'", late).length, 60);
  watch.kill("SIGTERM");
  expect(await watch.exited).toBe(0);
  expect(times(worker, "when you are done")).toBe(1);
}, 120_000);

describe("a live thread without tmux", () => {
  test("is reached by its agent's queue, unless it asks its inbox by itself", async () => {
    await w.idle(worker);
    w.store().db.query("update sessions set tmux_session = null, tmux_pane_id = null where name = 'w1'").run();
    await nudge("by the queue");
    expect(await only("nudge_worker")).toMatchObject([
      { state: "delivered", delivery_mode: "push", transport: "codex_queue", proof: "seen" },
    ]);
    expect(times(worker, "by the queue")).toBe(1);
    await w.ok("worker-inbox t1 --consume-next --json");
    await nudge("by the inbox");
    expect(await only("nudge_worker")).toMatchObject([{ state: "pull_required", transport: "inbox" }]);
    expect(times(worker, "by the inbox")).toBe(0);
  }, 60_000);
});

test("the buffer that a dead dispatcher left in tmux is cleared away", async () => {
  expect((await tmuxResult(w.env, ["list-buffers"])).stdout).toContain("conveyor-");
  await w.ok("dispatch --watch --watch-iterations 1 --json");
  expect((await tmuxResult(w.env, ["list-buffers"])).stdout).toBe("");
});
