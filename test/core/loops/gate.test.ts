/** The gate of a loop: reasons in their order, which receipts count, and the text for the worker. */
import { describe, expect, test } from "bun:test";
import type { Criterion } from "../../../src/core/tasks/criteria.ts";
import { decideGate, iterationText } from "../../../src/core/loops/gate.ts";
import type { LoopPolicy } from "../../../src/core/loops/loop-run.ts";

const policy = (change: Partial<LoopPolicy> = {}): LoopPolicy => ({
  run_id: "run-1",
  template: null,
  preset: null,
  cleanup_policy: "clear",
  current_iteration: 1,
  max_iterations: 3,
  required_before_continue: [],
  stop_conditions: [],
  seed_prompt_sha256: null,
  artifact_requirements: {},
  recommended_tools: [],
  tags: [],
  ...change,
});
const receipt = (type: string, change: Record<string, unknown> = {}, status: Criterion["status"] = "satisfied") =>
  ({ status, evidence: { evidence_type: type, ralph_loop_run_id: "run-1", iteration: 1, ...change } }) as unknown as Criterion;
const decide = (
  change: Partial<LoopPolicy>,
  requested: number,
  criteria: Criterion[] = [],
  delivered: number[] = [],
  reached = change.current_iteration ?? 1,
) => decideGate({ policy: policy(change), requested, reached, delivered, criteria });

describe("reasons, the first that fits", () => {
  test("an iteration that is not ahead, or was delivered before", () => {
    expect(decide({ max_iterations: 1 }, 1).reason).toBe("stale_requested_iteration");
    expect(decide({}, 2, [], [2]).reason).toBe("stale_requested_iteration");
    expect(decide({}, 2, [], [3], 3).reason).toBe("stale_requested_iteration");
  });

  test("the maximum, before evidence is looked at", () => {
    expect(decide({ required_before_continue: ["a"] }, 4)).toEqual({ reason: "max_iterations_reached", missing: [] });
    expect(decide({ current_iteration: 3 }, 4).reason).toBe("max_iterations_reached");
  });

  test("one missing type is named, several have a reason of their own in the order of the policy", () => {
    expect(decide({ required_before_continue: ["ci_green"] }, 2)).toEqual({ reason: "missing_ci_green_evidence", missing: ["ci_green"] });
    expect(decide({ required_before_continue: ["b", "a", "c"] }, 2, [receipt("a")])).toEqual({
      reason: "missing_required_evidence",
      missing: ["b", "c"],
    });
  });

  test("the first iteration needs no evidence", () => {
    expect(decide({ current_iteration: 0, required_before_continue: ["a"] }, 1).reason).toBeNull();
  });
});

describe("receipts", () => {
  const counts = (...criteria: Criterion[]) => decide({ required_before_continue: ["a"] }, 2, criteria).reason === null;

  test("count for this run and the iteration before, as a number, when satisfied", () => {
    expect(counts(receipt("a"))).toBe(true);
    expect(counts(receipt("a", { iteration: 2 }))).toBe(false);
    expect(counts(receipt("a", { iteration: "1" }))).toBe(false);
    expect(counts(receipt("a", { ralph_loop_run_id: "run-2" }))).toBe(false);
    expect(counts(receipt("a", {}, "accepted"))).toBe(false);
  });

  test("an adversarial check must tell what was tried and that it held", () => {
    const told = { failure_mode: "empty input", check: "ran it", result: "held" };
    const passes = (evidence: Record<string, unknown>) =>
      decide({ required_before_continue: ["adversarial_check"] }, 2, [receipt("adversarial_check", evidence)]).reason === null;
    expect(passes(told)).toBe(true);
    expect(passes({ ...told, status: "pass" })).toBe(true);
    expect(passes({ ...told, status: null })).toBe(true);
    expect(passes({ ...told, result: " " })).toBe(false);
    expect(passes({ ...told, status: " Failed " })).toBe(false);
    expect(passes({ ...told, status: 1 })).toBe(false);
    expect(passes({})).toBe(false);
  });
});

test("the text holds the message, then the policy, with none where there is nothing", () => {
  const lines = iterationText(
    "Go on\n\n",
    policy({ template: "visual", recommended_tools: ["playwright", "tsc"], artifact_requirements: { b: 1, a: 2 } }),
    { requested: 3, reached: 2 },
  ).split("\n");
  expect(lines.slice(0, 3)).toEqual(["Go on", "", "Loop policy:"]);
  expect(lines).toContain("run_id: run-1");
  expect(lines).toContain("template: visual");
  expect(lines).toContain("iteration: requested 3, current 2, maximum 3");
  expect(lines).toContain("required evidence: none");
  expect(lines).toContain("recommended tools: playwright, tsc");
  expect(lines).toContain("artifact requirements: a, b");
  expect(iterationText("x", policy(), { requested: 2, reached: 1 })).toContain("template: unknown");
});
