/** The world of the tests with Claude Code, proven with the real program: it starts, takes words, asks, fails and goes away as they need it. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:net";
import { alive } from "../src/system/processes/processes.ts";
import { ClaudeModel } from "./claude-model.ts";
import { ClaudeWorld, describeClaude, type Live } from "./claude-world.ts";
import { until } from "./harness.ts";
import { screenOf, tmux, typed } from "./panes.ts";

/** Types a line into a session and submits it. */
async function say(world: ClaudeWorld, session: string, words: string): Promise<void> {
  await typed(world, session, words);
  tmux(world, "send-keys", "-t", `=${session}:`, "Enter");
}

const shows = (world: ClaudeWorld, session: string, words: string) =>
  until(`${JSON.stringify(words)} in ${session}`, () => screenOf(world, session).includes(words));

/** Puts a message into the inbox of a session. */
const put = (socket: string, id: string, content: string) =>
  new Promise<void>((resolve, reject) => {
    const line = { msgV: 1, msg_id: id, type: "user", message: { role: "user", content }, priority: "next" };
    const client = connect(socket, () => client.end(`${JSON.stringify(line)}\n`));
    client.once("close", () => resolve()).once("error", reject);
  });

describeClaude("the world of Claude Code", () => {
  const model = new ClaudeModel();
  let world: ClaudeWorld;
  let live: Live;
  const ended = (count: number) => world.line(live.sessionId, { type: "system", subtype: "turn_duration" }, count);
  const key = (...keys: string[]) => tmux(world, "send-keys", "-t", "=w:", ...keys);
  /** Waits for a page with these words and answers it. A key of the first moment, when it is drawn but not yet listens, is lost. */
  const answer = async (words: string, answering: string) => {
    await shows(world, "w", words);
    await world.status("w", "waiting");
    const isTaken = () => until(`the end of ${words}`, () => world.live().every(({ status }) => status !== "waiting"), 2);
    await until(`${answering} to be taken`, () => (key(answering), isTaken().catch(() => false)));
  };
  beforeAll(async () => {
    world = new ClaudeWorld(model.messages);
    world.claude("w", "--permission-mode", "manual");
    live = await world.status("w", "idle");
  });
  afterAll(() => world.close());

  test("a typed line is a prompt: the model is asked it, answers, and the turn ends", async () => {
    expect(world.lines(live.sessionId)).toEqual([]);
    await say(world, "w", "hello there");
    await ended(1);
    expect(model.requests.at(-1)).toMatchObject({ threadId: live.sessionId, userTexts: ["hello there"], toolOutput: null });
    expect(await world.line(live.sessionId, { type: "user" })).toMatchObject({ message: { content: "hello there" } });
    await shows(world, "w", "● ok");
  });

  test("a message in its inbox is taken up with our id", async () => {
    const id = crypto.randomUUID();
    await put(live.messagingSocketPath as string, id, "from the inbox\n!and not a command");
    await ended(2);
    const line = await world.line(live.sessionId, { type: "user", turnOrigin: "peer" });
    expect(line).toMatchObject({ origin: { msg_id: id } });
    expect(model.requests.at(-1)!.userTexts.at(-1)).toContain("from the inbox\n!and not a command");
  });

  test("a turn is held in the middle, let go, and interrupted", async () => {
    await say(world, "w", "hold one");
    await world.status("w", "busy");
    await until("the hold", () => model.isHolding("one"));
    await shows(world, "w", "I begin.");
    model.release("one");
    await ended(3);
    await say(world, "w", "hold two");
    await until("the hold", () => model.isHolding("two"));
    await shows(world, "w", "esc to interrupt");
    key("Escape");
    await world.line(live.sessionId, { type: "user", rowSource: "harness" });
    await world.status("w", "idle");
  });

  test("interrupted in silence it leaves no trace, and the prompt is back in the composer", async () => {
    await say(world, "w", "silence three");
    await until("the hold", () => model.isHolding("three"));
    await world.status("w", "busy");
    key("Escape");
    await world.status("w", "idle");
    await shows(world, "w", "❯\u00a0silence three");
    key("C-u");
    await until("an empty composer", () => !screenOf(world, "w").includes("❯\u00a0silence three"));
  });

  test("it asks before it runs a command, writes a file, and for what it wants to know; Escape says no", async () => {
    for (const [words, page] of [
      ["ask touch asked-for", "Do you want to proceed?"],
      [`write ${join(world.project, "new-file")}`, "Do you want to create new-file?"],
      ["question", "Which colour shall it have?"],
    ] as const) {
      await say(world, "w", words);
      await answer(page, "Escape");
      await world.status("w", "idle");
    }
    expect(["asked-for", "new-file"].filter((name) => existsSync(join(world.project, name)))).toEqual([]);
  }, 60_000);

  test("allowed, the command runs and its output is told", async () => {
    await say(world, "w", "run touch made && echo 40 and 2");
    await answer("Do you want to proceed?", "1");
    await ended(4);
    expect(model.requests.at(-1)!.toolOutput).toBe("40 and 2");
    expect(existsSync(join(world.project, "made"))).toBe(true);
    await shows(world, "w", "● ran it");
  });

  test("what comes while a command runs is told with its output, and what comes into the inbox, too", async () => {
    const go = join(world.project, "go");
    const id = crypto.randomUUID();
    await say(world, "w", `run touch began; until [ -e ${go} ]; do sleep 0.02; done`);
    await answer("Do you want to proceed?", "1");
    await world.status("w", "busy");
    await say(world, "w", "typed meanwhile");
    await put(live.messagingSocketPath as string, id, "put meanwhile");
    await world.line(live.sessionId, { type: "queue-operation", content: "put meanwhile" });
    await world.line(live.sessionId, { type: "queue-operation", content: "typed meanwhile" });
    await Bun.write(go, "");
    await ended(5);
    expect(model.requests.at(-1)!.userTexts.slice(-2).toSorted()).toEqual(["put meanwhile", "typed meanwhile"]);
  });

  for (const [name, told] of [
    ["429", { error: "rate_limit", apiErrorStatus: 429 }],
    ["529", { error: "server_error", apiErrorStatus: 529 }],
    ["401", { error: "authentication_failed", apiErrorStatus: 401 }],
    ["cut", { error: "server_error", apiError: "connection_failed" }],
  ] as const) {
    test(`a model that fails with ${name} ends the turn at once`, async () => {
      const before = model.requests.length;
      await say(world, "w", `fail ${name}`);
      await world.line(live.sessionId, { isApiErrorMessage: true, ...told });
      await world.status("w", "idle");
      expect(model.requests.length - before).toBe(1);
    });
  }

  test("long output is told whole", async () => {
    await say(world, "w", "long 200");
    await ended(6);
    await shows(world, "w", "line 200");
  });

  test("closed, nothing of it is left", async () => {
    const { pid } = live;
    expect(alive(pid)).toBe(true);
    await world.close();
    await until("its end", () => !alive(pid));
    expect(existsSync(world.dir)).toBe(false);
  });
});

