import { afterEach, beforeEach, expect, test } from "bun:test";
import { resolve } from "node:path";
import { plainOrder } from "../../../src/core/tasks/finish.ts";
import { toIso } from "../../../src/core/time.ts";
import { beginFinish } from "../../../src/store/tasks/finish.ts";
import { taskById } from "../../../src/store/tasks/tasks.ts";
import { startedAt, startOf } from "../../../src/system/processes/processes.ts";
import { until } from "../../harness.ts";
import { FinishWorld } from "./finish-world.ts";

let w: FinishWorld;
beforeEach(() => {
  w = new FinishWorld();
});
afterEach(() => w.close());

const BOTH = "--stop-worker --stop-manager";

test("every gate names itself and the command that would satisfy it, and stops nothing", async () => {
  await w.bound();
  await w.ok("criteria t1 --add --criterion Works --source user_requested --status accepted");
  await w.ok("manager-config t1 --epilogue record-handoff");
  const refused = async (flag: string, ...said: string[]) => {
    const { exit, stderr } = await w.run(`finish-task t1 ${BOTH} ${flag}`);
    expect(exit).toBe(1);
    for (const text of said) expect(stderr).toContain(text);
  };
  await refused("--require-adversarial-proof", "adversarial", "--evidence-json");
  await refused("--strict-decisions", "missing_decision_id", "record-decision t1 stop");
  await refused("--require-criteria-audit", "#1: Works", "hint: conveyor criteria t1 --satisfy 1");
  await refused(
    "--require-acks",
    "worker and the manager",
    "| conveyor worker-ack t1 --from-stdin; ",
    "| conveyor manager-ack t1 --from-stdin",
  );
  await refused("--require-epilogue", "record-handoff", "hint: conveyor epilogue t1 --step record-handoff");
  expect(w.running()).toEqual(["codex-m1", "codex-w1"]);
  expect(w.states()).toEqual({
    task: "candidate",
    binding: "active",
    sessions: { w1: "active", m1: "active" },
    commands: ["failed", "failed", "failed"],
  });
  expect(w.rows("select 1 from manager_decisions")).toEqual([]);
  const payload = w.rows<{ p: string }>("select payload_json as p from events where type = 'finish_task_failed' order by id limit 1")[0]!.p;
  expect(JSON.parse(payload)).toMatchObject({
    stop_worker: true,
    stop_manager: true,
    error_type: "Failure",
    expected_failure: true,
    final_audit: { open_criteria: [{ id: 1, criterion: "Works" }] },
  });
});

test("a call that lives is not taken over, though the clock was stepped since; one whose process is another now is", async () => {
  const task = await w.ok("tasks --create t1 --goal G");
  const store = w.store();
  const started = (await startedAt(process.pid, w.env))!;
  const begun = (when: string) => {
    store.db.run("update commands set state = 'failed'");
    const by = { program: "conveyor", process: { pid: process.pid, started: when }, dead: [] };
    expect(beginFinish(store, plainOrder("finish", "r"), taskById(store, task.id)!, by)).not.toBeInstanceOf(Error);
  };
  // As it is noted now, and as older releases reckoned it from a clock that was a second and a half off.
  for (const when of [(await startOf(process.pid, w.env))!, toIso(started - 1500), toIso(started + 1500)]) {
    begun(when);
    expect((await w.run("finish-task t1")).stderr).toContain("another call is ending");
  }
  begun(toIso(started - 3_600_000));
  expect(await w.ok("finish-task t1")).toMatchObject({ task: "t1" });
});

test("a configuration that requires acknowledgements is a gate of its own, and those of an older one can be refused", async () => {
  await w.ok("tasks --create t1 --goal G");
  await w.ok("manager-config t1 --require-acks");
  expect((await w.run("finish-task t1")).exit).toBe(1);
  for (const role of ["worker", "manager"]) await w.ok(`${role}-ack t1 --from-stdin`, { stdin: "{}" });
  await w.ok("manager-config t1 --mode strict");
  expect((await w.run("finish-task t1 --require-current-acks")).stderr).toContain("present configuration");
  expect(await w.ok("finish-task t1")).toMatchObject({ final_ack_audit: { ok: true, require_acks: true, stale: ["worker", "manager"] } });
});

test("nothing is stopped while one of the terminals is not the one on record", async () => {
  await w.bound();
  w.tmux("kill-session", "-t", "=codex-m1");
  w.tmux("new-session", "-d", "-s", "codex-m1", "cat");
  const { exit, stderr } = await w.run(`finish-task t1 ${BOTH}`);
  expect(exit).toBe(1);
  expect(stderr).toContain('manager "m1" is not stopped');
  expect(w.running()).toEqual(["codex-m1", "codex-w1"]);
  expect(w.states()).toMatchObject({ task: "candidate", binding: "active", commands: ["failed"] });
  const failed = JSON.parse(w.rows<{ p: string }>("select payload_json as p from events where type = 'finish_task_failed'")[0]!.p);
  expect(failed).toMatchObject({ failure_stage: "live_lifecycle_side_effects", killed_worker: false });
  expect(await w.ok("finish-task t1 --stop-worker")).toMatchObject({ killed_worker: true, killed_manager: false });
});

test("the last word is on the worker's terminal before it ends", async () => {
  await w.bound();
  w.tmux("pipe-pane", "-t", "=codex-w1:", `cat > ${w.dir}/worker.log`);
  const result = await w.ok(["finish-task", "t1", "--stop-worker", "--message", "Thank you, we are done"]);
  expect(result).toMatchObject({ killed_worker: true, message_delivery: { state: "delivered", proof: "unavailable" } });
  expect(await Bun.file(`${w.dir}/worker.log`).text()).toContain("Thank you, we are done");
  expect((await w.run("stop-task t1")).stderr).toContain("is done already");
});

