/** `runs`: one active run per task, loop policies beside it, and how runs end. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { World } from "../../harness.ts";

let w: World;
beforeEach(async () => {
  w = new World();
  await w.ok("tasks --create job --goal g");
});
afterEach(() => w.close());

test("a run is created with its event and telemetry, and a second active one is refused by name", async () => {
  const run = await w.ok('runs --create job --name first --metadata-json {"a":1}');
  expect(run).toMatchObject({ name: "first", status: "active", ended_at: null, metadata: { a: 1 } });
  const second = await w.run("runs --create job");
  expect(second).toMatchObject({ exit: 1, stdout: "" });
  expect(second.stderr).toContain("job");
  expect(second.stderr).toContain(run.id);
  expect(w.rows("select type from events order by id")).toEqual([{ type: "task_created" }, { type: "run_created" }]);
  expect(w.rows("select event_type, run_id from telemetry_events")).toEqual([{ event_type: "run_started", run_id: run.id }]);
});

test("ending again in the same way changes nothing, in another way is refused", async () => {
  await w.ok("runs --create job --name first");
  const ended = await w.ok("runs --finish first");
  expect(ended.status).toBe("finished");
  expect(await w.ok("runs --finish first --status finished")).toEqual(ended);
  const other = await w.run("runs --finish first --status failed");
  expect(other.exit).toBe(1);
  expect(other.stderr).toContain("finished");
  const events = w.rows("select task_id is not null as task, run_id, severity from telemetry_events where event_type = 'run_finished'");
  expect(events).toEqual([{ task: 1, run_id: ended.id, severity: "info" }]);
});

test("a loop policy stands beside the active run, complete and checked", async () => {
  await w.ok("runs --create job --name live");
  const loop = await w.ok([
    "runs",
    "--create",
    "job",
    "--metadata-json",
    '{"kind":"ralph_loop","max_iterations":2,"required_before_continue":[" tests "],"note":"kept"}',
  ]);
  expect(loop).toMatchObject({
    purpose: "ralph_loop",
    status: "finished",
    metadata: { current_iteration: 0, required_before_continue: ["tests"], note: "kept", preset: null },
  });
  expect(loop.ended_at).toBe(loop.started_at);
  expect(loop.name).toMatch(/^job-ralph-loop-\d{4}-\d\d-\d\dT\d{6}-\d{3}Z$/);
  for (const wrong of [
    "{}",
    '{"max_iterations":1.5}',
    '{"max_iterations":1,"current_iteration":2}',
    '{"max_iterations":1,"preset":4}',
    '{"max_iterations":1,"stop_conditions":"x"}',
  ]) {
    const refused = await w.run(["runs", "--create", "job", "--purpose", "ralph_loop", "--metadata-json", wrong]);
    expect(refused.exit).toBe(1);
  }
  expect((await w.ok("runs --list --status finished")).length).toBe(1);
});

test("the active run takes the telemetry of its task", async () => {
  const run = await w.ok("runs --create job");
  await w.ok("runs --finish " + run.id);
  const listed = await w.ok("runs --list --task job");
  expect(listed.map((r: { status: string }) => r.status)).toEqual(["finished"]);
  expect((await w.run("runs --finish ghost")).stderr).toContain("ghost");
  expect((await w.run("runs --list --show x")).exit).toBe(2);
  expect((await w.run("runs")).exit).toBe(2);
});
