/** One observation of a bound task: what it tells, what it records, and what it leaves behind when a phase fails. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { FIXTURES, World } from "../../harness.ts";
import { showing } from "../../panes.ts";
import { boundPair, event, meta, THREAD } from "../../rollout.ts";

let w: World;
beforeEach(() => void (w = new World()));
afterEach(() => w.close());

/** A process that was alive a moment ago. */
async function deadPid(): Promise<number> {
  const child = Bun.spawn(["true"]);
  await child.exited;
  return child.pid;
}

const spans = () =>
  w
    .rows<{ phase: string; state: string }>("select phase, state from manager_cycle_spans order by id")
    .map((row) => `${row.phase} ${row.state}`);

test("an interrupted worker is idle, its turn aborted", async () => {
  await boundPair(w, { worker: meta() + event({ type: "task_started" }) + event({ type: "turn_aborted", reason: "interrupted" }, 2) });
  expect(await w.ok("cycle t1")).toMatchObject({
    state: "idle",
    turn: "aborted",
    task_completed: false,
    last_event_subtype: "turn_aborted",
  });
});

test("what Dispatch has read before counts as new to the cycle that shows it first, what somebody asked for by name does not", async () => {
  const { worker } = await boundPair(w, { worker: meta() + event({ type: "task_started" }) });
  const seen = async () => (await w.ok("cycle t1")).ingest;
  await w.ok("dispatch --once --ingest");
  worker.append("no record\n");
  await w.ok("dispatch --once --ingest");
  worker.append(event({ type: "task_complete" }, 2));
  expect(await seen()).toMatchObject({ new_events: 3, skipped_lines: 1 });
  expect(await seen()).toMatchObject({ new_events: 0, skipped_lines: 0 });
  worker.append(event({ type: "task_started" }, 3) + event({ type: "task_complete" }, 4));
  expect((await w.ok("ingest w1")).new_events).toBe(2);
  expect(await seen()).toMatchObject({ new_events: 0 });
  worker.append(event({ type: "task_started" }, 5));
  await w.ok("dispatch --once --ingest");
  expect((await w.ok("ingest w1")).new_events).toBe(0);
  expect(await seen()).toMatchObject({ new_events: 1 });
  expect(w.rows("select 1 from codex_events where session_id = (select id from sessions where name = 'w1')")).toHaveLength(6);
});

test("a user item of today's shape makes it busy", async () => {
  const said = { type: "item_completed", item: { type: "UserMessage", content: [{ type: "text", text: "go" }] } };
  await boundPair(w, {
    worker:
      meta() +
      event({ type: "task_complete" }) +
      event(said, 2) +
      event({ type: "item_completed", item: { type: "AgentMessage", content: [] } }, 3),
  });
  expect(await w.ok("cycle t1")).toMatchObject({ state: "busy", turn: "open", last_state_event_at: "2020-01-01T00:00:02.000Z" });
});

test("a turn that is open while nobody writes the thread has crashed", async () => {
  await boundPair(w, { worker: meta() + event({ type: "task_started" }), pid: await deadPid() });
  expect(await w.ok("cycle t1")).toMatchObject({
    state: "busy",
    turn: "crashed",
    worker_alive: false,
    next_commands: ["conveyor reconcile"],
  });
  await w.file(`codex/thread-writer-locks/${THREAD.worker}.lock`, "");
  expect(await w.ok("cycle t1")).toMatchObject({ turn: "crashed" });
  const holder = Bun.spawn(
    ["flock", join(w.dir, "codex/thread-writer-locks", `${THREAD.worker}.lock`), "sh", "-c", "echo held; exec cat"],
    { stdin: "pipe", stdout: "pipe" },
  );
  try {
    await holder.stdout.getReader().read();
    expect(await w.ok("cycle t1")).toMatchObject({ state: "busy", turn: "open" });
  } finally {
    holder.kill();
    await holder.exited;
  }
});

test("the receipt is that of the newest end of a turn of any worker the task had", async () => {
  await boundPair(w, { worker: meta() + event({ type: "task_complete", turn_id: "turn-1", last_agent_message: "first", duration_ms: 5 }) });
  await w.ok("cycle t1");
  await w.ok("unbind --task t1");
  const thread = "33333333-3333-4333-8333-333333333333";
  const path = await w.file(`codex/sessions/2026/05/11/rollout-2026-05-11T14-00-00-${thread}.jsonl`, meta(thread));
  await w.ok(["register-worker", "--name", "w2", "--pid", String(process.pid), "--codex-session", path, "--cwd", w.work]);
  await w.ok("bind --task t1 --worker w2 --manager m1");
  expect((await w.ok("cycle t1")).manager_context.worker_receipt).toMatchObject({
    source_session_name: "w1",
    turn_id: "turn-1",
    last_agent_message: "first",
    duration_ms: 5,
    completed_at: null,
    time_to_first_token_ms: null,
  });
});

