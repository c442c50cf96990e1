/** Records of both shapes: the same facts, and nothing that breaks on the unknown. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type AgentFact, type AgentRecord, readFact } from "../../../src/core/agent/record.ts";
import { isKnown, parseRecord, recordName } from "../../../src/core/codex/rollout.ts";

const rollout = (name: string) =>
  readFileSync(join(import.meta.dir, "../../fixtures/codex-0.169.0/rollouts", name), "utf8")
    .trimEnd()
    .split("\n");
type Judged = Exclude<AgentFact, { kind: "other" }> | { readonly kind: "other"; readonly known: boolean };
const judge = (record: AgentRecord): Judged => {
  const said = readFact(record);
  return said.kind === "other" ? { kind: "other", known: isKnown(record) } : said;
};
const fact = (value: unknown): Judged => judge(parseRecord(JSON.stringify(value))!);
const event = (payload: object) => fact({ timestamp: "2026-05-11T14:00:00Z", type: "event_msg", payload });
const known = (lines: string[]) => lines.map((line) => parseRecord(line)!).map(judge);

test("a turn of 0.169 reads as its story", () => {
  const facts = known(rollout("turn-with-command.jsonl")).filter((each) => each.kind !== "other");
  expect(facts.map((each) => each.kind)).toEqual(["session", "turn_started", "user", "tokens", "agent", "tokens", "turn_completed"]);
  expect(facts[0]).toMatchObject({
    id: "01a20305-f462-7ac1-ac91-3d8bc32cc461",
    cwd: "/home/dev/project",
    originator: "codex-tui",
    version: "0.169.0",
  });
  expect(facts[2]).toEqual({
    kind: "user",
    text: "show env b",
    clientId: "d9469ad6-08bd-4bb9-9413-6544507fb5ce",
    turnId: "01a20305-f531-71c3-93e8-5f1398c58061",
  });
  expect(facts.at(-1)).toMatchObject({
    lastMessage: "Finished the turn.",
    durationMs: 617,
    turnId: "01a20305-f531-71c3-93e8-5f1398c58061",
  });
  expect(facts[5]).toMatchObject({ total: { input: 200, output: 20, total: 220 }, last: { total: 110 } });
});

test("an interrupted turn ends, and nothing in the captured rollouts is unknown", () => {
  const facts = known(rollout("interrupted-then-queued.jsonl"));
  expect(facts.filter((each) => ["turn_started", "turn_completed", "turn_aborted"].includes(each.kind)).map((each) => each.kind)).toEqual([
    "turn_started",
    "turn_aborted",
    "turn_started",
    "turn_completed",
  ]);
  for (const name of ["turn-with-command.jsonl", "interrupted-then-queued.jsonl", "approval-declined.jsonl"]) {
    const strange = rollout(name)
      .map((line) => parseRecord(line)!)
      .filter((record) => {
        const read = judge(record);
        return read.kind === "other" && !read.known;
      });
    expect(strange.map(recordName)).toEqual([]);
  }
});

test("the older shape gives the same facts", () => {
  expect(event({ type: "user_message", message: "do it", kind: "plain" })).toEqual({
    kind: "user",
    text: "do it",
    clientId: null,
    turnId: null,
  });
  expect(event({ type: "agent_message", message: "done" })).toEqual({ kind: "agent", text: "done", turnId: null });
  expect(event({ type: "task_started", model_context_window: 1 })).toEqual({ kind: "turn_started", turnId: null });
  expect(event({ type: "task_complete", last_agent_message: "done" })).toEqual({
    kind: "turn_completed",
    turnId: null,
    lastMessage: "done",
    durationMs: null,
    error: null,
  });
  expect(event({ type: "turn_aborted", reason: "interrupted" })).toEqual({ kind: "turn_aborted", turnId: null, reason: "interrupted" });
  expect(event({ type: "token_count", info: null })).toEqual({ kind: "other", known: true });
});

test("lines that are no records, and records that no rule knows", () => {
  for (const line of ["", "  ", "{", "[1]", "null", "3", '"x"', "{}", '{"type":3}']) expect(parseRecord(line)).toBeNull();
  expect(parseRecord('{"type":"odd","payload":[1]}')).toEqual({ type: "odd", subtype: null, payload: {}, timestamp: null });
  expect(parseRecord('{"type":"response_item","payload":{"type":"task_complete"}}')?.subtype).toBeNull();
  expect(fact({ type: "odd" })).toEqual({ kind: "other", known: false });
  expect(event({ type: "brand_new" })).toEqual({ kind: "other", known: false });
  const item = { type: "event_msg", payload: { type: "item_completed", item: { type: "BrandNew" } } };
  expect(fact(item)).toEqual({ kind: "other", known: false });
  expect(recordName(parseRecord(JSON.stringify(item))!)).toBe("event_msg/item_completed/BrandNew");
});
