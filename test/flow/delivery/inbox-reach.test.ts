/** Who can reach the inbox of a Claude Code: whoever has its user's rights, and no sandboxed command of another session. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ClaudeWorld, describeClaude } from "../../claude-world.ts";
import { CodexWorld, PlainModel } from "../../codex-world.ts";
import { PROBE } from "../../served-world.ts";

describeClaude("the inbox of a Claude Code", () => {
  const model = new PlainModel();
  const codex = new CodexWorld(model.script);
  let claude: ClaudeWorld;
  let inbox = "";
  // Codex's sandbox calls a helper below its home, which it does not make when that is a temporary folder (0.171.0).
  codex.env.TMPDIR = join(codex.dir, "temporary");
  mkdirSync(codex.env.TMPDIR);
  const probe = join(codex.project, "probe.mjs");
  writeFileSync(probe, PROBE);
  beforeAll(async () => {
    claude = new ClaudeWorld();
    claude.claude("c1");
    inbox = String((await claude.status("c1", "idle")).messagingSocketPath);
  }, 60_000);
  afterAll(async () => {
    await claude.close();
    await codex.close();
  });

  test("is its user's alone", () => {
    expect([statSync(inbox).mode & 0o777, statSync(dirname(inbox)).mode & 0o777]).toEqual([0o600, 0o700]);
  });

  for (const [sandbox, answer] of [
    ["danger-full-access", "the socket: reached"],
    ["workspace-write", "the socket: refused"],
    ["read-only", "the socket: refused"],
  ] as const) {
    test(`to a command of a Codex in ${sandbox}: ${answer}`, async () => {
      const name = `of-${sandbox}`;
      const words = ["start-worker", "--name", name, "--cwd", codex.project, "--timeout-seconds", "60", "--sandbox", sandbox];
      const { codex_session_id: thread } = await codex.ok(words);
      await codex.idle(thread);
      await codex.ok(["session-nudge", name, `run ${process.execPath} ${probe} ${inbox}`]);
      await codex.turns(thread, 2);
      expect(model.requests.findLast((request) => request.toolOutput !== null)!.toolOutput).toContain(answer);
    }, 120_000);
  }
});
