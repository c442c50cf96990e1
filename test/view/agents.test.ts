import { expect, test } from "bun:test";
import { agents } from "../../src/core/agent/agents.ts";
import { agentReport } from "../../src/core/agent/installed.ts";
import { agentTable } from "../../src/view/agents.ts";

test("one line each, then what can be done with each that is there, and what cannot", () => {
  const features = { version: "2.1.332", noDaemon: false, lateRollout: false, queue: false, served: false, sessionId: true };
  const lines = agentTable([agentReport(agents.claude, { path: "/bin/claude", features }), agentReport(agents.codex, null)]).split("\n");
  expect(lines).toHaveLength(4);
  expect(lines[1]).toStartWith("claude  2.1.332");
  expect(lines[3]).toMatch(/^claude: (\w+, )*answer, .*; not .*\bprotocol\b/);
});
