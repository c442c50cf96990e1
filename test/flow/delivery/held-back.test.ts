/** A Claude Code that a person has started so that it asks nobody holds what its inbox gets until they have looked: it is spoken to by keys. */
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ClaudeSuiteWorld } from "../../agent-suite/claude-world.ts";
import { describeClaude, type Live } from "../../claude-world.ts";
import { until } from "../../harness.ts";

describeClaude("a session that asks nobody, started by a person", () => {
  for (const [setting, way] of [
    [{}, "tmux"],
    [{ crossSessionInbound: "accept" }, "claude_inbox"],
  ] as const)
    test(`with ${JSON.stringify(setting)} another session's words arrive by ${way}, and no page opens`, async () => {
      const world = new ClaudeSuiteWorld();
      try {
        writeFileSync(join(world.claudeHome, "settings.json"), JSON.stringify({ skipDangerousModePermissionPrompt: true, ...setting }));
        world.claude("person", "--dangerously-skip-permissions", "hello");
        // It may rest again before anybody has seen it busy.
        const isOurs = ({ tmux }: Live) => typeof tmux === "string" && tmux.startsWith("person:");
        const { sessionId } = await until("the session", () => world.live().find(isOurs), 30);
        await world.line(sessionId, { type: "system", subtype: "turn_duration" });
        await world.ok(["register-worker", "--name", "w1", "--codex-session", sessionId, "--tmux-session", "person"]);
        const sent = await world.ok("session-nudge w1 colleague", { env: { [world.agent.selfVariable]: "of-another-session" } });
        expect(sent).toMatchObject({ transport: way, proof: "seen" });
        await world.status("person", "idle");
        expect(world.userTexts(sessionId)).toEqual(["hello", "colleague"]);
      } finally {
        await world.close();
      }
    }, 90_000);
});
