/** What a real agent asks, by its protocol and on a page, as what needs a person: whole, with the command that answers it. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ClaudeSuiteWorld } from "../../agent-suite/claude-world.ts";
import { CodexSuiteWorld } from "../../agent-suite/codex-world.ts";
import type { Item } from "../../../src/core/attention/item.ts";
import { describeClaude } from "../../claude-world.ts";
import { until, type World } from "../../harness.ts";
import { boundTask, MAIN, servedWorker } from "../../served-world.ts";

const questions = async (world: World): Promise<Item[]> => {
  const { items } = await world.ok<{ items: Item[] }>("attention --json");
  return items.filter(({ kind }) => kind === "question");
};

/** It asks once, under one id, for this command; the action that says no leads on, and it is asked no more. */
async function asksAndIsAnswered(world: World, project: string, file: string): Promise<void> {
  const [first] = await until("the question", async () => {
    const found = await questions(world);
    return found.length > 0 && found;
  });
  expect(first).toMatchObject({
    kind: "question",
    weight: "now",
    session: "w1",
    task: "t1",
    command: expect.stringContaining(`touch ${file}`),
    file: null,
    host: null,
  });
  expect(first!.text).toStartWith("w1 asks: ");
  expect(first!.choices!.map(({ word }) => word)).toContain("no");
  expect(first!.since).not.toBeNull();
  expect(await questions(world)).toEqual([first!]);
  const no = first!.actions.find(({ command }) => command.at(-1) === "no")!;
  expect(no.command).toEqual(["conveyor", "answer", first!.id, "no"]);
  await world.ok([...no.command.slice(1), "--json"]);
  await until("that it is asked no more", async () => (await questions(world)).length === 0);
  expect(existsSync(join(project, file))).toBe(false);
}

describe("Codex, by its protocol", () => {
  const world = new CodexSuiteWorld();
  beforeAll(async () => {
    await servedWorker(world, "w1", ...world.asking);
    await boundTask(world);
    // Whoever runs these commands is taken for the manager.
    await world.ok(["manager-config", "t1", "--permissions-json", '{"operator.answer": true}']);
  }, 60_000);
  afterAll(() => world.close());

  test("two questions, one after the other, are two things", async () => {
    await world.ok(["session-nudge", "w1", "ask touch one"]);
    await asksAndIsAnswered(world, world.project, "one");
    await world.ok(["session-nudge", "w1", "ask touch two"]);
    await asksAndIsAnswered(world, world.project, "two");
    expect(world.rows("select count(distinct id) as n from agent_asks")).toEqual([{ n: 2 }]);
  }, 90_000);

  test("who watches is told of a question once, and that it is over, though its page goes a moment later", async () => {
    const words = [...MAIN, "attention", "--watch", "--json"];
    const watch = Bun.spawn(words, { env: world.env, cwd: world.work, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
    let text = "";
    const reading = (async () => {
      for await (const bytes of watch.stdout) text += new TextDecoder().decode(bytes);
    })();
    const told = (): string[][] =>
      text
        .split("\n")
        .slice(0, -1)
        .map((line) => (JSON.parse(line).items as Item[]).filter(({ kind }) => kind === "question").map(({ id }) => id));
    try {
      await until("the first line", () => told().length > 0);
      await world.ok(["session-nudge", "w1", "ask touch three"]);
      await until("the question", () => told().at(-1)!.length > 0);
      await world.ok("answer w1 no --json");
      await until("that it is over", () => told().at(-1)!.length === 0);
      // Its page has gone, and a commit that has nothing to do with it is told.
      await until("that nothing is asked", async () => (await questions(world)).length === 0);
      await world.ok(["enqueue-nudge-worker", "t1", "--message", "later"]);
      await until("the message that waits", () => text.includes("no_dispatch"));
    } finally {
      watch.kill("SIGTERM");
      await watch.exited;
      await reading;
    }
    expect(new Set(told().flat()).size).toBe(1);
    expect([watch.exitCode, await new Response(watch.stderr).text()]).toEqual([0, ""]);
  }, 90_000);
});

test("Codex, on its page: whole as its record has it; the keys that answer it are not known, so its terminal leads on", async () => {
  const world = new CodexSuiteWorld();
  try {
    const words = ["start-worker", "--name", "w1", "--cwd", world.project, "--timeout-seconds", "60", "--launch", "tmux", ...world.asking];
    const { codex_session_id: thread } = await world.ok(words);
    await world.idle(thread);
    await boundTask(world);
    // Longer than its page is wide.
    const command = `touch one && echo ${Array.from({ length: 40 }, (_, n) => `word-${n}`).join(" ")}`;
    await world.ok(["session-nudge", "w1", `ask ${command}`]);
    const [ask] = await until("the question", async () => {
      const found = await questions(world);
      return found.length > 0 && found;
    });
    expect(ask).toMatchObject({ command, actions: [{ command: ["conveyor", "open-worker", "t1"] }] });
    expect(world.rows("select item_id is not null as known from agent_asks where id = ?", ask!.id)).toEqual([{ known: 1 }]);
  } finally {
    await world.close();
  }
}, 90_000);

describeClaude("Claude Code, on its page", () => {
  let world: ClaudeSuiteWorld;
  beforeAll(async () => {
    world = new ClaudeSuiteWorld();
    await world.ok(["start-worker", "--name", "w1", "--cwd", world.project, "--timeout-seconds", "60", ...world.asking]);
    await boundTask(world);
    await world.ok(["manager-config", "t1", "--permissions-json", '{"operator.answer": true}']);
  }, 90_000);
  afterAll(() => world.close());

  test("a command is told and answered, and a file is told as one", async () => {
    await world.status("claude-w1", "idle");
    await world.ok(["session-nudge", "w1", "ask touch one"]);
    await world.status("claude-w1", "waiting");
    await asksAndIsAnswered(world, world.project, "one");
    await world.status("claude-w1", "idle");
    await world.ok(["session-nudge", "w1", "write a-file.txt"]);
    await world.status("claude-w1", "waiting");
    const [file] = await questions(world);
    expect(file).toMatchObject({ command: null, file: expect.stringContaining("a-file.txt") });
    await world.ok(["answer", file!.id, "no", "--json"]);
  }, 90_000);
});
