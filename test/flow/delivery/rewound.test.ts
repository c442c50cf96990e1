/** A person rewinds the thread while a text is under way: its proof is looked for in the file in which the thread goes on. */
import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync } from "node:fs";
import { basename, join } from "node:path";
import { deliver } from "../../../src/flow/delivery/deliver.ts";
import { recipientOf } from "../../../src/flow/reach/recipient.ts";
import { deliveryById, deliverySteps } from "../../../src/store/deliveries.ts";
import { needSession } from "../../../src/store/sessions/sessions.ts";
import { Hands } from "../../codex-hands.ts";
import { CodexSuiteWorld, OldestCodexWorld } from "../../agent-suite/codex-world.ts";
import { until } from "../../harness.ts";

for (const [version, Kind] of [
  ["the pinned Codex", CodexSuiteWorld],
  ["the oldest Codex", OldestCodexWorld],
] as const)
  describe(version, () => {
    const world = new Kind("tmux");
    afterAll(() => world.close());

    test("between the mark and the paste, and the message stands proven in the new file once", async () => {
      const thread = (await world.ok(["start-worker", "--name", "w", "--cwd", world.project, "--timeout-seconds", "40"])).codex_session_id;
      await world.idle(thread);
      await world.ok(["session-nudge", "w", "taken back"]);
      await world.idle(thread);
      const hands = new Hands(world, "codex-w");
      await hands.rest();
      // The sending's tmux waits before it pastes, as on a machine that stands still, until the person has rewound and cleared the composer.
      const [waits, goes] = ["waits", "goes"].map((name) => join(world.dir, name)) as [string, string];
      const shim =
        `#!/bin/sh\ncase " $* " in *" paste-buffer "*) touch ${waits}; while [ ! -e ${goes} ]; do sleep 0.05; done ;; esac\n` +
        `exec ${Bun.which("tmux")} "$@"\n`;
      chmodSync(await world.file("shim/tmux", shim), 0o755);
      const cx = world.context({ env: { PATH: `${world.dir}/shim:${world.env.PATH}` } });
      const before = world.rows<{ path: string }>("select codex_session_path as path from sessions")[0]!.path;
      const sending = deliver(cx, cx.store(), {
        recipient: recipientOf(needSession(cx.store(), "w")),
        text: "past the rewind",
        origin: "test",
      });
      await until("the moment before the paste", () => existsSync(waits));
      await hands.rewind();
      await hands.keys("C-u");
      await hands.rest();
      await Bun.write(goes, "");
      const sent = await sending;
      expect(sent).toMatchObject({ state: "delivered", transport: "tmux", proof: "seen" });
      const { rollout_path } = deliveryById(cx.store(), sent.id)!;
      expect(rollout_path).not.toBe(before);
      expect(basename(rollout_path!)).toContain(`${thread}_`);
      expect(deliverySteps(cx.store(), sent.id).map(({ step }) => step)).toContain("followed the rewind");
      expect(existsSync(before)).toBe(true);
      expect(await Bun.file(before).text()).not.toContain("past the rewind");
      expect((await Bun.file(rollout_path!).text()).split("\n").filter((line) => /UserMessage.*past the rewind/.test(line))).toHaveLength(
        1,
      );
    }, 120_000);
  });
