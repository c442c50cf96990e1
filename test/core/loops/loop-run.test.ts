/** What a run must hold to be read as a loop, and what a new policy holds. */
import { describe, expect, test } from "bun:test";
import { Failure } from "../../../src/core/failure.ts";
import { loopMetadata, readLoop, runIdOf } from "../../../src/core/loops/loop-run.ts";
import { needLoopTemplate } from "../../../src/core/loops/templates.ts";
import type { Run } from "../../../src/core/loops/run.ts";

const run = (metadata: unknown, purpose: string | null = null): Run => ({
  id: "run-1",
  task_id: "task-1",
  name: "r1",
  purpose,
  status: "finished",
  started_at: "2026-01-01T00:00:00.000Z",
  ended_at: null,
  metadata: metadata as Record<string, unknown>,
});

describe("reading a run as a loop", () => {
  test("whole numbers may be texts, lists lose blanks, absent texts are null", () => {
    const { policy } = readLoop(
      run({
        kind: "ralph_loop",
        current_iteration: "1",
        max_iterations: " 3 ",
        required_before_continue: [" a ", "", 7, "b"],
        preset: "p",
        stop_conditions: "no",
      }),
    );
    expect(policy).toEqual({
      run_id: "run-1",
      template: "p",
      preset: "p",
      cleanup_policy: null,
      current_iteration: 1,
      max_iterations: 3,
      required_before_continue: ["a", "b"],
      stop_conditions: [],
      seed_prompt_sha256: null,
      artifact_requirements: {},
      recommended_tools: [],
      tags: [],
    });
  });

  test("purpose alone makes a loop, anything else does not", () => {
    expect(readLoop(run({ current_iteration: 0, max_iterations: 1 }, "ralph_loop")).policy.max_iterations).toBe(1);
    expect(() => readLoop(run({ current_iteration: 0, max_iterations: 1 }, "other"), "typed")).toThrow('run "typed" is not a loop run');
  });

  for (const metadata of [
    {},
    [],
    "text",
    { current_iteration: 1.5, max_iterations: 3 },
    { current_iteration: 1, max_iterations: "3x" },
    { current_iteration: 1, max_iterations: null },
  ]) {
    test(`without whole numbers it is refused: ${JSON.stringify(metadata)}`, () => {
      expect(() => readLoop(run(metadata, "ralph_loop"))).toThrow(Failure);
    });
  }
});

describe("a new policy", () => {
  test("has the template's gates first and no gate twice", () => {
    const metadata = loopMetadata({ template: needLoopTemplate("build_then_clear"), gates: ["lint", "build_passed"], currentIteration: 1 });
    expect(metadata).toMatchObject({
      template: "build_then_clear",
      preset: "build_then_clear",
      max_iterations: 2,
      required_before_continue: ["build_passed", "cleanup", "lint"],
      seed_prompt_sha256: null,
    });
  });

  test("without a template it has two iterations and its own clean-up", () => {
    expect(loopMetadata({ gates: ["x"], currentIteration: 1, cleanupPolicy: "compact", source: "s" })).toEqual({
      kind: "ralph_loop",
      policy_record: true,
      preset: null,
      source: "s",
      current_iteration: 1,
      max_iterations: 2,
      required_before_continue: ["x"],
      cleanup_policy: "compact",
      stop_conditions: ["max_iterations", "required_evidence"],
      seed_prompt_sha256: null,
    });
  });

  test("numbers that do not fit are refused by name", () => {
    expect(() => loopMetadata({ maxIterations: 0, currentIteration: 0 })).toThrow("--max-iterations");
    expect(() => loopMetadata({ currentIteration: -1 })).toThrow("--current-iteration");
    expect(() => loopMetadata({ maxIterations: 2, currentIteration: 3 })).toThrow("--current-iteration 3");
    expect(loopMetadata({ maxIterations: 2, currentIteration: 2 })).toMatchObject({ current_iteration: 2 });
  });
});

test("a payload belongs to the first run id it names", () => {
  expect(runIdOf({ ralph_loop: { run_id: "a" }, loop_policy: { run_id: "b" } })).toBe("a");
  expect(runIdOf({ ralph_loop: { run_id: "" }, loop_policy: { run_id: "b" } })).toBe("b");
  expect(runIdOf({ ralph_loop: "x", ralph_loop_run_id: "c", run_id: "d" })).toBe("c");
  expect(runIdOf({ loop_run_id: 7, run_id: "d" })).toBe("d");
  expect(runIdOf({})).toBeNull();
  expect(runIdOf(null)).toBeNull();
});
