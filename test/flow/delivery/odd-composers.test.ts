/** Composers in odd states and texts that a terminal could obey: what is said arrives once and whole, or is said not to have arrived. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { plainWords } from "../../../src/core/delivery/same-text.ts";
import { tmuxResult } from "../../../src/system/terminal/tmux.ts";
import { CodexSuiteWorld } from "../../agent-suite/codex-world.ts";
import { Hands } from "../../codex-hands.ts";
import { until } from "../../harness.ts";

const world = new CodexSuiteWorld("tmux");
appendFileSync(join(world.codexHome, "config.toml"), "\n[tui]\nvim_mode_default = true\n");
const hands = new Hands(world, "codex-w");
let thread = "";
afterAll(() => world.close());
beforeAll(async () => {
  thread = (await world.ok(["start-worker", "--name", "w", "--cwd", world.project, "--timeout-seconds", "40"])).codex_session_id;
  await world.idle(thread);
  await hands.rest();
}, 60_000);

const resize = async (width: number, height: number): Promise<void> => {
  await tmuxResult(world.env, ["resize-window", "-t", "=codex-w:", "-x", String(width), "-y", String(height)]);
  await until("the new size", async () => (await hands.text()).split("\n").every((line) => line.length <= width));
};

/** Says it, and sees to it that it stands in the thread as often as the answer says: once, or never. Gives how it went. */
async function say(text: string, arrives = text): Promise<string> {
  const before = world.userTexts(thread).length;
  const sent = await world.run(["session-nudge", "w", "--", text]);
  await world.idle(thread);
  const said = world.userTexts(thread).slice(before).map(plainWords);
  expect(said).toEqual(sent.exit === 0 ? [plainWords(arrives)] : []);
  return sent.exit === 0 ? sent.json().transport : "refused";
}

/** Vim's insert mode, in which a client starts, and an empty composer. */
async function insertMode(): Promise<void> {
  if (!(await hands.text()).includes("Vim: Insert")) {
    await hands.keys("Escape");
    await hands.shows("Vim: Normal");
    await hands.keys("i");
    await hands.shows("Vim: Insert");
  }
  await hands.rest();
}

const modes: Readonly<Record<string, readonly string[]>> = { Insert: [], Normal: ["Escape"], Visual: ["Escape", "v"] };
for (const [mode, pressed] of Object.entries(modes))
  test(`vim's mode ${mode}`, async () => {
    await insertMode();
    for (const key of pressed) {
      await hands.keys(key);
      await until("the mode", async () => !(await hands.text()).includes("Vim: Insert"));
    }
    expect(await say(`said in ${mode} mode`)).toBe("tmux");
  }, 60_000);

const hostile: Readonly<Record<string, readonly [string, string?]>> = {
  "the end of a paste, then a command": ["one\u001b[201~\r/quit\r", "one[201~\n/quit\n"],
  "escape sequences": ["\u001b]0;title\u0007\u001b[2J\u001bc shown", "]0;title[2Jc shown"],
  "tabs and carriage returns": ["a\tb\r\nc\rd", "a\tb\nc\nd"],
  "zero width": ["ze\u200bro\u2060 wi\ufeffdth"],
  "right to left": ["\u202eevil\u202c and שלום and مرحبا"],
  "interrupt and end of file": ["stop\u0003\u0004\u001a here", "stop here"],
  "300 kB": [`${"word ".repeat(60_000)}end`],
};
for (const [name, [text, arrives]] of Object.entries(hostile))
  test(
    name,
    async () => {
      await hands.keys("i");
      await hands.keys("C-u");
      expect(await say(text, arrives)).toBe("tmux");
    },
    60_000,
  );

for (const [width, height] of [
  [20, 5],
  [40, 6],
  [12, 30],
] as const)
  test(`a screen of ${width}x${height}`, async () => {
    await insertMode();
    await resize(width, height);
    expect(await say(`said to ${width}x${height}`)).not.toBe("refused");
    await resize(120, 40);
    await until("the composer", async () => (await hands.screen()).composer !== null, 50);
  }, 60_000);
