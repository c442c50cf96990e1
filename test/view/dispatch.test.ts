/** What Dispatch says to people. */
import { expect, test } from "bun:test";
import { itemText, summaryText } from "../../src/view/dispatch/dispatch.ts";

test("an item says what went where, how, and why not", () => {
  expect(itemText({ command_type: "nudge_worker", target_session: "w1", state: "delivered", transport: "tmux", proof: "seen" })).toBe(
    "nudge_worker -> w1: delivered (tmux, proof seen)",
  );
  expect(itemText({ signal_type: "worker_task_complete", target_session: "m1", state: "pull_required", transport: "inbox" })).toBe(
    "worker_task_complete -> m1: pull_required (inbox)",
  );
  expect(itemText({ command_type: "continue_iteration", target_session: "w1", state: "blocked", reason: "max_iterations_reached" })).toBe(
    "continue_iteration -> w1: blocked: max_iterations_reached",
  );
  expect(itemText({ command_type: "nudge_worker", state: "failed", error: "no binding" })).toBe("nudge_worker: failed: no binding");
});

test("a summary counts by state, and passes only for a watch", () => {
  expect(summaryText({ processed_count: 0, iterations: 1, watch: false, states: {} })).toBe("0 processed");
  expect(summaryText({ processed_count: 3, iterations: 2, watch: true, states: { failed: 1, delivered: 2 } })).toBe(
    "3 processed in 2 passes: 2 delivered, 1 failed",
  );
});
