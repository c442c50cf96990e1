/** The table of a message, driven over real rows: random sequences of moves, by those who may and those who may not. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { allows, MESSAGE_STATES, type MessageState, type TransitionName, TRANSITIONS } from "../../../src/core/dispatch/message.ts";
import { type Right } from "../../../src/store/dispatch/message.ts";
import type { Store } from "../../../src/store/store.ts";
import { World } from "../../harness.ts";
import { boundPair } from "../../rollout.ts";
import { Story } from "./story.ts";

let w: World;
let store: Store;
beforeEach(async () => {
  w = new World();
  await boundPair(w);
  store = w.store();
});
afterEach(() => w.close());

const NAMES = Object.keys(TRANSITIONS) as TransitionName[];
const ENDS: readonly MessageState[] = ["inbox", "delivered", "blocked", "failed", "suppressed"];

test("no move leads out of an end, every state but the first and a suppressed one is reached, and only a proof moves what was given up", () => {
  expect(NAMES.filter((name) => ENDS.some((end) => allows(name, end)))).toEqual([]);
  const reached = new Set<MessageState>(NAMES.map((name) => TRANSITIONS[name].to));
  expect(MESSAGE_STATES.filter((state) => !reached.has(state))).toEqual(["suppressed"]);
  for (const state of ["typed", "unknown"] as const) expect(NAMES.filter((name) => allows(name, state))).toEqual(["prove"]);
});

/** A generator of its own, so that a failing sequence can be run again. */
function random(seed: number): () => number {
  let at = seed;
  return () => {
    at = (at + 0x6d2b79f5) | 0;
    let mixed = Math.imul(at ^ (at >>> 15), 1 | at);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function expectOneStory(story: Story, state: MessageState): void {
  const { command, attempt, notification, delivery } = story.now();
  const held = state === "claimed" || state === "begun" || state === "accepted";
  if (command !== null) {
    expect(attempt?.state === "running").toBe(held);
    expect(command.state === "attempted").toBe(held);
  }
  expect(w.rows("select 1 from message_claims")).toHaveLength(held ? 1 : 0);
  expect(w.rows("select 1 from command_attempts where side_effect_completed > side_effect_started")).toEqual([]);
  expect(w.rows("select 1 from routed_notifications where side_effect_completed > side_effect_started")).toEqual([]);
  if (attempt !== null && notification !== null && attempt.state === "running")
    expect(notification.side_effect_started).toBe(attempt.side_effect_started);
  const told = { begun: "sending", accepted: "typed", typed: "typed", unknown: "unknown", delivered: "delivered" } as Record<
    string,
    string
  >;
  if (told[state] !== undefined) expect(delivery?.state as string).toBe(told[state]!);
}

for (const kind of ["command", "turn"] as const) {
  test(`random moves of a ${kind}: what the table allows is written in all places, what it does not changes nothing`, () => {
    const seen = new Set<string>();
    for (let seed = 1; seed <= 150; seed++) {
      for (const table of ["message_claims", "delivery_steps", "deliveries", "routed_notifications", "command_attempts", "commands"])
        store.db.run(`delete from ${table}`);
      const story = new Story(store, kind);
      const next = random(seed);
      let state: MessageState = "queued";
      for (let step = 0; step < 25; step++) {
        const among = next() < 0.5 ? NAMES : NAMES.filter((each) => allows(each, state));
        const name = (among.length === 0 ? NAMES : among)[Math.floor(next() * (among.length || NAMES.length))]!;
        // Nothing of a loop blocks the end of a turn.
        if (kind === "turn" && name === "block") continue;
        const before = story.snapshot();
        const may = allows(name, state);
        const right = story.right(name);
        expect([seed, name, story.move(name, right)]).toEqual([seed, name, may]);
        if (!may) expect(story.snapshot()).toBe(before);
        else {
          state = TRANSITIONS[name].to;
          seen.add(name);
        }
        expect([seed, name, story.now().state]).toEqual([seed, name, state]);
        expectOneStory(story, state);
      }
    }
    const possible = NAMES.filter((name) => kind === "command" || name !== "block");
    expect(possible.filter((name) => !seen.has(name))).toEqual([]);
  }, 60_000);
}

describe("a right that is over", () => {
  test("a claim that was taken over, and a look that is older than the last move, move nothing", () => {
    for (const kind of ["command", "turn"] as const) {
      const story = new Story(store, kind);
      story.move("claim");
      const holder = story.right("begin");
      const recovery = story.right("requeue");
      story.move("requeue");
      story.move("claim");
      const before = story.snapshot();
      expect([story.move("begin", holder), story.move("fail", holder), story.move("requeue", recovery)]).toEqual([false, false, false]);
      expect(story.snapshot()).toBe(before);
      story.move("begin");
      const begun = story.right("loseTrack");
      story.move("wait");
      expect(story.move("loseTrack", begun)).toBe(false);
      expect(story.now().state).toBe("accepted");
    }
  });

  test("a lease that runs, of a holder that is not known to be gone, is left alone", () => {
    const story = new Story(store, "command");
    story.move("claim");
    const right = { ...(story.right("requeue") as Right & { by: "recovery" }), gone: [] };
    expect(story.move("requeue", right)).toBe(false);
    store.db.run("update commands set claim_expires_at = '2020-01-01T00:00:00Z'");
    expect(story.move("requeue", { ...right, seen: story.now() })).toBe(true);
  });

  test("a write that fails undoes the whole move", () => {
    const story = new Story(store, "command");
    story.move("claim");
    story.move("begin");
    const before = story.snapshot();
    for (const table of ["commands", "command_attempts", "routed_notifications", "deliveries"]) {
      store.db.run(`create trigger broken before update on ${table} begin select raise(abort, 'disk on fire'); end`);
      expect(() => story.move("deliver")).toThrow("disk on fire");
      store.db.run("drop trigger broken");
      expect(story.snapshot()).toBe(before);
    }
    expect(story.move("deliver")).toBe(true);
  });
});
