import { afterEach, beforeEach, expect, test } from "bun:test";
import { World } from "../../harness.ts";

let w: World;
beforeEach(async () => {
  w = new World();
  await w.ok("tasks --create t1 --goal G");
});
afterEach(() => w.close());

const check = async (id: number) => (await w.run(`finish-task t1 --strict-decisions --decision-id ${id}`)).stderr;

test("a decision covers for fifteen minutes, to the millisecond", async () => {
  await w.ok("record-decision t1 stop --reason over");
  const made = Date.parse(w.rows<{ at: string }>("select created_at as at from manager_decisions")[0]!.at);
  w.clock = made + 901_000;
  expect(await check(1)).toContain("decision_stale");
  w.clock = made + 899_000;
  expect(await check(1)).toBe("");
});

test("a time that cannot be read covers nothing", async () => {
  await w.ok("record-decision t1 stop --reason over");
  w.rows("update manager_decisions set created_at = 'yesterday'");
  expect(await check(1)).toContain("decision_timestamp_invalid");
  expect((await w.ok("finish-task t1 --decision-id 1")).manager_decision).toMatchObject({
    ok: false,
    age_seconds: null,
    max_age_seconds: 900,
  });
});

test("times of older forms are read", async () => {
  await w.ok("record-decision t1 stop --reason over");
  w.rows("update manager_decisions set created_at = '2026-01-02T03:04:05+00:00'");
  expect(await check(1)).toBe("");
});

test("a cycle must be one of this task", async () => {
  await w.ok("tasks --create t2 --goal G");
  w.rows("insert into manager_cycles (task_id, started_at, state) select id, created_at, 'succeeded' from tasks where name = 't2'");
  const { exit, stderr } = await w.run("record-decision t1 wait --reason r --cycle-id 1");
  expect(exit).toBe(1);
  expect(stderr).toContain('"t1" has no manager cycle 1');
  expect(await w.ok("record-decision t2 wait --reason r --cycle-id 1")).toMatchObject({ manager_cycle_id: 1 });
  expect(w.rows("select phase, duration_ms, attributes_json from manager_cycle_spans")).toEqual([
    { phase: "manager_decision", duration_ms: 0, attributes_json: '{"decision":"wait"}' },
  ]);
  expect(w.rows("select 1 from manager_decisions")).toHaveLength(1);
});
