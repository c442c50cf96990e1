/** The health verdict: the first condition that holds decides. */
import { expect, test } from "bun:test";
import { type HealthQuestion, judgeHealth, knownState, statusOf } from "../../../src/core/tasks/worker-status.ts";

const fresh: HealthQuestion = {
  running: true,
  state: "editing",
  captureError: null,
  finding: null,
  waits: null,
  statusAge: 0,
  statusStaleSeconds: 120,
  terminalAge: 0,
  terminalStaleSeconds: 120,
};
const finding = { pattern: "plan_prompt", reason: "r", recommended_action: "inspect_or_confirm" };
const all = { ...fresh, running: false, state: "blocked", captureError: "denied", finding, statusAge: null, terminalAge: null };

test("the conditions in their order", () => {
  expect(judgeHealth(all)).toEqual({ health: "stopped", reason: "denied", recommended_action: "none" });
  expect(judgeHealth({ ...all, running: true }).health).toBe("blocked");
  expect(judgeHealth({ ...all, running: true, state: "done" }).health).toBe("done");
  expect(judgeHealth({ ...all, running: true, state: "editing" })).toEqual({
    health: "unknown",
    reason: "denied",
    recommended_action: "inspect_terminal",
  });
  expect(judgeHealth({ ...all, running: true, state: "editing", captureError: null })).toMatchObject({
    health: "busy_wait",
    recommended_action: "inspect_or_confirm",
  });
  expect(judgeHealth({ ...fresh, statusAge: null, terminalAge: 120 })).toMatchObject({
    health: "stale",
    recommended_action: "ask_for_status",
  });
  expect(judgeHealth({ ...fresh, terminalAge: 120 })).toMatchObject({ health: "quiet", recommended_action: "wait" });
  expect(judgeHealth({ ...fresh, statusAge: 120 })).toMatchObject({ health: "status_stale", recommended_action: "wait" });
  expect(judgeHealth({ ...fresh, statusAge: 119, terminalAge: 119 })).toMatchObject({ health: "active", recommended_action: "none" });
});

test("the reason names what the screen asks, also while that is too young to be a finding, and nothing that hides the screen", () => {
  const waits = "Codex asks";
  expect(judgeHealth({ ...all, waits, running: true, state: "editing" }).reason).toBe("denied");
  expect(judgeHealth({ ...fresh, waits, finding })).toMatchObject({ health: "busy_wait", reason: waits });
  expect(judgeHealth({ ...fresh, waits })).toEqual({ health: "active", reason: waits, recommended_action: "none" });
});

test("a status file of any shape", () => {
  expect(statusOf({ state: 7, current_task: "t", blocker: null, last_update: "yesterday" })).toEqual({
    state: "unknown",
    current_task: "t",
    next_action: null,
    blocker: null,
    last_update: null,
  });
  expect(knownState("dancing")).toBe("unknown");
  expect(knownState("running_tests")).toBe("running_tests");
});
