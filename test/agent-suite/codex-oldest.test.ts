/**
 * The same suite for the oldest Codex that must work: whole by its protocol; in the long run by its terminal, too, what depends on how its
 * screens look, which is all that differs there from today's.
 */
import { expect, test } from "bun:test";
import { agents } from "../../src/core/agent/agents.ts";
import { LONG } from "../long.ts";
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

agentSuite("the oldest Codex by protocol", () => new OldestCodexWorld());
if (LONG !== null) agentSuite("the oldest Codex by its terminal", () => new OldestCodexWorld("tmux"), "started and found", "failing");
