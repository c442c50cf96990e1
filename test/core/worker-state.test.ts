/** State and turn, told from records of both shapes of rollout. */
import { expect, test } from "bun:test";
import { parseRecord } from "../../src/core/codex/rollout.ts";
import { inferState, turnSign } from "../../src/core/sessions/worker-state.ts";

const nowMs = Date.parse("2026-01-01T00:10:00.000Z");
const record = (payload: object) => ({
  ...parseRecord(JSON.stringify({ type: "event_msg", payload }))!,
  timestamp: "2026-01-01T00:00:00.500Z",
  turn_error: null,
  broken: false,
});
const infer = (payload: object, lockHeld: boolean | null = true, processAlive: boolean | null = true) =>
  inferState(record(payload), null, { lockHeld, processAlive, restsSince: null }, nowMs);

test("nothing said yet", () => {
  expect(inferState(null, null, { lockHeld: null, processAlive: null, restsSince: null }, nowMs)).toEqual({
    state: "unknown",
    turn: "none",
    turn_error: null,
    last_state_event_at: null,
    staleness_seconds: null,
    last_event_subtype: null,
    task_completed: false,
  });
});

test.each([
  [{ type: "task_started" }, "busy", "open"],
  [{ type: "user_message", message: "x" }, "busy", "open"],
  [{ type: "item_completed", item: { type: "UserMessage", content: [] } }, "busy", "open"],
  [{ type: "task_complete" }, "idle", "completed"],
  [{ type: "turn_aborted", reason: "interrupted" }, "idle", "aborted"],
] as const)("%j: %s, turn %s", (payload, state, turn) => {
  expect(infer(payload)).toMatchObject({ state, turn, staleness_seconds: 599 });
});

test("an open turn that was broken off is over while somebody else writes; one that ended stays as it ended", () => {
  const broken = (payload: object, lives = true) =>
    inferState({ ...record(payload), broken: true }, null, { lockHeld: lives, processAlive: lives, restsSince: null }, nowMs);
  expect(broken({ type: "task_started" })).toMatchObject({ state: "idle", turn: "aborted" });
  expect(broken({ type: "task_complete" })).toMatchObject({ state: "idle", turn: "completed" });
  expect(broken({ type: "task_started" }, false)).toMatchObject({ state: "busy", turn: "crashed" });
});

test("an open turn whose writer is gone has crashed; state keeps its three values", () => {
  const started = { type: "task_started" };
  expect(infer(started, false, false)).toMatchObject({ state: "busy", turn: "crashed" });
  expect(infer(started, false, null)).toMatchObject({ turn: "crashed" });
  expect(infer(started, null, false)).toMatchObject({ turn: "crashed" });
  expect(infer(started, true, false)).toMatchObject({ turn: "open" });
  expect(infer(started, false, true)).toMatchObject({ turn: "open" });
  expect(infer(started, null, null)).toMatchObject({ turn: "open" });
  expect(infer({ type: "task_complete" }, false, false)).toMatchObject({ turn: "completed" });
});

test("records that say nothing about the turn", () => {
  for (const payload of [
    { type: "agent_message" },
    { type: "token_count" },
    { type: "item_completed", item: { type: "AgentMessage" } },
    { type: "toString" },
  ]) {
    expect(turnSign(record(payload))).toBeNull();
  }
  expect(turnSign(parseRecord('{"type":"response_item","payload":{"type":"task_complete"}}')!)).toBeNull();
});

test("a turn that stands open is over when its agent says that it has rested since; not when it rested before", () => {
  const at = Date.parse("2026-01-01T00:00:00.500Z");
  const rests = (restsSince: number, writes = true) =>
    inferState(record({ type: "task_started" }), null, { lockHeld: writes, processAlive: writes, restsSince }, nowMs);
  expect(rests(at + 1)).toMatchObject({ state: "idle", turn: "aborted" });
  expect(rests(at - 1)).toMatchObject({ state: "busy", turn: "open" });
  expect(rests(at + 1, false)).toMatchObject({ state: "busy", turn: "crashed" });
});
