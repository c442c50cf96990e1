/** Texts sent to real Codex sessions: each arrives exactly once, by the right rung, and what cannot arrive is never typed. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { type Delivered, deliver } from "../../../src/flow/delivery/deliver.ts";
import type { Parcel } from "../../../src/flow/delivery/journal.ts";
import { recipientOf } from "../../../src/flow/reach/recipient.ts";
import { deliverySteps } from "../../../src/store/deliveries.ts";
import { needSession } from "../../../src/store/sessions/sessions.ts";
import { capturePane } from "../../../src/system/terminal/panes.ts";
import { newSession } from "../../../src/system/terminal/sessions.ts";
import { tmuxResult } from "../../../src/system/terminal/tmux.ts";
import { CodexWorld, PlainModel } from "../../codex-world.ts";
import { until } from "../../harness.ts";

const model = new PlainModel();
const world = new CodexWorld(model.script, { launch: "tmux" });
const cx = world.context();
let thread = "";
beforeAll(async () => {
  thread = (await world.ok(["start-worker", "--name", "w1", "--cwd", world.project, "--timeout-seconds", "30"])).codex_session_id;
  await world.turns(thread, 1);
});
afterAll(() => world.close());

const send = (text: string, more: Partial<Parcel> = {}): Promise<Delivered> =>
  deliver(cx, cx.store(), { recipient: recipientOf(needSession(cx.store(), "w1")), text, origin: "test", ...more });
const times = (text: string) => world.userTexts(thread).filter((said) => said === text).length;
const screen = () => capturePane(world.env, "codex-w1", 0);
const keys = (...words: string[]) => tmuxResult(world.env, ["send-keys", "-t", "=codex-w1:", ...words]);

const texts: Record<string, string> = {
  plain: "carry on with the second file",
  "several lines": "first\nsecond\n\n    indented\nlast",
  "a leading dash": "-rf --all --",
  quotes: `it's "quoted" \`twice\` \\ and \\n`,
  "shell words": "$(touch /tmp/never) ${HOME} `id` ; & | > <",
  "a shell command of the composer": "!touch never-made",
  "a command of the agent": "/quit",
  unicode: "› ✓ žluťoučký 日本語 🙂 é",
  "a mention at the end": "use $skill-creator",
  "control characters": "before\u001b[201~\rafter\u0007",
  "15,000 characters": `${"word ".repeat(2999)}end!!`,
};

describe("an idle worker", () => {
  for (const [name, text] of Object.entries(texts)) {
    test(`${name}: delivered by tmux with proof, once`, async () => {
      const sent = await send(text);
      expect(sent).toMatchObject({ state: "delivered", transport: "tmux", proof: "seen", started: true, completed: true, error: null });
      const arrived = name === "control characters" ? "before[201~\nafter" : text;
      expect(times(arrived)).toBe(1);
      await world.turns(thread, world.userTexts(thread).length);
    });
  }

  test("nothing of it ran as a command", async () => {
    expect(await Bun.file(`${world.project}/never-made`).exists()).toBe(false);
    expect(await Bun.file("/tmp/never").exists()).toBe(false);
  });
});

describe("a worker that works", () => {
  test("a text of several lines at the moment a turn starts arrives once", async () => {
    await send("hold start");
    const sent = await send("now\nthis");
    model.release("start");
    expect(["delivered", "typed"]).toContain(sent.state);
    await until("the text", () => times("now\nthis") === 1);
  });

  test("behind a running command it waits visibly, and is settled later", async () => {
    const gate = join(world.dir, "gate");
    await send(`run until [ -e ${gate} ]; do sleep 0.1; done`);
    await until("the command", async () => (await screen()).includes("background terminal running"));
    const sent = await send("after the command", { proofMs: 1500 });
    expect(sent).toMatchObject({ state: "typed", proof: "pending", started: true, completed: false, accepted: true });
    await Bun.write(gate, "");
    await until("the text", () => times("after the command") === 1);
  });
});

describe("a composer that is not ours", () => {
  test("a draft stays, and the text goes by Codex's own queue", async () => {
    await until("the composer", async () => (await screen()).includes("Ask Codex"));
    await keys("-l", "--", "my half thought");
    await until("the draft", async () => (await screen()).includes("my half thought"));
    const sent = await send("past the draft");
    expect(sent).toMatchObject({ state: "delivered", transport: "codex_queue", proof: "seen" });
    expect(times("past the draft")).toBe(1);
    expect(await screen()).toContain("› my half thought");
    expect(deliverySteps(cx.store(), sent.id).map((each) => each.step)).toEqual(["reach", "screen", "begun", "queued", "delivered"]);
    await keys("C-c");
  }, 60_000);

  test("copy mode is left", async () => {
    await until("the empty composer", async () => (await screen()).includes("Ask Codex"));
    await tmuxResult(world.env, ["copy-mode", "-t", "=codex-w1:"]);
    expect(await send("out of copy mode")).toMatchObject({ state: "delivered", transport: "tmux", proof: "seen" });
    expect(times("out of copy mode")).toBe(1);
  });
});

describe("what must get no keys", () => {
  test("an unknown tmux session, a dead process, another's pane", async () => {
    const store = cx.store();
    const w1 = recipientOf(needSession(store, "w1"));
    for (const [recipient, type] of [
      // Pane and process are the address, and the name a hint: what is on record is found wherever its process is.
      [{ ...w1, paneId: null, pid: null, tmuxSession: "codex-w" }, "not running"],
      [{ ...w1, pid: 999_999_999 }, "is dead"],
      [{ ...w1, gone: needSession(store, "w1") }, "is gone"],
      [{ ...w1, paneId: "%77", pid: null }, "is not in tmux session"],
    ] as const) {
      const sent = await deliver(cx, store, { recipient, text: "nobody is to read this", origin: "test" });
      expect(sent).toMatchObject({ state: "failed", started: false, completed: false });
      expect(sent.error).toContain(type);
    }
    expect(await screen()).not.toContain("nobody is to read this");
    expect(times("nobody is to read this")).toBe(0);
  });

  test("a shell that Codex left behind, when the thread is written by nobody", async () => {
    const { paneId, pid } = await newSession(world.env, { name: "left", cwd: world.project, argv: ["cat"] });
    const w1 = recipientOf(needSession(cx.store(), "w1"));
    const other = await world.ok(["start-worker", "--name", "w2", "--cwd", world.project, "--timeout-seconds", "30"]);
    process.kill(other.pid, "SIGKILL");
    await until("the end of w2", async () => (await tmuxResult(world.env, ["has-session", "-t", "=codex-w2"])).code !== 0);
    const recipient = { ...w1, tmuxSession: "left", paneId, pid, threadId: other.codex_session_id, rolloutPath: other.codex_session_path };
    const sent = await deliver(cx, cx.store(), { recipient, text: "never", origin: "test" });
    expect(sent).toMatchObject({ state: "failed", started: false });
    expect((await capturePane(world.env, "left", 0)).trim()).toBe("");
  });

  test("a claim that was lost", async () => {
    expect(await send("never", { begin: () => false })).toMatchObject({ state: "failed", errorType: "LeaseLost", started: false });
    expect(times("never")).toBe(0);
  });
});
