/** Queueing commands: order of checks, all or nothing, and what a refusal says. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { addDispatcher } from "../../src/store/dispatch/dispatchers.ts";
import { startedAt } from "../../src/system/processes/processes.ts";
import { thisHost } from "../../src/system/processes/this-process.ts";
import { World } from "../harness.ts";

let w: World;
beforeEach(async () => {
  w = new World();
  await w.ok("tasks --create t1 --goal Ship");
});
afterEach(() => w.close());

const refused = async (words: string[], part: string) => {
  const done = await w.run(words);
  expect(done).toMatchObject({ exit: 1, stdout: "" });
  expect(done.stderr).toContain(part);
  return done;
};

describe("a refusal leaves nothing", () => {
  afterEach(() => {
    expect(w.rows("select count(*) as n from commands where idempotency_key <> 'k'")).toEqual([{ n: 0 }]);
  });

  test("blank message, before the task is looked up", async () =>
    refused(["enqueue-nudge-worker", "ghost", "--message", "  "], "--message"));
  test("unknown task", async () => refused(["enqueue-notify-manager", "ghost", "--message", "x"], "ghost"));
  test("unknown permission, also a bare action", async () => {
    await refused(["enqueue-nudge-worker", "t1", "--message", "x", "--required-permission", "open_pr"], "open_pr");
    await refused(["enqueue-nudge-worker", "t1", "--message", "x", "--required-permission", " "], "--required-permission");
  });
  test("a used key is refused with the command that holds it and its state", async () => {
    const { command_id } = await w.ok(["enqueue-nudge-worker", "t1", "--message", "x", "--idempotency-key", "k", "--json"]);
    const { stderr } = await refused(["enqueue-notify-manager", "t1", "--message", "y", "--idempotency-key", "k"], command_id);
    expect(stderr).toContain("pending");
    expect(stderr).not.toContain("SQLITE");
  });
});

test("a permission is stored trimmed, as given", async () => {
  expect(await w.ok(["enqueue-nudge-worker", "t1", "--message", "x", "--required-permission", " create_pr ", "--json"])).toMatchObject({
    required_permission: "create_pr",
  });
});

describe("continue-iteration", () => {
  test("names the run by its id, also when its name was typed, and ties telemetry to it", async () => {
    const { run } = await w.ok([
      "create-disposable-binding",
      "loop",
      "--goal",
      "Loop",
      "--json",
      "--run-name",
      "l1",
      "--required-before-continue",
      "ci_green",
      "--max-iterations",
      "3",
    ]);
    const queued = await w.ok("enqueue-continue-iteration loop --loop-run l1 --requested-iteration 2 --message go --json");
    expect(queued).toMatchObject({
      loop_run_id: run.id,
      requested_iteration: 2,
      manager_decision_id: null,
      loop_policy: { run_id: run.id, current_iteration: 1 },
    });
    expect(w.rows("select run_id from telemetry_events where event_type = 'command_created'")).toEqual([{ run_id: run.id }]);
  });

  test("a run of this name in another task does not hide this task's own", async () => {
    for (const task of ["a", "b"])
      await w.ok([
        "create-disposable-binding",
        task,
        "--goal",
        "Loop",
        "--json",
        "--run-name",
        "same",
        "--required-before-continue",
        "ci_green",
        "--max-iterations",
        "3",
      ]);
    const mine = w.rows<{ id: string }>("select r.id from runs r join tasks t on t.id = r.task_id where t.name = 'a'")[0]!.id;
    expect(await w.ok("enqueue-continue-iteration a --loop-run same --requested-iteration 2 --message go --json")).toMatchObject({
      loop_run_id: mine,
    });
  });
});

test("who queues is told when nobody is there to carry it, and not when somebody is", async () => {
  const note = "note: no Dispatch is running to carry it: conveyor dispatch --watch";
  expect((await w.run("enqueue-nudge-worker t1 --message x")).stderr).toBe(`${note}\n`);
  const file = join(w.dir, "other.db");
  await w.ok(["tasks", "--create", "t1", "--goal", "g", "--path", file]);
  expect((await w.run(["enqueue-notify-manager", "t1", "--message", "x", "--path", file])).stderr).toBe(`${note} --path ${file}\n`);
  const started = new Date((await startedAt(process.pid, process.env))!).toISOString();
  addDispatcher(
    w.store(),
    {
      dispatcher_id: "d1",
      host: thisHost(),
      pid: process.pid,
      process_started_at: started,
      dry_run: 0,
      only_type: null,
      interval_seconds: 2,
    },
    [],
    false,
  );
  expect((await w.run("enqueue-nudge-worker t1 --message x")).stderr).toBe("");
});
