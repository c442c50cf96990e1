/** A hundred nudges (in npm test the first of each kind) to one real worker, whatever it does at that moment and whatever they say: each stands in its rollout exactly once. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { plainWords } from "../../../src/core/delivery/same-text.ts";
import { capturePane } from "../../../src/system/terminal/panes.ts";
import { tmuxResult } from "../../../src/system/terminal/tmux.ts";
import { CodexWorld, PlainModel } from "../../codex-world.ts";
import { until } from "../../harness.ts";
import { LONG } from "../../long.ts";

/** How many of each kind. */
const [IDLE, STARTS, ROUNDS, INTERRUPTED, COPY] = LONG === null ? [12, 2, 1, 4, 2] : [43, 5, 4, 12, 12];
const DRAFTS = 8;
const COUNTED = IDLE + STARTS + 5 * ROUNDS + INTERRUPTED + COPY + DRAFTS;

const model = new PlainModel();
const world = new CodexWorld(model.script, { launch: "tmux" });
let thread = "";
beforeAll(async () => {
  thread = (await world.ok(["start-worker", "--name", "w1", "--cwd", world.project, "--timeout-seconds", "40"])).codex_session_id;
  await world.idle(thread);
}, 60_000);
afterAll(() => world.close());

const screen = () => capturePane(world.env, "codex-w1", 0);
const keys = (...words: string[]) => tmuxResult(world.env, ["send-keys", "-t", "=codex-w1:", ...words]);
const resting = () =>
  until("an idle composer", async () => !(await screen()).includes("esc to interrupt") && (await screen()).includes("Ask Codex"));

const shapes: readonly ((n: number) => string)[] = [
  (n) => `plain number ${n}`,
  (n) => `-${n} --begins with dashes`,
  (n) => `"quotes" and 'quotes' \`${n}\` \\ back`,
  (n) => `first line ${n}\nsecond\n\n\tfourth with a tab`,
  (n) => `žluťoučký › 日本語 🙂 ${n}`,
  (n) => `$(touch never-${n}) \${HOME} ; | & > < *`,
  (n) => `!touch never-${n}`,
  (n) => `/quit ${n}`,
  (n) => `number ${n} for @you and use $skill`,
  (n) => `${"word ".repeat(2995)}long ${n}`,
];

/** Everything that was said to the worker, and how long each counted nudge took to its proof. */
const said: string[] = [];
const took: { situation: string; transport: string; ms: number }[] = [];
const nudge = async (text: string): Promise<{ proof: string; transport: string }> => {
  said.push(text);
  return world.ok(["session-nudge", "w1", "--", text]);
};
async function counted(situation: string, transport: "tmux" | "codex_queue"): Promise<void> {
  const n = took.length;
  const place = took.push({ situation, transport, ms: 0 }) - 1;
  const begun = performance.now();
  expect(await nudge(shapes[n % shapes.length]!(n))).toMatchObject({ proof: "seen", transport });
  took[place]!.ms = performance.now() - begun;
}

/** A turn that goes on until it is released. */
async function hold(name: string): Promise<void> {
  await nudge(`hold ${name}`);
  await until("the turn", () => model.isHolding(name));
}

/** Waits until everything said so far is on its way, or there. */
const underWay = () =>
  until("the sendings", () => world.rows("select 1 from deliveries where side_effect_started = 1").length === said.length);

async function draft(text: string): Promise<void> {
  await keys("-l", "--", text);
  await until("the draft", async () => (await screen()).includes(`› ${text}`));
}

test("idle", async () => {
  for (let each = 0; each < IDLE; each += 1) {
    await counted("idle", "tmux");
    await world.idle(thread);
  }
}, 60_000);

test("at the moment a turn starts", async () => {
  for (let each = 0; each < STARTS; each += 1) {
    const first = nudge(`hold start-${each}`);
    await until("the first text", () => world.userTexts(thread).includes(`hold start-${each}`));
    const second = counted("turn starting", "tmux");
    await underWay();
    model.release(`start-${each}`);
    await Promise.all([first, second]);
    await world.idle(thread);
  }
}, 60_000);

test("working, several senders at once", async () => {
  for (let round = 0; round < ROUNDS; round += 1) {
    await hold(`round-${round}`);
    await Promise.all(Array.from({ length: 5 }, () => counted("working", "tmux")));
    model.release(`round-${round}`);
    await world.idle(thread);
  }
}, 60_000);

test("just interrupted, by us or by a person", async () => {
  for (let each = 0; each < INTERRUPTED; each += 1) {
    await hold(`interrupted-${each}`);
    if (each % 2 === 0) await world.ok("session-interrupt w1");
    else await keys("Escape");
    await counted("just interrupted", "tmux");
    await world.idle(thread);
  }
}, 60_000);

test("in copy mode", async () => {
  for (let each = 0; each < COPY; each += 1) {
    await resting();
    await tmuxResult(world.env, ["copy-mode", "-t", "=codex-w1:"]);
    await counted("copy mode", "tmux");
    await world.idle(thread);
  }
}, 60_000);

test("with a person's draft in the composer, idle and working: it is still there afterwards", async () => {
  await resting();
  await draft("a half-typed thought");
  await Promise.all(Array.from({ length: DRAFTS - 2 }, () => counted("draft", "codex_queue")));
  await world.idle(thread);
  expect(await screen()).toContain("› a half-typed thought");
  await keys("C-c");
  await resting();
  await hold("with-draft");
  await draft("another thought");
  const sent = counted("draft", "codex_queue");
  await underWay();
  model.release("with-draft");
  await sent;
  await counted("draft", "codex_queue");
  await world.idle(thread);
  expect(await screen()).toContain("› another thought");
}, 120_000);

const quantile = (sorted: readonly number[], part: number): string =>
  `${Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!)} ms`;

test("each of them stands there once, proven by a place of its own, and nothing ran as a command", async () => {
  await world.idle(thread);
  expect(took).toHaveLength(COUNTED);
  expect(world.userTexts(thread).slice(1).map(plainWords).sort()).toEqual(said.map(plainWords).sort());
  const sent = await world.ok("deliveries w1 --limit 300 --json");
  expect(sent).toHaveLength(said.length);
  expect(sent.filter((each: { state: string }) => each.state !== "delivered")).toEqual([]);
  expect(new Set(sent.map((each: { proof_offset: number; proof_line: number }) => `${each.proof_offset}:${each.proof_line}`)).size).toBe(
    said.length,
  );
  expect(Array.from(new Bun.Glob("never-*").scanSync(world.project))).toEqual([]);
  for (const of of [
    ["tmux", "idle"],
    ["tmux", "turn starting"],
    ["tmux", "working"],
    ["tmux", "just interrupted"],
    ["tmux", "copy mode"],
    ["codex_queue", "draft"],
  ] as const) {
    const times = took
      .filter((each) => each.transport === of[0] && each.situation === of[1])
      .map((each) => each.ms)
      .sort((a, b) => a - b);
    console.log(
      `nudge to proof by ${of[0]}, ${of[1]} (${times.length}): p50 ${quantile(times, 0.5)}, p90 ${quantile(times, 0.9)}, max ${quantile(times, 1)}`,
    );
  }
}, 60_000);
