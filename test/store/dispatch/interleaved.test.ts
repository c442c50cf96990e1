/** Two at one message, each with a step between its look and its write, in both orders: one of them moves it, and it has one story. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { endClaim } from "../../../src/store/dispatch/command-queue.ts";
import { claimTurn, waitingTurns } from "../../../src/store/dispatch/completions.ts";
import { claimNextItem, keepConsumed } from "../../../src/store/dispatch/inbox.ts";
import type { MessageState } from "../../../src/core/dispatch/message.ts";
import { proveMessages } from "../../../src/store/dispatch/prove.ts";
import { overdueCommands, overdueTurns, recoverMessages } from "../../../src/store/dispatch/recovery.ts";
import { deliveryById } from "../../../src/store/deliveries.ts";
import { sessionById } from "../../../src/store/sessions/sessions.ts";
import type { Store } from "../../../src/store/store.ts";
import { World } from "../../harness.ts";
import { boundPair } from "../../rollout.ts";
import { arrive, claimant, claimNext, DEAD, Story } from "./story.ts";

let w: World;
let store: Store;
beforeEach(async () => {
  w = new World();
  await boundPair(w);
  store = w.store();
});
afterEach(() => w.close());

const KINDS = ["command", "turn"] as const;
const B = { dispatcherId: "b", leaseSeconds: 60, holder: { world: "here", pid: 2, born: "2" } };

/** What somebody saw, still to be acted on; gives whether it moved the message. */
type Write = () => boolean;
type Actor = (story: Story) => Write;

function prove(story: Story, by: string | null): Write {
  const { delivery } = story.now();
  if (delivery === null) return () => false;
  return () =>
    proveMessages(store, delivery, by, () => {
      if (deliveryById(store, delivery.id)!.state === "delivered") return;
      arrive(store, delivery.id);
    }).length > 0;
}

const ACTORS: Record<string, Actor> = {
  /** The holder, with whatever its sending came to. */
  "dispatcher A": (story) => {
    const name = story.now().state === "claimed" ? "begin" : "doubt";
    const right = story.right(name);
    return () => story.move(name, right);
  },
  "dispatcher B": (story) => {
    const waiting = story.kind === "turn" ? waitingTurns(store, [DEAD])[0] : undefined;
    if (story.kind === "turn") return () => waiting !== undefined && claimTurn(store, waiting.id, B, [DEAD]) !== null;
    return () => claimNext(store, B, ["nudge_worker"]) !== null;
  },
  recovery: (story) => {
    const seen =
      story.kind === "command" ? overdueCommands(store, ["nudge_worker"], [DEAD], 9)[0] : overdueTurns(store, [DEAD], true, 9)[0];
    return () => seen !== undefined && recoverMessages(store, B, seen, false, [DEAD], store.now()).length > 0;
  },
  "late settle": (story) => prove(story, "b"),
  "a person's deliveries": (story) => prove(story, null),
  "a person's inbox": (story) => {
    const target = story.now().notification?.target_session_id;
    return () => {
      if (target === undefined) return false;
      const session = sessionById(store, target)!;
      const item = claimNextItem(store, session, { holder: null, gone: [] });
      if (item !== null) keepConsumed(store, session, item, { count: 1, wait: false });
      return item !== null;
    };
  },
};

/** What must be true of the rows however they came about. */
function oneStory(story: Story): void {
  const { state, command, attempt, notification, delivery } = story.now();
  expect(w.rows("select 1 from command_attempts where state = 'running'").length).toBeLessThanOrEqual(1);
  if (command !== null) expect(command.state === "attempted").toBe(attempt?.state === "running");
  if (state === "delivered") {
    expect([notification?.state, delivery?.state]).toEqual(["delivered", "delivered"]);
    if (command !== null) expect([command.state, attempt?.state as string]).toEqual(["succeeded", "succeeded"]);
  } else expect(delivery?.state).not.toBe("delivered");
  for (const type of ["dispatch_command_succeeded", "dispatch_signal_routed"])
    expect(w.rows("select 1 from telemetry_events where event_type = ?", type).length).toBeLessThanOrEqual(1);
}

const STARTS: Record<string, readonly Parameters<Story["move"]>[0][]> = {
  claimed: ["claim"],
  begun: ["claim", "begin"],
  accepted: ["claim", "begin", "wait"],
  unknown: ["claim", "begin", "loseTrack"],
};

for (const kind of KINDS)
  for (const [start, moves] of Object.entries(STARTS))
    test(`a ${kind} that is ${start}`, async () => {
      for (const [first, look] of Object.entries(ACTORS))
        for (const [second, lookToo] of Object.entries(ACTORS))
          for (const swapped of [false, true]) {
            const tables = ["message_claims", "delivery_steps", "deliveries", "routed_notifications", "command_attempts", "commands"];
            for (const table of [...tables, "telemetry_events"]) store.db.run(`delete from ${table}`);
            const story = new Story(store, kind);
            for (const move of moves) expect(story.move(move)).toBe(true);
            const [one, other] = [look(story), lookToo(story)];
            const [a, b] = swapped ? [other(), one()] : [one(), other()];
            const names = swapped ? [second, first] : [first, second];
            const at = `${names.join(", then ")}: ${a}, ${b}`;
            const { state } = story.now();
            oneStory(story);
            const proved = (name: string): boolean => name === "late settle" || name === "a person's deliveries";
            // What was begun goes to nobody again, and what is proven stays so, whoever comes after or was before.
            if (start !== "claimed") expect([at, ["queued", "claimed", "parked"].includes(state)]).toEqual([at, false]);
            if (start !== "claimed" && names.some(proved)) expect([at, state]).toEqual([at, "delivered" as MessageState]);
            // Of a claim whose holder is gone, one of two gets the message.
            const [one_, two_] = [names.indexOf("dispatcher A"), names.indexOf("recovery")];
            if (start === "claimed" && kind === "command" && one_ >= 0 && two_ >= 0) {
              expect([at, a !== b]).toEqual([at, true]);
              expect([at, state]).toEqual([at, one_ < two_ ? "begun" : ("queued" as MessageState)]);
            }
          }
    }, 60_000);

test("who finishes after somebody else has settled it changes nothing, and tells what is true", () => {
  const story = new Story(store, "command");
  const claim = claimNext(store, claimant, ["nudge_worker"])!;
  expect(endClaim(store, claim, claimant, { state: "failed", item: {}, error: "first" })).toBe(true);
  const before = story.snapshot();
  expect(endClaim(store, claim, claimant, { state: "succeeded", item: {}, error: null })).toBe(false);
  expect(story.snapshot()).toBe(before);
});
