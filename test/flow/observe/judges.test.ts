/** One screen, one verdict: what cycle, idle-check and a transcript say of a real approval, whatever the size of its terminal, and classify. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CodexWorld, PlainModel } from "../../codex-world.ts";
import { FIXTURES, until } from "../../harness.ts";
import { screenOf, tmux } from "../../panes.ts";
import { meta, rollout, THREAD } from "../../rollout.ts";

const model = new PlainModel();
const world = new CodexWorld(async (request) => {
  const asks = request.userTexts.at(-1) === "ask" && request.toolOutput === null;
  return asks ? [{ run: "touch asked-for", escalate: "to see what happens" }] : model.script(request);
});
const cycle = () => world.ok("cycle t1 --busy-wait-seconds 0");

beforeAll(async () => {
  const asking = ["--sandbox", "read-only", "--ask-for-approval", "on-request"];
  await world.ok(["start-worker", "--name", "w1", "--cwd", world.project, "--timeout-seconds", "60", ...asking]);
  const manager = await rollout(world, meta(THREAD.manager), THREAD.manager);
  await world.ok(["register-manager", "--name", "m1", "--pid", String(process.pid), "--codex-session", manager.path, "--cwd", world.work]);
  await world.ok(["tasks", "--create", "t1", "--goal", "g"]);
  await world.ok("bind --task t1 --worker w1 --manager m1");
  await world.ok("session-nudge w1 ask");
  await until("the question", async () => (await cycle()).pane_signal.page === "command_approval", 30);
}, 120_000);
afterAll(() => world.close());

/** All that is said of the screen while it does not change: a client draws anew some time after its terminal got another size. */
const verdicts = () =>
  until("verdicts on one question", async () => {
    const screen = screenOf(world, "codex-w1");
    const { pane_signal: seen } = await cycle();
    const idle = await world.ok("idle-check w1 --busy-wait-seconds 0");
    const { captures } = await world.ok("transcript-capture t1 --role worker --json");
    const asked = seen.page === "command_approval" || seen.page === "choice";
    return asked && screen === screenOf(world, "codex-w1") && { seen, idle, kept: captures[0].capture.classifier };
  });

test.each([
  [120, 40],
  [200, 3],
  [30, 8],
  [20, 5],
  [12, 4],
])(
  "a question at %d x %d",
  async (width, height) => {
    tmux(world, "resize-window", "-t", "=codex-w1:", "-x", String(width), "-y", String(height));
    const { seen, idle, kept } = await verdicts();
    expect(seen.notable_pattern).toMatch(/^(approval_prompt|enter_to_confirm)$/);
    expect(idle).toMatchObject({
      health: "busy_wait",
      page: seen.page,
      busy_wait_pattern: seen.notable_pattern,
      reason: seen.reason,
      recommended_action: seen.classifier.recommended_action,
    });
    expect(kept).toMatchObject({ page: seen.page, busy_wait: seen.classifier });
  },
  60_000,
);

test("classify, of a page that asks in words that no pattern knows", async () => {
  const page = ["  Something new?", "", "› 1. Yes, continue", "  2. No, quit", "", "  Press enter to continue", ""].join("\n");
  const classified = (await world.run("classify", { stdin: page })).json();
  expect(classified).toMatchObject({ page: "choice", busy_wait: { pattern: "enter_to_confirm" } });
});

test("classify, of a screen of Claude Code", async () => {
  const page = readFileSync(join(FIXTURES, "claude-code-2.1.332/screens/permission-prompt.txt"), "utf8");
  const classified = (await world.run("classify --agent claude", { stdin: page })).json();
  expect(classified).toMatchObject({ page: "command_approval", busy_wait: { pattern: "approval_prompt" } });
  expect((await world.run("classify", { stdin: page, env: { CONVEYOR_AGENT: "claude" } })).json()).toEqual(classified);
});
