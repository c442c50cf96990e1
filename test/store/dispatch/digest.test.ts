/** Several messages of one sending have one fate: whoever recovers or proves one of them moves all. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { addDelivery, deliveryById } from "../../../src/store/deliveries.ts";
import { addDigest, digestOf, isInHand } from "../../../src/store/dispatch/digests.ts";
import { moveMessage } from "../../../src/store/dispatch/message.ts";
import { proveMessages } from "../../../src/store/dispatch/prove.ts";
import { recoverMessages } from "../../../src/store/dispatch/recovery.ts";
import { type Store, tx } from "../../../src/store/store.ts";
import { World } from "../../harness.ts";
import { boundPair } from "../../rollout.ts";
import { arrive, claimant, DEAD, Story } from "./story.ts";

const B = { dispatcherId: "b", leaseSeconds: 60, holder: { world: "here", pid: 2, born: "2" } };
const ID = "delivery-digest";

let w: World;
let store: Store;
let stories: Story[];
beforeEach(async () => {
  w = new World();
  await boundPair(w);
  store = w.store();
  stories = (["command", "turn", "turn"] as const).map((kind) => new Story(store, kind));
  for (const story of stories) expect(story.move("claim")).toBe(true);
  begin();
});
afterEach(() => w.close());

/** All of them are begun by one sending. */
function begin(): void {
  tx(store, () => {
    for (const story of stories) expect(moveMessage(store, story.ref, "begin", story.right("begin"))).not.toBeNull();
    const [first, ...others] = stories.map((story) => story.now().notification!.id);
    addDigest(store, ID, others);
    const whom = { session_id: stories[0]!.now().notification!.target_session_id, session_name: "w1", task_id: null };
    const what = { text_digest: "d", text_lines: 1, text_length: 1, thread_id: null, rollout_path: null, start_offset: null };
    const how = { transport: "tmux", state: "sending", proof: "pending", side_effect_started: 1, sender_pid: 1, error: null } as const;
    const of = { command_id: stories[0]!.now().command!.id, notification_id: first! };
    addDelivery(store, { id: ID, client_id: ID, origin: "test", ...whom, ...what, ...how, ...of }, []);
  });
}

const states = () => stories.map((story) => story.now().state);
const recover = (index: number, waits: boolean, gone = [DEAD]) =>
  recoverMessages(store, B, stories[index]!.now(), waits, gone, store.now()).map(({ state }) => state);
const prove = () =>
  proveMessages(store, deliveryById(store, ID)!, "b", () => arrive(store, ID)).map(({ notification_id }) => notification_id);
const ids = () => stories.map((story) => story.now().notification!.id);

for (const index of [0, 1, 2])
  test(`recovered by message ${index + 1}, nobody can tell of any; a late proof settles all`, () => {
    expect(recover(index, false)).toEqual(["failed", "failed", "failed"]);
    expect([...states(), deliveryById(store, ID)!.state]).toEqual(Array(4).fill("unknown"));
    expect(recover(index, false)).toEqual([]);
    expect(prove()).toEqual(ids());
    expect([...states(), deliveryById(store, ID)!.state]).toEqual(Array(4).fill("delivered"));
    expect(prove()).toEqual([]);
    expect(w.rows("select message from message_claims")).toEqual([]);
    const routed = "select count(*) as n from telemetry_events where event_type = 'dispatch_signal_routed'";
    expect(w.rows(routed)).toEqual([{ n: 3 }]);
  });

test("all wait on while one of them is seen to, and are given up together", () => {
  expect(recover(1, true)).toEqual(["not_yet", "not_yet", "not_yet"]);
  expect(states()).toEqual(["accepted", "accepted", "accepted"]);
  expect(w.rows("select distinct pid from message_claims")).toEqual([{ pid: 2 }]);
  expect(recover(2, false, [B.holder])).toEqual(["failed", "failed", "failed"]);
  expect(states()).toEqual(["typed", "typed", "typed"]);
  expect(prove()).toHaveLength(3);
});

test("none is recovered while the lease of one of them runs", () => {
  const before = stories[0]!.snapshot();
  const past = "2020-01-01T00:00:00.000Z";
  store.db.query("update commands set claim_expires_at = ?").run(past);
  store.db.query("update routed_notifications set claim_expires_at = ? where id = ?").run(past, ids()[1]!);
  const expired = stories[0]!.snapshot();
  expect(before).not.toBe(expired);
  for (const index of [0, 1, 2]) expect(recover(index, false, [])).toEqual([]);
  expect(stories[0]!.snapshot()).toBe(expired);
});

test("a proof settles also what somebody had given up alone", () => {
  expect(moveMessage(store, stories[1]!.ref, "loseTrack", stories[1]!.right("loseTrack"), { error: "because" })).not.toBeNull();
  expect(states()).toEqual(["begun", "unknown", "begun"]);
  expect(prove()).toHaveLength(3);
  expect(states()).toEqual(["delivered", "delivered", "delivered"]);
});

test("what was said together is told with its sending, and its receiver is in hand until it has an end", () => {
  const manager = stories[1]!.now().notification!.target_session_id;
  expect(digestOf(store, deliveryById(store, ID)!)).toMatchObject(
    ids().map((id) => ({ notification_id: id, task: "t1", state: "pending" })),
  );
  expect(isInHand(store, manager, [DEAD])).toBe(true);
  prove();
  expect(isInHand(store, manager, [])).toBe(false);
  // Only claimed: in hand as long as its holder lives.
  const next = new Story(store, "turn");
  expect(isInHand(store, manager, [])).toBe(false);
  next.move("claim");
  expect([isInHand(store, manager, []), isInHand(store, manager, [claimant.holder!])]).toEqual([true, false]);
});
