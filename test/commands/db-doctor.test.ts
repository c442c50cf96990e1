/** `db-doctor`: the report, the exit code, and `--live` against a real tmux server. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { registerSession } from "../../src/store/sessions/sessions.ts";
import { World } from "../harness.ts";

let w: World;
beforeEach(() => {
  w = new World();
  w.realTime = true;
});
afterEach(() => w.close());

test("an unhealthy database is reported on stdout with exit 1", async () => {
  await w.ok("db-doctor");
  w.store().db.run("drop index events_task_id");
  const done = await w.run("db-doctor");
  expect(done.exit).toBe(1);
  expect(done.json().checks).toContainEqual({ name: "required_indexes", ok: false, missing: ["events_task_id"] });
});

test("the whole file is read, unless --quick leaves that out", async () => {
  const whole = await w.ok("db-doctor");
  expect(whole.checks.slice(-2)).toEqual([
    { name: "integrity_check", ok: true, errors: [] },
    { name: "value_types", ok: true, wrong: [] },
  ]);
  const quick = await w.ok("db-doctor --quick");
  expect(quick.checks).toEqual(whole.checks.slice(0, -2));
  expect((await w.ok("telemetry snapshot")).reconcile.schema_health.checks).toEqual(quick.checks);
  expect((await w.ok("reconcile")).schema_health.checks).toEqual(quick.checks);
});

test("--live sees tmux sessions by their exact name and leaves out finished tasks", async () => {
  for (const name of ["t1", "t2"]) await w.ok(["tasks", "--create", name, "--goal", "Ship it"]);
  w.store().db.run("update tasks set state = 'done' where name = 't2'");
  const session = (name: string, role: "worker" | "manager", tmuxSession: string | null, pid: number) =>
    registerSession(w.store(), { name, role, pid, cwd: w.work, codexSessionPath: null, codexSessionId: null, tmuxSession });
  session("w1", "worker", "codex-w", process.pid);
  session("m1", "manager", null, process.pid);
  await w.ok("bind --task t1 --worker w1 --manager m1");
  const tmux = (...words: string[]) => expect(Bun.spawnSync(["tmux", ...words], { env: w.env }).exitCode).toBe(0);
  tmux("new-session", "-d", "-s", "codex-w-longer", "cat");
  const missing = await w.run("db-doctor --live");
  expect(missing.exit).toBe(1);
  expect(missing.json().live_reconcile.results).toMatchObject([{ task: { name: "t1" }, drift: ["worker_missing"] }]);
  tmux("new-session", "-d", "-s", "codex-w", "cat");
  const there = await w.ok("db-doctor --live");
  expect(there.checks.at(-1)).toEqual({
    name: "live_reconcile",
    ok: true,
    drift_count: 0,
    unfinished_command_count: 0,
    manager_liveness_warning_count: 0,
    task_count: 1,
  });
  expect(there.live_reconcile.results[0].worker).toMatchObject({ live: true, tmux_pane_id: expect.stringMatching(/^%\d+$/) });
});

test("a session manager that was not heard of for long is warned about without failing", async () => {
  await w.ok(["tasks", "--create", "t1", "--goal", "Ship it"]);
  for (const [name, role] of [
    ["w1", "worker"],
    ["m1", "manager"],
  ] as const) {
    registerSession(w.store(), {
      name,
      role,
      pid: process.pid,
      cwd: w.work,
      codexSessionPath: null,
      codexSessionId: null,
      tmuxSession: null,
    });
  }
  await w.ok("bind --task t1 --worker w1 --manager m1");
  w.store().db.run("update sessions set last_heartbeat_at = '2026-01-01T00:00:00Z' where name = 'm1'");
  const report = await w.ok("db-doctor --live --manager-stale-seconds 60");
  expect(report.live_reconcile.manager_liveness_warnings).toMatchObject([
    { reason: "manager_seen_stale", manager: "m1", stale_seconds: 60 },
  ]);
});

test("--live without tmux is a report all the same, in which nobody is called missing", async () => {
  await w.ok("tasks --create t1 --goal g");
  for (const [name, role] of [
    ["w1", "worker"],
    ["m1", "manager"],
  ] as const) {
    registerSession(w.store(), {
      name,
      role,
      pid: process.pid,
      cwd: w.work,
      codexSessionPath: null,
      codexSessionId: null,
      tmuxSession: `codex-${name}`,
    });
  }
  await w.ok("bind --task t1 --worker w1 --manager m1");
  const done = await w.run("db-doctor --live", { env: { PATH: w.dir } });
  expect(done.exit).toBe(1);
  expect(done.json()).toMatchObject({
    ok: false,
    live_reconcile: {
      ok: false,
      tmux_error: expect.stringContaining("tmux"),
      results: [{ drift: [], worker: { live: null }, manager: { live: null } }],
    },
  });
});
