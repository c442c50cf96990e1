/** Several senders at once, and senders that died: every text counted once, none sent again. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { fingerprint } from "../../../src/core/delivery/delivery.ts";
import { deliver } from "../../../src/flow/delivery/deliver.ts";
import { recipientOf } from "../../../src/flow/reach/recipient.ts";
import { settleAll } from "../../../src/flow/delivery/settle.ts";
import { addDelivery, deliveryById } from "../../../src/store/deliveries.ts";
import { needSession } from "../../../src/store/sessions/sessions.ts";
import { sha256 } from "../../../src/system/files/digest.ts";
import { CodexWorld } from "../../codex-world.ts";

const world = new CodexWorld(undefined, { launch: "tmux" });
const cx = world.context();
let thread = "";
beforeAll(async () => {
  thread = (await world.ok(["start-worker", "--name", "w1", "--cwd", world.project, "--timeout-seconds", "40"])).codex_session_id;
  await world.idle(thread);
}, 60_000);
afterAll(() => world.close());

const worker = () => recipientOf(needSession(cx.store(), "w1"));

test("eight senders in one moment, four of them with the same words: each has a proof of its own", async () => {
  const texts = ["continue", "continue", "continue", "continue", "one more\nthing", "and this", "- and that", "done?"];
  const sent = await Promise.all(texts.map((text) => deliver(cx, cx.store(), { recipient: worker(), text, origin: "test" })));
  expect(sent.map((each) => [each.state, each.proof])).toEqual(texts.map(() => ["delivered", "seen"]));
  const proofs = sent.map(({ id }) => deliveryById(cx.store(), id)!).map((row) => `${row.proof_offset}:${row.proof_line}`);
  expect(new Set(proofs).size).toBe(8);
  await world.idle(thread);
  expect(world.userTexts(thread).slice(1).sort()).toEqual([...texts].sort());
}, 90_000);

test("a sender that died is settled by what the rollout says, and nothing is sent again", async () => {
  const store = cx.store();
  const { rolloutPath } = worker();
  const dead = Bun.spawn(["true"]);
  await dead.exited;
  const left = (id: string, text: string, startOffset: number) => {
    const { digest, lines } = fingerprint(text, sha256);
    const recipient = {
      session_id: worker().sessionId,
      session_name: "w1",
      task_id: null,
      command_id: null,
      notification_id: null,
      thread_id: thread,
      rollout_path: rolloutPath,
    };
    const begun = {
      transport: "tmux",
      state: "sending",
      proof: "pending",
      side_effect_started: 1,
      sender_pid: dead.pid,
      error: null,
    } as const;
    addDelivery(
      store,
      {
        id,
        origin: "test",
        client_id: id,
        text_digest: digest,
        text_lines: lines,
        text_length: text.length,
        start_offset: startOffset,
        ...recipient,
        ...begun,
      },
      [],
    );
  };
  // "continue" stands there four times, and each is the proof of somebody else.
  left("delivery-arrived", world.userTexts(thread)[0]!, 0);
  left("delivery-lost", "this was never typed", 0);
  left("delivery-taken", "continue", 0);
  const before = world.userTexts(thread);
  expect(settleAll(cx, store)).toBe(1);
  const state = (id: string) => deliveryById(store, id)?.state;
  expect(["delivery-arrived", "delivery-lost", "delivery-taken"].map(state)).toEqual(["delivered", "unknown", "unknown"]);
  expect(settleAll(cx, store)).toBe(0);
  expect(world.userTexts(thread)).toEqual(before);
  const shown = await world.run("deliveries w1");
  expect(shown.stdout).toContain("unknown");
});
