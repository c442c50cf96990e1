/** `reconcile`: dead processes, pids given to somebody else, dangling bindings, stuck tasks. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { closeSync, openSync } from "node:fs";
import { applyReconcile } from "../../../src/store/sessions/reconcile.ts";
import { registerSession } from "../../../src/store/sessions/sessions.ts";
import { World } from "../../harness.ts";

let w: World;
let deadPid: number;
beforeEach(() => {
  w = new World();
  w.realTime = true;
  deadPid = Bun.spawnSync(["true"]).pid;
});
afterEach(() => w.close());

const register = (name: string, role: "worker" | "manager", pid: number, rollout: string | null = null) =>
  registerSession(w.store(), { name, role, pid, cwd: w.work, codexSessionPath: rollout, codexSessionId: null, tmuxSession: null });

const bound = async (workerPid: number, managerPid: number): Promise<string> => {
  await w.ok(["tasks", "--create", "t1", "--goal", "Ship it"]);
  register("w1", "worker", workerPid);
  register("m1", "manager", managerPid);
  return (await w.ok("bind --task t1 --worker w1 --manager m1")).binding_id;
};

test("both sides dead: each is marked, the binding once, and a second run finds nothing", async () => {
  const binding = await bound(deadPid, deadPid);
  expect((await w.ok("reconcile")).dead_pid_sessions).toEqual([
    { name: "w1", role: "worker", pid: deadPid, last_heartbeat_at: expect.any(String), reason: "no such process" },
    { name: "m1", role: "manager", pid: deadPid, last_heartbeat_at: expect.any(String), reason: "no such process" },
  ]);
  expect((await w.ok("reconcile")).next_commands).toEqual(["conveyor reconcile --apply"]);
  const put = await w.ok("reconcile --apply");
  expect(put.applied).toEqual({ sessions_marked_gone: ["w1", "m1"], bindings_marked_invalid: [binding] });
  expect(put.next_commands).toEqual([
    `conveyor start-worker --name w1 --cwd ${w.work}`,
    `conveyor start-manager --name m1 --cwd ${w.work} --task t1 --worker w1`,
    "conveyor bind --task t1 --worker w1 --manager m1",
  ]);
  expect(w.rows("select state from bindings")).toEqual([{ state: "invalid" }]);
  const events = w.rows<{ payload_json: string }>("select payload_json from events where type = 'binding_marked_invalid_by_reconcile'");
  expect(events.map((event) => JSON.parse(event.payload_json))).toEqual([
    { binding_id: binding, gone_role: "worker", gone_session_name: "w1", task_name: "t1" },
  ]);
  const again = await w.ok("reconcile --apply");
  expect([again.dead_pid_sessions, again.dangling_bindings, again.applied]).toEqual([
    [],
    [],
    { sessions_marked_gone: [], bindings_marked_invalid: [] },
  ]);
  expect(again.next_commands).toEqual([]);
});

test("a pid that was given to a later process is dead, unless that process holds the rollout or none is on record", async () => {
  const rollout = (digit: string) =>
    w.file(`codex/sessions/2025/01/01/rollout-2025-01-01T00-00-00-${digit.repeat(8)}-1111-4111-8111-111111111111.jsonl`, "{}\n");
  const held1 = await rollout("1");
  register("reused", "worker", process.pid, await rollout("2"));
  register("resumed", "manager", process.pid, held1);
  register("foreign", "manager", process.pid);
  w.store().db.run("update sessions set registered_at = '2025-01-01T00:00:00Z', last_heartbeat_at = '2025-01-01T00:00:00Z'");
  const held = openSync(held1, "r");
  try {
    expect((await w.ok("reconcile")).dead_pid_sessions).toMatchObject([{ name: "reused", reason: "pid belongs to another process" }]);
  } finally {
    closeSync(held);
  }
});

test("a session that was registered again since it was looked at stays", () => {
  register("w1", "worker", process.pid);
  const seenBefore = { name: "w1", role: "worker", pid: deadPid, last_heartbeat_at: null, reason: "no such process" } as const;
  expect(applyReconcile(w.store(), [seenBefore])).toEqual({ sessions_marked_gone: [], bindings_marked_invalid: [] });
  expect(w.rows("select state from sessions")).toEqual([{ state: "active" }]);
});

test("a bound task is stuck when its newest cycle is older than the limit, never without one", async () => {
  const binding = await bound(process.pid, process.pid);
  expect((await w.ok("reconcile")).stuck_tasks).toEqual([]);
  const cycle = (at: string) =>
    w
      .store()
      .db.query("insert into manager_cycles (task_id, started_at, completed_at, state) select id, ?1, ?1, 'succeeded' from tasks")
      .run(at);
  cycle("2026-01-01T00:00:00Z");
  expect((await w.ok("reconcile --stale-cycles-seconds 1.5")).stuck_tasks).toEqual([
    { task_name: "t1", binding_id: binding, last_cycle_at: "2026-01-01T00:00:00Z", age_seconds: expect.any(Number) },
  ]);
  cycle(new Date().toISOString());
  expect((await w.ok("reconcile")).stuck_tasks).toEqual([]);
});

test("the health of the schema comes along", async () => {
  expect((await w.ok("reconcile")).schema_health).toMatchObject({ ok: true, schema_version: 22 });
});

test("whoever died with a conversation on record is revived, and who was stopped with one is gone on with by its name", async () => {
  const thread = "019a0000-0000-7000-8000-00000000000a";
  const path = await w.file(`other/codex/sessions/2026/01/01/rollout-2026-01-01T00-00-00-${thread}.jsonl`, "{}\n");
  const facts = {
    role: "worker",
    pid: deadPid,
    cwd: "/a b",
    codexSessionPath: path,
    codexSessionId: thread,
    tmuxSession: "codex-w1",
  } as const;
  const { id } = registerSession(w.store(), { name: "w1", ...facts });
  register("m1", "manager", process.pid);
  // Nobody bound it.
  expect((await w.ok("reconcile")).next_commands).toEqual(["conveyor revive --all"]);
  // No agent does it, and nothing is written of its wish.
  const inside = await w.run("revive --all", { env: { CODEX_THREAD_ID: thread } });
  expect([inside.exit, inside.stdout]).toEqual([1, ""]);
  expect(inside.stderr).toBe(
    "conveyor: only a person brings sessions back\nhint: they do it with conveyor revive --all, outside of any agent's session\n",
  );
  expect(w.rows("select name from sessions where state = 'gone'")).toEqual([]);
  expect((await w.ok("reconcile --apply")).next_commands).toEqual(["conveyor revive --all"]);
  registerSession(w.store(), { name: "w1", ...facts });
  await w.ok(["tasks", "--create", "t1", "--goal", "Ship it"]);
  await w.ok("bind --task t1 --worker w1 --manager m1");
  expect((await w.ok("reconcile")).next_commands).toEqual(["conveyor revive"]);
  w.store().db.run(
    `insert or replace into session_agents (session_id, agent, argv_json, permissions_json, launch, recorded_at)
     values (?, 'codex', '["/old/codex"]', '{"sandbox":"read-only","ask_for_approval":"never"}', 'tmux', '')`,
    [id],
  );
  await w.ok("stop w1 --json");
  const rights = "--sandbox read-only --ask-for-approval never --launch tmux";
  expect((await w.ok("reconcile --apply")).next_commands).toEqual([
    `env CODEX_HOME=${w.dir}/other/codex conveyor start-worker --name w1 --cwd '/a b' ${rights} --resume ${thread} --timeout-seconds 60`,
    "conveyor bind --task t1 --worker w1 --manager m1",
  ]);
});
