/** Waiting for what real agents ask: on Claude Code's page, by Codex's protocol, before and meanwhile, and over a `/clear`. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ClaudeSuiteWorld } from "../../agent-suite/claude-world.ts";
import { CodexSuiteWorld } from "../../agent-suite/codex-world.ts";
import { describeClaude } from "../../claude-world.ts";
import { until } from "../../harness.ts";
import { tmux } from "../../panes.ts";
import { boundTask, servedWorker } from "../../served-world.ts";

interface Asking {
  readonly world: ClaudeSuiteWorld | CodexSuiteWorld;
  /** Has the worker ask something. */
  ask(what: string): Promise<unknown>;
  rests(): Promise<unknown>;
}

function asking(make: () => Asking): void {
  const w = () => make().world;
  const waiting = (words: string) => w().run(`wait ${words}`);

  test("asked meanwhile, told once, and told to who comes later", async () => {
    const { ask, rests } = make();
    await rests();
    const none = await waiting("t1 --until question --timeout 0");
    expect([none.exit, none.stderr]).toEqual([3, ""]);
    const { cursor } = none.json();
    const meanwhile = waiting(`t1 --until question,failed,gone --since ${cursor} --timeout 80`);
    await ask("ask touch one");
    const told = (await meanwhile).json();
    expect(told).toMatchObject({ reason: "question", target: "t1", task: "t1" });
    expect(told.facts).toMatchObject([
      { session: "w1", still: true, details: { kind: "question", command: expect.stringContaining("touch one") } },
    ]);
    const again = await waiting(`t1 --until question --since ${told.cursor} --timeout 0`);
    expect([again.exit, again.json().facts]).toEqual([3, []]);
    const later = await waiting("w1 --until question --timeout 0");
    expect(later.json().facts.map(({ details }: any) => details.ask_id)).toEqual(told.facts.map(({ details }: any) => details.ask_id));
    // As it is answered the wait for the end of the turn returns, and the next question is another one.
    const resting = waiting(`t1 --until idle --since ${again.json().cursor} --timeout 80`);
    await w().ok(["answer", told.facts[0].details.ask_id, "no", "--json"]);
    expect((await resting).json()).toMatchObject({ reason: "idle" });
    await rests();
    const next = waiting(`t1 --until question --since ${again.json().cursor} --timeout 80`);
    await ask("ask touch two");
    const second = (await next).json();
    expect(second.facts).toMatchObject([{ details: { command: expect.stringContaining("touch two") } }]);
    await w().ok(["answer", second.facts[0].details.ask_id, "no", "--json"]);
    await rests();
  }, 180_000);
}

describeClaude("Claude Code, on its page", () => {
  let world: ClaudeSuiteWorld;
  const rests = () => world.status("claude-w1", "idle");
  beforeAll(async () => {
    world = new ClaudeSuiteWorld();
    await world.ok(["start-worker", "--name", "w1", "--cwd", world.project, "--timeout-seconds", "60", ...world.asking]);
    await boundTask(world);
    await world.ok(["manager-config", "t1", "--permissions-json", '{"operator.answer": true}']);
  }, 90_000);
  afterAll(() => world.close());

  asking(() => ({ world, rests, ask: (words) => world.ok(["session-nudge", "w1", words]) }));

  test("over a /clear: the turn in its next conversation is told of", async () => {
    await rests();
    const { cursor } = (await world.run("wait w1 --until idle --timeout 0")).json();
    const before = world.live()[0]!.sessionId;
    const next = world.run(`wait w1 --until idle --since ${cursor} --timeout 80`);
    tmux(world, "send-keys", "-t", "=claude-w1:", "-l", "--", "/clear");
    tmux(world, "send-keys", "-t", "=claude-w1:", "Enter");
    await until("the next conversation", () => world.live().find(({ sessionId, status }) => sessionId !== before && status === "idle"));
    await world.ok(["session-nudge", "w1", "hello again"]);
    const told = (await next).json();
    expect(told.facts).toMatchObject([{ reason: "idle", session: "w1", details: { turn: "completed" } }]);
    const [row] = world.rows<{ text: string }>(
      "select payload_json as text from codex_events where id = ?",
      told.facts[0].details.event_id,
    );
    expect(row!.text).toContain("last_agent_message");
    const now = world.rows<{ id: string }>("select codex_session_id as id from sessions where name = 'w1'")[0]!.id;
    expect([now === before, world.live().some(({ sessionId }) => sessionId === now)]).toEqual([false, true]);
  }, 180_000);
});

describe("Codex, by its protocol", () => {
  const world = new CodexSuiteWorld();
  let thread = "";
  beforeAll(async () => {
    thread = await servedWorker(world, "w1", ...world.asking);
    await boundTask(world);
    await world.ok(["manager-config", "t1", "--permissions-json", '{"operator.answer": true}']);
  }, 90_000);
  afterAll(() => world.close());

  asking(() => ({ world, rests: () => world.idle(thread), ask: (words) => world.ok(["session-nudge", "w1", words]) }));
});

describe("Codex, on its page", () => {
  const world = new CodexSuiteWorld("tmux");
  afterAll(() => world.close());

  test("asked meanwhile, told once, and gone with its turn", async () => {
    const words = ["start-worker", "--name", "w1", "--cwd", world.project, "--timeout-seconds", "60", ...world.asking];
    const { codex_session_id: thread } = await world.ok(words);
    await world.idle(thread);
    await boundTask(world);
    const { cursor } = (await world.run("wait t1 --until question --timeout 0")).json();
    const meanwhile = world.run(`wait t1 --until question --since ${cursor} --timeout 80`);
    await world.ok(["session-nudge", "w1", "ask touch one"]);
    const told = (await meanwhile).json();
    expect(told.facts).toMatchObject([{ reason: "question", session: "w1", details: { kind: "question", page: "command_approval" } }]);
    const resting = world.run(`wait t1 --until question,idle --since ${told.cursor} --timeout 80`);
    tmux(world, "send-keys", "-t", "=codex-w1:", "Escape");
    expect((await resting).json().facts).toMatchObject([{ reason: "idle", details: { turn: "aborted" } }]);
  }, 180_000);
});
