/** What a session asks is on record once, whoever looks, and a look that took long neither ends nor repeats what has come or gone since. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import type { AgentAsk } from "../../src/core/agent/protocol.ts";
import { endAsk, goneAsks, openAsks, recordAsk, recordAsks } from "../../src/store/asks.ts";
import { World } from "../harness.ts";
import { lonelyWorker } from "../rollout.ts";

let w: World;
let session: string;
const asked: AgentAsk = {
  requestId: "7",
  threadId: "thread",
  turnId: "turn",
  itemId: "step",
  kind: "command",
  question: "May it?",
  command: "touch it",
  cwd: null,
  reason: null,
  choices: [{ word: "yes", label: "Yes" }],
  takesText: false,
  raw: {},
};
const rows = () => w.rows<{ command: string; answered_by: string | null }>("select command, answered_by from agent_asks order by rowid");
const look = (since: string, told: readonly AgentAsk[]) =>
  recordAsks(w.store(), session, null, told, { since, turn: { id: "turn", status: "running" }, lives: () => false });
beforeEach(async () => {
  w = new World();
  await lonelyWorker(w);
  session = w.rows<{ id: string }>("select id from sessions")[0]!.id;
});
afterEach(() => w.close());

test("what was answered while somebody else still looked is not asked again", () => {
  const store = w.store();
  const before = store.now();
  const [ask] = look(before, [asked]);
  w.clock += 1000;
  endAsk(store, ask!, { by: "person", proof: "seen" });
  expect(look(before, [asked])).toEqual([]);
  recordAsk(store, session, null, asked);
  expect(rows()).toEqual([{ command: "touch it", answered_by: "person" }]);
  // The same step asks for something else: another number.
  recordAsk(store, session, null, { ...asked, requestId: "8", command: "touch that" });
  expect(openAsks(store, session).map(({ command }) => command)).toEqual(["touch that"]);
});

test("what came while somebody looked is not ended by that look, and by the next one is", () => {
  const store = w.store();
  const before = store.now();
  w.clock += 1000;
  recordAsk(store, session, null, asked);
  expect(goneAsks(store, session, [], before)).toEqual([]);
  look(before, []);
  expect(openAsks(store, session)).toHaveLength(1);
  w.clock += 1000;
  look(store.now(), []);
  expect(rows()).toEqual([{ command: "touch it", answered_by: "other" }]);
});

const page = (requestId: string, turnId: string | null, itemId: string | null, command: string): AgentAsk => ({
  ...asked,
  requestId,
  turnId,
  itemId,
  command,
});
const record = (...asks: AgentAsk[]) =>
  recordAsks(w.store(), session, null, asks, { since: w.store().now(), turn: null, lives: () => false });

test("a page is the same question when its turn and its step are told later, and another one with another step", () => {
  const [first] = record(page("page 1", null, null, "…end"));
  const [second] = record(page("page 1", "turn", "step", "the whole of it to its end"));
  expect(second).toMatchObject({ id: first!.id, turn_id: "turn", item_id: "step", command: "the whole of it to its end" });
  expect(openAsks(w.store(), session)).toHaveLength(1);
  const [third] = record(page("page 1", "turn", "another step", "the whole of it to its end"));
  expect(third!.id).not.toBe(first!.id);
  expect(record()).toEqual([]);
});

test("what a protocol asks is told whole at once: another step is another question", () => {
  const [first] = record(page("7", "turn", null, "one"));
  const [second] = record(page("7", "turn", "step", "one"));
  expect(second!.id).not.toBe(first!.id);
  record();
});
