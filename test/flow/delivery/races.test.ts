/** What happens between the look at a screen and the paste: a person begins to type, a question comes up, other senders are at it, tmux dies. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { deliver, type Delivered } from "../../../src/flow/delivery/deliver.ts";
import { recipientOf } from "../../../src/flow/reach/recipient.ts";
import { deliverySteps } from "../../../src/store/deliveries.ts";
import { needSession } from "../../../src/store/sessions/sessions.ts";
import type { ModelScript } from "../../../src/core/agent/scripted-model.ts";
import { capturePane } from "../../../src/system/terminal/panes.ts";
import { tmuxResult } from "../../../src/system/terminal/tmux.ts";
import { CodexWorld, PlainModel } from "../../codex-world.ts";
import { until } from "../../harness.ts";

const MAIN = resolve(import.meta.dir, "../../../src/main.ts");
const model = new PlainModel();
/** Answers `ask NAME` by wanting to run something that needs an approval, once it is released. */
const script: ModelScript = async (request) => {
  const asks = /^hold ask/.test(request.userTexts.at(-1) ?? "");
  const items = await model.script(request);
  return asks && request.toolOutput === null ? [{ run: "touch asked-for", escalate: "to see what happens" }] : items;
};
const world = new CodexWorld(script, { launch: "tmux" });
let thread = "";
beforeAll(async () => {
  thread = (
    await world.ok([
      "start-worker",
      "--name",
      "w1",
      "--cwd",
      world.project,
      "--timeout-seconds",
      "40",
      "--sandbox",
      "read-only",
      "--ask-for-approval",
      "on-request",
    ])
  ).codex_session_id;
  await world.idle(thread);
}, 60_000);
afterAll(() => world.close());

const screen = () => capturePane(world.env, "codex-w1", 0);
const resting = () =>
  until("an idle composer", async () => !(await screen()).includes("esc to interrupt") && (await screen()).includes("Ask Codex"));
const times = (text: string) => world.userTexts(thread).filter((said) => said === text).length;
const steps = (sent: Delivered) => deliverySteps(world.store(), sent.id).map((each) => each.step);

/** Sends by a tmux that does something of its own before it pastes for the first time. */
async function sendWhile(text: string, what: string): Promise<Delivered> {
  const tmux = Bun.which("tmux")!;
  const once = join(world.dir, `once-${world.rows("select 1 from deliveries").length}`);
  const shim = `#!/bin/sh\ncase " $* " in *" paste-buffer "*) if [ ! -e ${once} ]; then touch ${once}; ${what.replaceAll("TMUX", tmux)}; fi ;; esac\nexec ${tmux} "$@"\n`;
  chmodSync(await world.file("shim/tmux", shim), 0o755);
  const cx = world.context({ env: { PATH: `${world.dir}/shim:${world.env.PATH}` } });
  const sent = await deliver(cx, cx.store(), { recipient: recipientOf(needSession(cx.store(), "w1")), text, origin: "test" });
  expect(existsSync(once)).toBe(true);
  return sent;
}

const shown = (words: string) => `until TMUX capture-pane -p -t =codex-w1: | grep -q '${words}'; do sleep 0.05; done`;

test("a person begins to type: nothing is pasted over it, and the text goes by the queue", async () => {
  await resting();
  const sent = await sendWhile("past the first letters", `TMUX send-keys -t =codex-w1: -l -- 'dear wor'; ${shown("› dear wor")}`);
  expect(sent).toMatchObject({ state: "delivered", transport: "codex_queue", proof: "seen" });
  expect(steps(sent)).toContain("pane changed");
  expect(times("past the first letters")).toBe(1);
  expect(await screen()).toContain("› dear wor");
  await tmuxResult(world.env, ["send-keys", "-t", "=codex-w1:", "C-c"]);
  await world.idle(thread);
}, 60_000);

test("somebody scrolls back: copy mode is left once more, and the text arrives by the pane", async () => {
  await resting();
  const sent = await sendWhile("past the scrolling", "TMUX copy-mode -t =codex-w1:");
  expect(sent).toMatchObject({ state: "delivered", transport: "tmux", proof: "seen" });
  expect(times("past the scrolling")).toBe(1);
  await world.idle(thread);
});

test("Codex asks for an approval: the Enter that was meant for the composer does not answer it", async () => {
  await resting();
  await world.ok(["session-nudge", "w1", "hold ask"]);
  await until("the turn", () => model.isHolding("ask"));
  await until("the work on the screen", async () => (await screen()).includes("esc to interrupt"));
  const mark = join(world.dir, "question");
  const sending = sendWhile("not a yes", `touch ${mark}; ${shown("Would you like to run")}`);
  await until("the paste", () => existsSync(mark));
  model.release("ask");
  const sent = await sending;
  expect(steps(sent)).toContain("pane changed");
  expect(sent).toMatchObject({ state: "failed", started: false, error: expect.stringContaining("Codex asks for an approval") });
  expect(await screen()).toContain("Would you like to run");
  expect(existsSync(join(world.project, "asked-for"))).toBe(false);
  await world.ok("session-interrupt w1");
  await world.idle(thread);
  expect(times("not a yes")).toBe(0);
}, 90_000);

test("several processes send at once, some the very same words: each arrives once", async () => {
  await resting();
  const words = ["one", "two\nlines", "the same", "the same", "$(three)", "the same"];
  const before = world.userTexts(thread).length;
  const children = words.map((text) =>
    Bun.spawn([process.execPath, MAIN, "session-nudge", "w1", "--", text], {
      env: world.env,
      cwd: world.work,
      stdout: "pipe",
      stderr: "inherit",
    }),
  );
  for (const child of children) expect(await child.exited).toBe(0);
  await until("all of them", () => world.userTexts(thread).length >= before + words.length);
  await world.idle(thread);
  expect(world.userTexts(thread).slice(before).sort()).toEqual([...words].sort());
}, 90_000);

test("tmux dies under the paste: nobody claims to know, and nothing is sent again", async () => {
  await resting();
  const sent = await sendWhile("never sent twice", "TMUX kill-server; sleep 0.3");
  expect(sent).toMatchObject({ state: "unknown", started: true, completed: false });
  expect(times("never sent twice")).toBe(0);
  const [row] = await world.ok("deliveries w1 --limit 1 --json");
  expect(row).toMatchObject({ uncertain: true, state: "unknown" });
  expect((await world.run(["session-nudge", "w1", "anybody?"])).stderr).toContain("is dead");
});
