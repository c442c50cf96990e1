/** `telemetry`: listing, search, sums, and the judged views. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { addTelemetry } from "../../src/store/record/telemetry.ts";
import { World } from "../harness.ts";

let w: World;
let taskId: string;
beforeEach(async () => {
  w = new World();
  taskId = (await w.ok("tasks --create job --goal g")).id;
});
afterEach(() => w.close());

const sql = (text: string) => w.store().db.run(text);

describe("the listing", () => {
  test("orders by instant, whatever the form of the time, then by writing", async () => {
    const store = w.store();
    const times = ["2026-01-01T00:00:01.500Z", "2026-01-01T00:00:01Z", "2026-01-01T00:00:01.250+00:00", "2026-01-01T00:00:01.000Z"];
    for (const [n, time] of times.entries()) {
      store.db
        .query("insert into telemetry_events values (?, null, null, ?, 'system', 'x', 'info', '', '{}', '{}')")
        .run(`z${9 - n}`, time);
    }
    expect((await w.ok("telemetry --event-type x --json")).map((e: { id: string }) => e.id)).toEqual(["z8", "z6", "z7", "z9"]);
    expect((await w.ok("telemetry --event-type x --newest --limit 2 --json")).map((e: { id: string }) => e.id)).toEqual(["z9", "z7"]);
    expect(await w.ok("telemetry --limit 0 --json")).toEqual([]);
  });

  test("a blank search is no filter, a term of punctuation matches nothing", async () => {
    addTelemetry(w.store(), { type: "a_b", summary: "alpha (beta)", attributes: { key: "gamma" } });
    expect(await w.ok(["telemetry", "--search", "  ", "--json"])).toHaveLength(1);
    expect(await w.ok(["telemetry", "--search", "alpha (", "--json"])).toHaveLength(0);
    expect(await w.ok(["telemetry", "--search", "KEY gamma", "--json"])).toHaveLength(1);
    expect(await w.ok(["telemetry", "--search", "a_b", "--json"])).toHaveLength(1);
  });
});

test("a cycle that told nothing of a pane is unknown, and none that failed or succeeded", async () => {
  const add = w
    .store()
    .db.query("insert into manager_cycles (task_id, started_at, completed_at, state, status_json) values (?, ?, ?, 'succeeded', ?)");
  const at = w.store().now();
  for (const status of [{}, { pane_signal: { captured: true } }, { pane_signal: { captured: false } }])
    add.run(taskId, at, at, JSON.stringify(status));
  expect(JSON.stringify(await w.ok("telemetry metrics --json"))).toContain('"pane_capture":{"failed":1,"succeeded":1,"unknown":1}');
});

describe("sums", () => {
  test("without a limit all events count, also those that a listing would leave out", async () => {
    const store = w.store();
    for (let n = 0; n < 150; n++) addTelemetry(store, { type: n % 2 ? "odd" : "even", summary: `n${n}`, taskId });
    const summary = await w.ok("telemetry --summary --json");
    expect(summary).toMatchObject({ total: 150, by_event_type: { even: 75, odd: 75 }, task_id: taskId, run_id: null });
    expect((await w.ok("telemetry --summary --limit 10 --json")).total).toBe(10);
    expect((await w.ok("telemetry --summary --search n7 --json")).total).toBe(1);
    const filtered = await w.ok("telemetry --summary --event-type odd --task job --json");
    expect(filtered).toMatchObject({ total: 75, by_event_type: { odd: 75 } });
    expect(filtered.first_timestamp < filtered.last_timestamp).toBe(true);
  });

  test("the totals that a trigger keeps agree with the rows, also after a row was taken away", async () => {
    const store = w.store();
    const { id } = await w.ok("runs --create job --name r");
    addTelemetry(store, { type: "x", summary: "s", runId: id, severity: "error" });
    sql("delete from telemetry_events where event_type = 'run_started'");
    const counted = w.rows("select actor, event_type, severity, count(*) as n from telemetry_events group by 1, 2, 3");
    expect(w.rows("select actor, event_type, severity, count as n from telemetry_totals where scope = 'all' and count > 0")).toEqual(
      counted,
    );
    expect((await w.ok("telemetry --summary --run r --json")).by_severity.error).toBe(1);
  });
});

describe("views", () => {
  test("the sums of criteria that a trigger keeps agree with the rows", async () => {
    for (const text of ["one", "two", "three"])
      await w.ok(["criteria", "job", "--add", "--criterion", text, "--source", "user_requested", "--status", "proposed"]);
    await w.ok("criteria job --accept 1");
    await w.ok("criteria job --reject 2 --rationale no");
    sql("delete from acceptance_criteria where id = 3");
    expect((await w.ok("telemetry metrics --json")).gauges.criteria).toEqual({
      by_status: { accepted: 1, deferred: 0, proposed: 0, rejected: 1, satisfied: 0 },
      open: 1,
      total: 2,
    });
  });

  test("words that do not fit a view are refused before anything is opened", async () => {
    const fresh = new World();
    for (const line of [
      "telemetry task",
      "telemetry snapshot job",
      "telemetry --window 5",
      "telemetry metrics --window 0d",
      "telemetry metrics --window 1y",
      "telemetry nowhere",
    ]) {
      expect((await fresh.run(line)).exit).toBe(2);
    }
    expect(await Bun.file(fresh.dbPath).exists()).toBe(false);
    fresh.close();
  });

  test("metrics sees events of the very second it is asked in", async () => {
    addTelemetry(w.store(), { type: "codex_events_ingested", summary: "s", taskId, attributes: { new_events: 3, skipped_lines: 2 } });
    addTelemetry(w.store(), { type: "task_exported", summary: "s", taskId });
    const value = await w.ok("telemetry metrics --window 1S --json");
    expect(value).toMatchObject({
      schema_version: 1,
      window: { label: "1S", seconds: 1 },
      filters: { run_id: null, task_id: null },
      counters: {
        telemetry_events: { total: 2 },
        ingest: { new_events: 3, skipped_lines: 2 },
        exports: { total: 1 },
        cycles: { total: 0 },
      },
      gauges: { active_tasks: 1, active_sessions: { by_role: { manager: 0, worker: 0 }, total: 0 }, criteria: { open: 0, total: 0 } },
      rollups: { cycle_success_rate: null },
    });
    const text = await w.ok<string>("telemetry metrics");
    expect(text.split("\n").slice(0, 4)).toEqual([
      "window: 24h",
      "telemetry_events: 2",
      "cycle_success_rate: -",
      "skipped_ingest_lines: 2",
    ]);
  });

  test("a check is red for old failures, but with a window only for recent ones", async () => {
    expect((await w.run("telemetry check")).stdout).toBe("telemetry check: healthy\n");
    sql(`insert into commands (id, idempotency_key, created_at, updated_at, task_id, type, state, payload_json, error)
      values ('c1', 'c1', '2025-01-01T00:00:00Z', '2025-01-01T00:00:00Z', '${taskId}', 'nudge_worker', 'failed', '{"message":"private"}', 'no pane')`);
    const red = await w.run("telemetry check");
    expect(red.exit).toBe(1);
    expect(red.stdout).toBe("telemetry check: unhealthy\nerror: failed_commands: 1 failed command\n");
    expect((await w.run("telemetry check --window 1w")).exit).toBe(0);
    const failures = await w.ok("telemetry failures --json");
    expect(failures.failed_commands).toMatchObject([{ id: "c1", task_name: "job", payload_keys: ["message"] }]);
    expect(failures.operator.checks.ok).toBe(false);
    expect(Object.keys(failures.ingest).sort()).toEqual(Object.keys((await w.ok("telemetry task job --json")).ingest).sort());
    expect(failures.operator.commands).toMatchObject({
      total: expect.any(Number),
      unfinished_count: expect.any(Number),
      failed_count: expect.any(Number),
    });
    expect((await w.ok("telemetry failures --window 1w --json")).failed_commands).toEqual([]);
  });

  test("thresholds silence what they are for, of everything and of one task", async () => {
    await w.ok("criteria job --add --criterion A --source user_requested --status accepted");
    sql(`insert into commands (id, idempotency_key, created_at, updated_at, task_id, type, state, payload_json)
      values ('c1', 'c1', '2026-01-02T00:00:00Z', '2026-01-02T00:00:00Z', '${taskId}', 'nudge_worker', 'pending', '{}')`);
    for (const task of ["", " --task job"]) {
      expect(
        (await w.run(`telemetry check --json${task}`))
          .json()
          .alerts.map((a: { type: string }) => a.type)
          .sort(),
      ).toEqual(["open_accepted_criteria", "unfinished_commands"]);
      expect((await w.run(`telemetry check --max-open-criteria 1 --max-unfinished-commands 1${task}`)).exit).toBe(0);
    }
    expect((await w.run("telemetry check --max-open-criteria 1 --max-unfinished-commands 1 --max-storage-bytes 1")).stdout).toContain(
      "warning: storage_bytes: ",
    );
    const [row] = (await w.ok("telemetry snapshot")).commands.recent_unfinished;
    expect(row).toMatchObject({ id: "c1", task_name: "job" });
  });

  test("the task view names keys and never prints bodies", async () => {
    addTelemetry(w.store(), { type: "command_succeeded", summary: "s", taskId, attributes: { result: { message: "private text" } } });
    sql(`insert into manager_cycles (task_id, started_at, completed_at, state, status_json, error)
      values ('${taskId}', '2026-01-02T00:00:00Z', '2026-01-02T00:00:01Z', 'failed', '{"error_type":"IngestError","pane_signal":{"captured":false,"reason":"none"}}', 'IngestError')`);
    const done = await w.run("telemetry task job --json");
    expect(done.exit).toBe(0);
    expect(done.stdout).not.toContain("private text");
    expect(done.json()).toMatchObject({
      cycles: {
        total: 1,
        failed_count: 1,
        last_successful: null,
        pane_capture_failure_count: 1,
        history: [{ state: "failed", pane_signal: { captured: false, reason: "none" } }],
      },
      ingest: { error_count: 1, cycle_errors: [{ error: "IngestError" }] },
      liveness: { worker_alive: null, latest_cycle_stale: true },
      telemetry: { recent: [{ attribute_keys: ["result"] }] },
    });
    const text = await w.ok<string>("telemetry task job");
    expect(text).toContain("error: latest_cycle_failed: IngestError");
    expect(text).toContain("error: ingest_errors: ");
  });

  test("the snapshot of a task keeps the newest events, oldest of them first", async () => {
    for (let n = 0; n < 5; n++) addTelemetry(w.store(), { type: `t${n}`, summary: "s", taskId });
    const recent = (await w.ok("telemetry snapshot --task job --limit 2")).telemetry.recent;
    expect(recent.map((e: { event_type: string }) => e.event_type)).toEqual(["t3", "t4"]);
  });
});
