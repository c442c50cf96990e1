/** The same suite for the oldest Codex that must work. */
import { expect, test } from "bun:test";
import { agents } from "../../src/core/agent/agents.ts";
import { CodexSuiteWorld, OldestCodexWorld } from "./codex-world.ts";
import { agentSuite } from "./suite.ts";

test("the two are what they are called", () => {
  const versions = [OldestCodexWorld, CodexSuiteWorld].map((Kind) => {
    const world = new Kind();
    const { stdout } = Bun.spawnSync(["codex", "--version"], { env: world.env, stdout: "pipe" });
    world.close();
    return stdout.toString().trim();
  });
  const { from, to } = agents.codex.tested;
  expect(versions).toEqual([`codex-cli ${from}`, `codex-cli ${to}`]);
});

agentSuite("the oldest Codex", () => new OldestCodexWorld());
