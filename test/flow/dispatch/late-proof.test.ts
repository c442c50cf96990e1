/** Proof that comes late, for dispatchers that are killed around every commit; and what a look costs. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { resolve } from "node:path";
import { fingerprint } from "../../../src/core/delivery/delivery.ts";
import type { TransitionName } from "../../../src/core/dispatch/message.ts";
import { settleAll } from "../../../src/flow/delivery/settle.ts";
import { sha256 } from "../../../src/system/files/digest.ts";
import { World } from "../../harness.ts";
import { boundPair, event, line, type Pair } from "../../rollout.ts";
import { Story } from "../../store/dispatch/story.ts";

const CHILD = resolve(import.meta.dir, "crash-child.ts");
let w: World;
let pair: Pair;
beforeEach(async () => {
  w = new World();
  w.realTime = true;
  pair = await boundPair(w);
});
afterEach(() => w.close());

/** A message that was moved so far, and whose receiver keeps this record. */
function sent(text: string, moves: readonly TransitionName[], of: "command" | "turn" = "command"): Story {
  const story = new Story(w.store(), of);
  for (const move of moves) expect(story.move(move)).toBe(true);
  const { path } = of === "command" ? pair.worker : pair.manager;
  const { digest, lines } = fingerprint(text, sha256);
  const { db } = w.store();
  const size = Bun.file(path).size;
  db.run("update deliveries set rollout_path = ?, start_offset = ?, looked_to = ?, text_digest = ?, text_lines = ? where id = ?", [
    path,
    size,
    size,
    digest,
    lines,
    story.now().delivery!.id,
  ]);
  return story;
}

const GIVEN_UP: Record<string, readonly TransitionName[]> = {
  "typed and given up": ["claim", "begin", "doubt"],
  "begun by who died": ["claim", "begin"],
  "waiting in sight": ["claim", "begin", "wait"],
  unknown: ["claim", "begin", "lose"],
};

for (const of of ["command", "turn"] as const)
  for (const [name, moves] of Object.entries(GIVEN_UP))
    test(`a ${of}, ${name}: killed before and after each commit that takes in its proof`, async () => {
      let died = 0;
      for (const when of ["before", "after"]) {
        for (let commit = 1; ; commit++) {
          const text = `proven ${when} ${commit}`;
          const story = sent(text, moves, of);
          (of === "command" ? pair.worker : pair.manager).append(event({ type: "user_message", message: text }));
          w.store().db.run("update commands set claim_expires_at = '2020-01-01T00:00:00Z' where state = 'attempted'");
          w.store().db.run("update routed_notifications set claim_expires_at = '2020-01-01T00:00:00Z' where claim_expires_at is not null");
          const child = Bun.spawn([process.execPath, CHILD, String(commit), when], {
            env: w.env,
            cwd: w.work,
            stdout: "ignore",
            stderr: "inherit",
          });
          await child.exited;
          await w.ok("dispatch --json");
          const { state, delivery } = story.now();
          expect([commit, when, state, delivery!.state, delivery!.proof]).toEqual([commit, when, "delivered", "delivered", "seen"]);
          const routed =
            "select 1 from telemetry_events where event_type = 'dispatch_signal_routed' and json_extract(correlation_json, '$.routed_notification_id') = ?";
          expect(w.rows(routed, story.now().notification!.id)).toHaveLength(1);
          if (child.signalCode === null) break;
          died++;
        }
      }
      expect(died).toBeGreaterThanOrEqual(4);
      expect((await w.ok("dispatch status --json")).uncertain.count).toBe(0);
    }, 60_000);

test("a proof stands for one message only, and none stands for what nobody said", async () => {
  const [one, two, three] = [
    sent("the same", GIVEN_UP.unknown!),
    sent("the same", GIVEN_UP.unknown!),
    sent("never said", GIVEN_UP.unknown!),
  ];
  pair.worker.append(event({ type: "user_message", message: "the same" }));
  expect(settleAll(w.context(), w.store())).toBe(1);
  expect([one.now().state, two.now().state, three.now().state]).toEqual(["delivered", "unknown", "unknown"]);
  pair.worker.append(event({ type: "user_message", message: "somebody says\nthe same\nand more" }));
  pair.worker.append(event({ type: "user_message", message: "the same" }));
  expect(settleAll(w.context(), w.store())).toBe(1);
  expect([two.now().state, three.now().state]).toEqual(["delivered", "unknown"]);
});

test("each look costs what is new: hundred megabytes are read once, and for all that wait there together", async () => {
  const stories = Array.from({ length: 5 }, (_, n) => sent(`word ${n}`, GIVEN_UP.unknown!));
  const big = line("response_item", { type: "message", text: "x".repeat(1 << 20) });
  for (let each = 0; each < 100; each++) pair.worker.append(big);
  const cx = w.context();
  const took = (): number => {
    const begun = performance.now();
    settleAll(cx, w.store());
    return performance.now() - begun;
  };
  const first = took();
  const later = Math.min(took(), took(), took());
  console.log(`looking for 5 proofs in 100 MB: ${Math.round(first)} ms, then ${later.toFixed(1)} ms`);
  const size = Bun.file(pair.worker.path).size;
  expect(w.rows("select distinct looked_to from deliveries")).toEqual([{ looked_to: size }]);
  expect(later).toBeLessThan(first / 5);
  pair.worker.append(event({ type: "user_message", message: "word 3" }));
  expect(settleAll(cx, w.store())).toBe(1);
  expect(stories.map((story) => story.now().state)).toEqual(["unknown", "unknown", "unknown", "delivered", "unknown"]);
}, 60_000);
