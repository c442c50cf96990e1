/** What is asked, on record: one row for one question, also while its page is still being understood. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { AgentAsk } from "../../src/core/agent/protocol.ts";
import { openAsks, recordAsks } from "../../src/store/asks.ts";
import { findSession } from "../../src/store/sessions/sessions.ts";
import { World } from "../harness.ts";
import { lonelyWorker } from "../rollout.ts";

const w = new World();
let session: string;
beforeAll(async () => {
  await lonelyWorker(w);
  session = findSession(w.store(), "w1")!.id;
});
afterAll(() => w.close());

const told = (requestId: string, turnId: string | null, itemId: string | null, command: string): AgentAsk => ({
  requestId,
  threadId: "thread",
  turnId,
  itemId,
  kind: "command",
  question: "Do you want to proceed?",
  command,
  cwd: "/",
  reason: null,
  choices: [],
  takesText: false,
  raw: {},
});
const record = (...asks: AgentAsk[]) => recordAsks(w.store(), session, null, asks, { turn: null, lives: () => false });

test("a page is the same question when its turn and its step are told later, and another one with another step", () => {
  const [first] = record(told("page 1", null, null, "…end"));
  const [second] = record(told("page 1", "turn", "step", "the whole of it to its end"));
  expect(second).toMatchObject({ id: first!.id, turn_id: "turn", item_id: "step", command: "the whole of it to its end" });
  expect(openAsks(w.store(), session)).toHaveLength(1);
  const [third] = record(told("page 1", "turn", "another step", "the whole of it to its end"));
  expect(third!.id).not.toBe(first!.id);
  expect(record()).toEqual([]);
});

test("what a protocol asks is told whole at once: another step is another question", () => {
  const [first] = record(told("7", "turn", null, "one"));
  const [second] = record(told("7", "turn", "step", "one"));
  expect(second!.id).not.toBe(first!.id);
  record();
});