describeClaude("a world in which Claude Code asks at its start", () => {
  let world: ClaudeWorld;
  const key = (session: string, name: string) => tmux(world, "send-keys", "-t", `=${session}:`, name);
  /** Moves to a choice, looks that it is chosen, and takes it: a page that is drawn anew meanwhile has lost the key, and begins again. */
  const choose = async (session: string, page: string, move: string, choice: string) => {
    await shows(world, session, page);
    const isChosen = () => screenOf(world, session).includes(`❯ ${choice}`);
    await until(`${choice} to be taken`, async () => {
      if (!isChosen()) key(session, move);
      if (!(await until(choice, isChosen, 2).catch(() => false))) return false;
      key(session, "Enter");
      return until("the next page", () => !screenOf(world, session).includes(page), 2).catch(() => false);
    });
  };
  beforeAll(() => {
    world = new ClaudeWorld(undefined, { trusted: false, keyApproved: false });
  });
  afterAll(() => world.close());

  test("whether to trust the folder, whether to use the key, whether it is to ask nobody: no session before the last answer", async () => {
    world.claude("first", "--dangerously-skip-permissions");
    for (const [page, move, choice] of [
      ["Accessing workspace:", "Down", "Yes, I trust this folder"],
      ["Detected a custom API key", "Up", "Yes"],
      ["Bypass Permissions mode", "Down", "Yes, I accept"],
    ] as const) {
      await shows(world, "first", page);
      expect(world.live()).toEqual([]);
      await choose("first", page, move, choice);
    }
    await world.status("first", "idle");
    await shows(world, "first", "bypass permissions on");
  });

  test("and not again: the next asks for a yes to its plan alone", async () => {
    world.claude("second", "--permission-mode", "plan");
    await world.status("second", "idle");
    await say(world, "second", "plan");
    await shows(world, "second", "Ready to code?");
    expect(await world.status("second", "waiting")).toMatchObject({ waitingFor: "permission prompt" });
  });
});

describeClaude("a world with a subscription", () => {
  const model = new ClaudeModel();
  let world: ClaudeWorld;
  beforeAll(() => {
    world = new ClaudeWorld(model.messages, { subscribed: true });
  });
  afterAll(() => world.close());

  test("a spent limit ends the turn, and the transcript says until when", async () => {
    world.claude("w");
    const { sessionId } = await world.status("w", "idle");
    await say(world, "w", "fail limit");
    const line = await world.line(sessionId, { isApiErrorMessage: true });
    expect(line).toMatchObject({ apiError: "usage_limit_reached", quotaLimits: { rateLimitType: "five_hour", resetsAt: model.resetsAt } });
    expect(model.requests).toHaveLength(1);
  });
});