test("a message without a worker to stop is not sent, and that is told", async () => {
  await w.bound();
  const { stderr } = await w.run(["finish-task", "t1", "--message", "hello"]);
  expect(stderr).toContain("--message was not sent");
  expect(w.screen("codex-w1")).not.toContain("hello");
});

test("a segment is required of every role; an unchanged screen is met by the one kept before", async () => {
  await w.bound();
  await w.ok("transcript-capture t1 --role worker");
  const captured = await w.ok(`finish-task t1 ${BOTH} --capture-transcript-before-stop --require-transcript-segment`);
  expect(captured.pre_stop_transcript_captures).toMatchObject([
    { role: "worker", transcript_segment: null },
    { role: "manager", transcript_segment: { line_count: 1 } },
  ]);
  expect(JSON.stringify(w.rows("select payload_json, '' from events union all select result_json, '' from commands"))).not.toContain(
    "worker screen",
  );
});

test("an empty screen is no evidence, and a missing role is named", async () => {
  await w.bound();
  w.tmux("send-keys", "-R", "-t", "=codex-w1:");
  await until("an empty screen", () => w.screen("codex-w1").trim() === "");
  const { exit, stderr } = await w.run(
    `finish-task t1 --stop-worker --capture-transcript-before-stop --capture-transcript-lines 0 --require-transcript-segment`,
  );
  expect(exit).toBe(1);
  expect(stderr).toContain("of the worker of task");
  await w.ok("tasks --create t2 --goal G");
  expect((await w.run("finish-task t2 --stop-manager --capture-transcript-before-stop --require-transcript-segment")).stderr).toContain(
    "of the manager of task",
  );
  expect((await w.run("finish-task t1 --require-transcript-segment")).exit).toBe(2);
  expect(w.running()).toEqual(["codex-m1", "codex-w1"]);
});

test("the sessions of a finished task can be stopped afterwards, also when some are gone, but not when they work on another task", async () => {
  await w.bound();
  await w.ok("finish-task t1");
  expect((await w.run("finish-task t1")).stderr).toContain("--stop-worker --stop-manager");
  w.tmux("kill-session", "-t", "=codex-m1");
  expect(await w.ok(`finish-task t1 ${BOTH}`)).toMatchObject({ already_done_followup: true, killed_worker: true, killed_manager: false });
  expect(await w.ok(`finish-task t1 ${BOTH}`)).toMatchObject({ killed_worker: false, killed_manager: false });
  expect(w.states()).toMatchObject({ task: "done", binding: "ended" });

  await w.bound("t2", { worker: "w2", manager: "m2" });
  await w.ok("finish-task t2");
  await w.ok("tasks --create t3 --goal G");
  await w.ok("bind --task t3 --worker w2 --manager m2");
  const { exit, stderr } = await w.run("finish-task t2 --stop-worker");
  expect(exit).toBe(1);
  expect(stderr).toContain('works on task "t3" now');
  expect(w.running()).toEqual(["codex-m2", "codex-w2"]);
});

test("a manager that ends its own terminal still closes the task", async () => {
  await w.bound();
  const main = resolve(import.meta.dir, "../../../src/main.ts");
  w.tmux(
    "respawn-pane",
    "-k",
    "-t",
    "=codex-m1:",
    "-e",
    `WORKERCTL_STATE_ROOT=${w.stateRoot}`,
    `${process.execPath} ${main} finish-task t1 ${BOTH}; cat`,
  );
  await until("the task is done", () => w.states().task === "done");
  expect(w.states()).toMatchObject({ binding: "ended", sessions: { w1: "gone", m1: "gone" }, commands: ["succeeded"] });
  expect(w.running()).toEqual([]);
});

test("what waits in the task's queue is counted, not touched", async () => {
  await w.bound();
  await w.ok(["enqueue-nudge-worker", "t1", "--message", "go on"]);
  const done = await w.run("finish-task t1");
  expect(done.json()).toMatchObject({ remaining_commands: 1 });
  expect(done.stderr).toContain("1 queued commands");
  expect(w.states().commands).toEqual(["pending", "succeeded"]);
});

test("two calls at once: one ends the task, the other is told so or finds it done", async () => {
  await w.bound();
  const main = resolve(import.meta.dir, "../../../src/main.ts");
  const calls = [1, 2].map(() =>
    Bun.spawn([process.execPath, main, "finish-task", "t1", "--stop-worker", "--stop-manager"], {
      env: w.env,
      cwd: w.work,
      stdout: "ignore",
      stderr: "pipe",
    }),
  );
  const exits = await Promise.all(calls.map((call) => call.exited));
  // One that begins after the other has ended is a follow-up on a task that is done, with nothing left to stop.
  const told = exits.filter((exit) => exit === 0).length;
  expect(told).toBeGreaterThan(0);
  expect(w.states()).toMatchObject({ task: "done", binding: "ended", sessions: { w1: "gone", m1: "gone" } });
  expect(w.states().commands.filter((state) => state === "succeeded")).toHaveLength(told);
  expect(
    w.rows(
      "select count(*) as n from events where type = 'finish_task_succeeded' and json_extract(payload_json, '$.already_done_followup') = 0",
    ),
  ).toEqual([{ n: 1 }]);
});
