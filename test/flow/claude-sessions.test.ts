/** What is peculiar to sessions of Claude Code, with the real one: words that come back, a new id after /clear, two processes on one id. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { ClaudeSuiteWorld } from "../agent-suite/claude-world.ts";
import { Terminal } from "../agent-suite/world.ts";
import { describeClaude } from "../claude-world.ts";
import { until } from "../harness.ts";

describeClaude("a session of Claude Code", () => {
  let world: ClaudeSuiteWorld;
  let terminal: Terminal;
  let id = "";
  const nudge = (text: string) => world.ok(["session-nudge", "w1", "--", text]);
  const idOnRecord = async (): Promise<string> => (await world.ok("sessions --name w1"))[0].codex_session_id;
  beforeAll(async () => {
    world = new ClaudeSuiteWorld();
    terminal = new Terminal(world, "w1");
    const start = ["--cwd", world.project, "--timeout-seconds", "40"];
    id = (await world.ok(["start-worker", "--name", "w1", ...start])).codex_session_id;
    await world.ok("tasks --create t1 --goal g");
    await world.ok(["start-manager", "--name", "m1", "--task", "t1", "--worker", "w1", ...start]);
    await world.ok("bind --task t1 --worker w1 --manager m1");
    await terminal.page("idle");
  }, 120_000);
  afterAll(() => world.close());

  test("interrupted before its first word it is idle, and what was said to it is not said again", async () => {
    await nudge("silence first");
    await until("the turn", () => world.model.isHolding("first"));
    await world.ok("session-interrupt w1");
    expect((await terminal.screen()).composer).toMatchObject({ empty: true });
    expect(await world.ok("cycle t1")).toMatchObject({ state: "idle", turn: "aborted" });
    expect(await nudge("and on")).toMatchObject({ transport: "tmux", proof: "seen" });
    await world.idle(id);
    expect(world.userTexts(id)).toEqual(["silence first", "and on"]);
    expect(await world.ok("cycle t1")).toMatchObject({ state: "idle", turn: "completed" });
  }, 60_000);

  test("cleared it has another id, by which it is followed: what is said next arrives there", async () => {
    await world.ok(["manager-config", "t1", "--allow-worker-compact-clear"]);
    await world.ok(["handoff", "t1", "--summary", "half way"]);
    await terminal.page("idle");
    await world.ok("compact-worker t1 --clear --reason full");
    const next = await until("its new id", () =>
      world.live().find((each) => String(each.tmux).startsWith("claude-w1:") && each.sessionId !== id),
    );
    expect(await nudge("after the clear")).toMatchObject({ proof: "seen" });
    expect(world.userTexts(next.sessionId)).toEqual(["after the clear"]);
    expect(await idOnRecord()).toBe(next.sessionId);
    await world.idle(next.sessionId);
    expect(await world.ok("cycle t1")).toMatchObject({ state: "idle", turn: "completed", moved: null });
    id = next.sessionId;
  }, 60_000);

  test("a second process on its id is not taken on record", async () => {
    world.claude("second", "--resume", id);
    const second = await world.status("second", "idle");
    expect(second.sessionId).toBe(id);
    const refused = await world.run(["register-worker", "--name", "w2", "--pid", String(second.pid)]);
    expect([refused.exit, refused.stderr]).toEqual([1, expect.stringContaining("both run the Claude Code session")]);
    expect(world.rows("select 1 from sessions where name = 'w2'")).toEqual([]);
  }, 60_000);
});