test("a rollout that has gone fails the phase that needed it, and the next cycle works again", async () => {
  const { worker } = await boundPair(w);
  const content = await Bun.file(worker.path).text();
  rmSync(worker.path);
  const failed = await w.run("cycle t1");
  expect(failed.exit).toBe(1);
  expect(spans()).toEqual(["start_cycle succeeded", "ingest_rollout failed", "cycle_failed failed"]);
  expect(w.rows("select attributes_json from manager_cycle_spans where phase = 'ingest_rollout'")).toEqual([
    { attributes_json: '{"worker_session":"w1"}' },
  ]);
  const [row] = w.rows<{ state: string; error: string; status_json: string }>("select state, error, status_json from manager_cycles");
  expect(row).toMatchObject({ state: "failed", error: expect.stringContaining("w1") });
  expect(JSON.parse(row!.status_json)).toMatchObject({
    kind: "session_cycle",
    task: "t1",
    error_type: "Failure",
    failure_phase: "ingest_rollout",
  });
  const attributes = w
    .rows<{ a: string }>("select attributes_json as a from telemetry_events where event_type = 'manager_cycle_failed'")
    .map((each) => JSON.parse(each.a));
  expect(attributes).toEqual([{ error_type: "Failure", failure_phase: "ingest_rollout" }]);
  expect(await w.ok("divergences t1")).toEqual([]);
  await Bun.write(worker.path, content);
  await w.ok("cycle t1");
  const [pane] = w.rows<{ a: string }>("select attributes_json as a from manager_cycle_spans where phase = 'capture_pane_signal'");
  expect(Object.keys(JSON.parse(pane!.a))).toEqual(["captured", "classifier", "degraded", "notable_pattern", "status_age_seconds"]);
});

test("what the failed phase wrote is not there", async () => {
  await boundPair(w);
  await w.ok("cycle t1");
  const { db } = w.store();
  db.run(
    `insert into routed_notifications (task_id, binding_id, correlation_id, source_session_id, target_session_id, signal_type, dedupe_key, created_at, state, payload_json)
     select task_id, id, 'c', worker_session_id, manager_session_id, 'worker_task_complete', 'k', '2026-01-01T00:00:00Z', 'delivered', '{}' from bindings`,
  );
  db.run(
    "create trigger no_success before update on manager_cycles when new.state = 'succeeded' begin select raise(abort, 'out of order'); end",
  );
  expect((await w.run("cycle t1")).exit).toBe(1);
  expect(w.rows("select consumed_at from routed_notifications")).toEqual([{ consumed_at: null }]);
  expect(JSON.parse(w.rows<{ s: string }>("select status_json as s from manager_cycles order by id desc limit 1")[0]!.s)).toMatchObject({
    failure_phase: "persist_cycle_row",
    error_type: "SQLiteError",
  });
  db.run("drop trigger no_success");
  expect(await w.ok("cycle t1")).toMatchObject({ consumed_dispatch_notifications: 1 });
  expect(await w.ok("cycle t1")).toMatchObject({ consumed_dispatch_notifications: 0 });
});

test("a recorded pane that is not the session's degrades the signal", async () => {
  const pane = await showing(w, "codex-w1", "Create a plan?\n");
  await boundPair(w, { extra: ["--tmux-session", "codex-w1"] });
  w.store().db.run("update sessions set tmux_pane_id = '%99' where name = 'w1'");
  expect((await w.ok("cycle t1")).pane_signal).toMatchObject({ captured: false, degraded: true, notable_pattern: "pane_signal_error" });
  w.store().db.run(`update sessions set tmux_pane_id = '${pane}' where name = 'w1'`);
  expect((await w.ok("cycle t1")).pane_signal).toMatchObject({ captured: true, notable_pattern: "plan_prompt" });
});

test("a session whose name begins like another's is not looked at", async () => {
  await showing(w, "codex-w10", "Create a plan?\n");
  await boundPair(w, { extra: ["--tmux-session", "codex-w1"] });
  expect((await w.ok("cycle t1")).pane_signal).toMatchObject({ notable_pattern: "tmux_session_missing" });
});

test("without tmux on PATH the cycle still tells what the rollout says", async () => {
  await boundPair(w, { worker: meta() + event({ type: "task_complete" }), extra: ["--tmux-session", "codex-w1"] });
  const cycle = await w.run("cycle t1", { env: { PATH: "/nowhere" } });
  expect(cycle.json()).toMatchObject({
    state: "idle",
    turn: "completed",
    pane_signal: { degraded: true, notable_pattern: "pane_signal_error" },
  });
});

test("the page in front is told", async () => {
  await showing(w, "codex-w1", await Bun.file(join(FIXTURES, "codex-0.169.0", "screens", "approval-prompt.txt")).text());
  await boundPair(w, { extra: ["--tmux-session", "codex-w1"] });
  expect((await w.ok("cycle t1")).pane_signal).toMatchObject({ page: "command_approval", notable_pattern: "enter_to_confirm" });
});
