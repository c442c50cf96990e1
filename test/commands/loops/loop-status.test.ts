/** `loop-status`: what counts for a run, and what the next iteration still needs. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { World } from "../../harness.ts";

let w: World;
let run: string;
beforeEach(async () => {
  w = new World();
  run = (await w.ok("create-disposable-binding t1 --template test_coverage_loop --run-name r1 --json")).run.id;
});
afterEach(() => w.close());

const status = () => w.ok("loop-status t1 --run r1 --json");
const prove = async (iteration: number) => {
  await w.ok(`loop-evidence add t1 --loop-run r1 --iteration ${iteration} --evidence-type test_coverage`);
  await w.ok(`loop-evidence adversarial-check t1 --loop-run r1 --iteration ${iteration} --failure-mode f --check c --result r`);
};
const ask = async (iteration: number) => {
  await w.ok(`enqueue-continue-iteration t1 --loop-run r1 --requested-iteration ${iteration} --message go`);
  return (await w.ok("dispatch --once --type continue_iteration --json")).processed[0];
};

test("the missing evidence of the next iteration is named until it is there", async () => {
  expect((await status()).policy).toMatchObject({
    next_iteration: 2,
    blocked_reason: "missing_required_evidence",
    missing_evidence: ["test_coverage", "adversarial_check"],
  });
  const text = await w.ok("loop-status t1 --run r1");
  expect(text).toContain(
    "policy: test_coverage_loop 1/3, iteration 2 blocked: missing_required_evidence (test_coverage, adversarial_check)",
  );
  await prove(1);
  expect((await status()).policy).toMatchObject({ blocked_reason: null, missing_evidence: [] });
});

test("a loop moves on with what the worker took, and no iteration is delivered twice", async () => {
  await prove(1);
  expect((await ask(2)).state).toBe("pull_required");
  expect((await status()).policy).toMatchObject({
    current_iteration: 1,
    reached_iteration: 1,
    delivered_iterations: [2],
    next_iteration: 3,
    blocked_reason: "missing_required_evidence",
  });
  const again = await w.run("enqueue-continue-iteration t1 --loop-run r1 --requested-iteration 2 --message go --json");
  expect(again.json()).toMatchObject({ delivered_iterations: [2], reached_iteration: 1 });
  expect(again.stderr).toContain('iteration 2 of loop run "r1" was delivered already');
  expect((await w.ok("dispatch --once --json")).processed[0]).toMatchObject({ state: "blocked", reason: "stale_requested_iteration" });
  await w.ok("worker-inbox t1 --consume-next --json");
  expect((await status()).policy).toMatchObject({
    current_iteration: 1,
    reached_iteration: 2,
    next_iteration: 3,
    missing_evidence: ["test_coverage", "adversarial_check"],
  });
  await prove(2);
  expect(await ask(3)).toMatchObject({
    state: "pull_required",
    current_iteration: 1,
    reached_iteration: 2,
    loop_policy: { current_iteration: 1 },
  });
  expect((await w.ok("worker-inbox t1 --consume-next --json")).consumed.payload.ralph_loop).toMatchObject({
    current_iteration: 1,
    requested_iteration: 3,
  });
  expect((await status()).policy).toMatchObject({ reached_iteration: 3, blocked_reason: "max_iterations_reached" });
  expect(w.rows("select json_extract(metadata_json, '$.current_iteration') n from runs where id = ?", run)).toEqual([{ n: 1 }]);
});

test("what was typed into a pane does not wait in the inbox", async () => {
  await prove(1);
  await ask(2);
  expect((await status()).inbox.worker_unconsumed).toBe(1);
  w.store().db.run("update routed_notifications set delivery_mode = 'push'");
  const after = await status();
  expect([after.inbox.worker_unconsumed, after.policy.reached_iteration, after.recommendation]).toEqual([0, 2, "ready_for_manager_review"]);
});

test("a row belongs to the first run it names, in its payload or its result", async () => {
  const store = w.store();
  const command = (payload: unknown, result: unknown = null) =>
    store.db
      .query(
        "insert into commands (id, idempotency_key, created_at, updated_at, task_id, type, state, payload_json, result_json) values (?1, ?1, 'x', 'x', (select id from tasks), 'other', 'failed', ?2, ?3)",
      )
      .run(store.newId("command"), JSON.stringify(payload), result === null ? null : JSON.stringify(result));
  command({ ralph_loop: { run_id: "" }, run_id: run });
  command({ loop_run_id: "run-other", run_id: run });
  command({ ralph_loop: "text", ralph_loop_run_id: run });
  command({}, { run_id: run });
  command([]);
  expect((await status()).commands).toEqual({ total: 3, states: { failed: 3 } });
});

test("nine lines for people", async () => {
  const lines = (await w.ok("loop-status t1 --run r1")).trimEnd().split("\n");
  expect(lines.map((line: string) => line.split(":")[0])).toEqual([
    "task",
    "run",
    "policy",
    "commands",
    "notifications",
    "worker_unconsumed",
    "dispatch_inbox_consumed",
    "failures",
    "recommendation",
  ]);
});
