/** A loop of three iterations with the real Codex: blocked for lack of evidence, going on after it, and ending at its maximum. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CodexWorld } from "../../codex-world.ts";
import { meta, rollout, THREAD } from "../../rollout.ts";

const world = new CodexWorld();
let thread = "";
let run = "";
const work = join(world.project, "work.txt");

/** What the worker is to do in an iteration; the model runs the line as its tool. */
const order = (iteration: number) => `run echo iteration-${iteration} >> work.txt`;
const status = async () => (await world.ok("loop-status t1 --run loop --json")).policy;

async function ask(iteration: number): Promise<Record<string, unknown>> {
  await world.ok([
    "enqueue-continue-iteration",
    "t1",
    "--loop-run",
    "loop",
    "--requested-iteration",
    String(iteration),
    "--message",
    order(iteration),
    "--json",
  ]);
  return (await world.ok("dispatch --once --type continue_iteration --json")).processed[0];
}

/** Proof of an iteration: one that this program makes by looking itself, and an attempt to disprove. */
async function prove(iteration: number): Promise<void> {
  const proof = [
    "evidence",
    "run",
    "t1",
    "--loop-run",
    "loop",
    "--iteration",
    String(iteration),
    "--type",
    "test_coverage",
    "--cwd",
    world.project,
    "--json",
  ];
  expect(await world.ok([...proof, "--", "grep", "-qx", `iteration-${iteration}`, "work.txt"])).toMatchObject({ machine_proven: true });
  await world.ok([
    "loop-evidence",
    "adversarial-check",
    "t1",
    "--loop-run",
    "loop",
    "--iteration",
    String(iteration),
    "--failure-mode",
    "the line is there twice",
    "--check",
    "counted it",
    "--result",
    "once",
  ]);
}

const done = (): string[] => readFileSync(work, "utf8").trim().split("\n");

beforeAll(async () => {
  const started = await world.ok(["start-worker", "--name", "w1", "--cwd", world.project, "--task", order(1), "--timeout-seconds", "30"]);
  thread = started.codex_session_id;
  await world.turns(thread, 1);
  const manager = await rollout(world, meta(THREAD.manager), THREAD.manager);
  await world.ok(["register-manager", "--name", "m1", "--pid", String(process.pid), "--codex-session", manager.path, "--cwd", world.work]);
  await world.ok(["tasks", "--create", "t1", "--goal", "three lines"]);
  await world.ok("bind --task t1 --worker w1 --manager m1");
  run = (await world.ok("loop-templates --create-run t1 --template test_coverage_loop --name loop --current-iteration 1")).id;
}, 60_000);
afterAll(() => world.close());

test("each iteration waits for the evidence of the one before, and is then done once", async () => {
  expect(done()).toEqual(["iteration-1"]);
  for (const iteration of [2, 3]) {
    const said = world.userTexts(thread).length;
    expect(await ask(iteration)).toMatchObject({
      state: "blocked",
      reason: "missing_required_evidence",
      missing_evidence: ["test_coverage", "adversarial_check"],
    });
    expect(world.userTexts(thread)).toHaveLength(said);
    await prove(iteration - 1);
    await world.idle(thread);
    expect(await ask(iteration)).toMatchObject({ state: "delivered", proof: "seen", requested_iteration: iteration, run_id: run });
    await world.turns(thread, iteration);
    expect(done().at(-1)).toBe(`iteration-${iteration}`);
    expect(world.userTexts(thread).at(-1)).toContain(`requested ${iteration}, current ${iteration - 1}, maximum 3`);
    expect(await status()).toMatchObject({ reached_iteration: iteration, current_iteration: 1 });
    expect(await ask(iteration)).toMatchObject({ state: "blocked", reason: "stale_requested_iteration" });
  }
}, 60_000);

test("it ends at its maximum, with all evidence on record", async () => {
  await prove(3);
  expect(await ask(4)).toMatchObject({ state: "blocked", reason: "max_iterations_reached", missing_evidence: [] });
  expect(done()).toEqual(["iteration-1", "iteration-2", "iteration-3"]);
  const seen = await world.ok("loop-status t1 --run loop --json");
  expect(seen).toMatchObject({
    policy: { reached_iteration: 3, delivered_iterations: [2, 3], blocked_reason: "max_iterations_reached" },
    commands: { states: { blocked: 5, succeeded: 2 } },
    notifications: { total: 2, delivered: 2 },
    inbox: { worker_unconsumed: 0 },
    evidence: { total: 6, machine_proven: ["test_coverage"], stale: ["test_coverage"] },
    recommendation: "ready_for_manager_review",
  });
}, 60_000);
