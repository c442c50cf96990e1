/** A hundred nudges to one real worker in every state it can be in: each stands in its rollout exactly once. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { capturePane, tmuxResult } from "../../src/system/tmux.ts";
import { CodexWorld, PlainModel } from "../codex-world.ts";
import { until } from "../harness.ts";

const model = new PlainModel();
const world = new CodexWorld(model.script);
let thread = "";
const sent: string[] = [];
beforeAll(async () => {
  thread = (await world.ok(["start-worker", "--name", "w1", "--cwd", world.project, "--timeout-seconds", "40"])).codex_session_id;
  await world.idle(thread);
}, 60_000);
afterAll(() => world.close());

const screen = () => capturePane(world.env, "codex-w1", 0);
const free = () => until("an idle composer", async () => !(await screen()).includes("esc to interrupt") && (await screen()).includes("Ask Codex"));

const nudge = async (text: string): Promise<{ proof: string; transport: string }> => {
  sent.push(text);
  return world.ok(["session-nudge", "w1", "--", text]);
};

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
  (n) => `${"word ".repeat(2990)}long ${n}`,
];

test("idle: every shape, again and again", async () => {
  for (let n = 0; n < 48; n += 1) {
    expect(await nudge(shapes[n % shapes.length]!(n))).toMatchObject({ proof: "seen", transport: "tmux" });
    await world.idle(thread);
  }
}, 120_000);

test("working: in bursts while a turn is held open", async () => {
  for (let round = 0; round < 3; round += 1) {
    await nudge(`hold round-${round}`);
    await until("the turn", () => model.isHolding(`round-${round}`));
    for (let n = 0; n < 7; n += 1) await nudge(`${shapes[n]!(100 + round * 10 + n)} while working`);
    model.release(`round-${round}`);
    await world.idle(thread);
  }
}, 120_000);

test("just interrupted, or while a person interrupts", async () => {
  for (let n = 0; n < 8; n += 1) {
    await nudge(`hold interrupted-${n}`);
    await until("the turn", () => model.isHolding(`interrupted-${n}`));
    if (n % 2 === 0) await world.ok("session-interrupt w1");
    else await tmuxResult(world.env, ["send-keys", "-t", "=codex-w1:", "Escape"]);
    expect(await nudge(shapes[n]!(200 + n))).toMatchObject({ proof: "seen" });
    await world.idle(thread);
  }
}, 120_000);

test("in copy mode", async () => {
  for (let n = 0; n < 8; n += 1) {
    await free();
    await tmuxResult(world.env, ["copy-mode", "-t", "=codex-w1:"]);
    expect(await nudge(shapes[n]!(300 + n))).toMatchObject({ proof: "seen", transport: "tmux" });
    await world.idle(thread);
  }
}, 120_000);

test("with a person's draft in the composer, which is still there afterwards", async () => {
  await free();
  await tmuxResult(world.env, ["send-keys", "-t", "=codex-w1:", "-l", "--", "a half-typed thought"]);
  await until("the draft", async () => (await screen()).includes("a half-typed thought"));
  for (let n = 0; n < 4; n += 1) {
    expect(await nudge(shapes[n + 3]!(400 + n))).toMatchObject({ proof: "seen", transport: "codex_queue" });
    await world.idle(thread);
  }
  expect(await screen()).toContain("› a half-typed thought");
}, 180_000);

test("each of them once, in the end, and nothing ran as a command", async () => {
  await world.idle(thread);
  const said = world.userTexts(thread).slice(1);
  const words = (text: string) => text.replace(/\s+/g, " ").trim();
  expect(sent).toHaveLength(100);
  expect(said.map(words).sort()).toEqual(sent.map(words).sort());
  const open = await world.ok("deliveries w1 --limit 200 --json");
  expect(open.filter((each: { uncertain: boolean }) => each.uncertain)).toEqual([]);
  expect(new Set(open.map((each: { proof_offset: number; proof_line: number }) => `${each.proof_offset}:${each.proof_line}`)).size).toBe(open.length);
  expect(Array.from(new Bun.Glob("never-*").scanSync(world.project))).toEqual([]);
}, 60_000);
