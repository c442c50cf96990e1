/**
 * A hundred nudges (in npm test the first of each kind) to one real Claude Code, by keys and by its inbox, whatever it does at that moment
 * and whatever they say: each stands in its transcript exactly once, and nothing that it asks is answered by one.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { fingerprint } from "../../../src/core/delivery/delivery.ts";
import { plainWords } from "../../../src/core/delivery/same-text.ts";
import { sha256 } from "../../../src/system/files/digest.ts";
import { capturePane } from "../../../src/system/terminal/panes.ts";
import { tmuxResult } from "../../../src/system/terminal/tmux.ts";
import { ClaudeSuiteWorld } from "../../agent-suite/claude-world.ts";
import { describeClaude } from "../../claude-world.ts";
import { until } from "../../harness.ts";
import { LONG } from "../../long.ts";
import { Chance, MAIN } from "../../served-world.ts";

/** How many of each kind. */
const [IDLE, STARTS, ROUNDS, INTERRUPTED, COPY, DRAFTS, ASKING, ASKS, STRUCK] =
  LONG === null ? [6, 1, 1, 2, 1, 2, 2, 2, 4] : [40, 4, 4, 8, 6, 6, 6, 20, 40];
const WAYS = ["tmux", "claude_inbox"] as const;
type Way = (typeof WAYS)[number];

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
  (n) => `a backslash at the end of ${n}\\`,
  (n) => `seen \u202e${n}\u200b un\u2060seen`,
  (n) => `${"word ".repeat(2995)}long ${n}`,
];

describeClaude("a hundred nudges to Claude Code", () => {
  let world: ClaudeSuiteWorld;
  let id = "";
  beforeAll(async () => {
    world = new ClaudeSuiteWorld();
    id = (await world.ok(["start-worker", "--name", "w1", "--cwd", world.project, "--timeout-seconds", "60", ...world.asking]))
      .codex_session_id;
    await world.status("claude-w1", "idle");
  }, 90_000);
  afterAll(() => world.close());
  const chance = new Chance();

  const screen = async () => world.agent.screen.read(await capturePane(world.env, "claude-w1", 0, true), null);
  const keys = (...words: string[]) => tmuxResult(world.env, ["send-keys", "-t", "=claude-w1:", ...words]);
  const resting = () => until("an idle composer", async () => (await screen()).page === "idle", 30);

  /** Everything that was said to the worker, and how long each counted nudge took to its proof. */
  const said: string[] = [];
  const took: { situation: string; way: Way; ms: number }[] = [];
  /** Who says it: a person by keys, another session by the inbox. */
  const sender = (way: Way): string => (way === "tmux" ? "" : "of-another-session");
  const run = (text: string, way: Way) =>
    world.run(["session-nudge", "w1", "--", text], { env: { [world.agent.selfVariable]: sender(way) } });
  async function nudge(text: string, way: Way = "tmux"): Promise<{ proof: string; transport: string }> {
    said.push(text);
    const outcome = await run(text, way);
    expect([outcome.exit, outcome.stderr.replace(/^note: .*\n$/, "")]).toEqual([0, ""]);
    return JSON.parse(outcome.stdout);
  }
  /** @param by the ways that it may take */
  async function counted(situation: string, way: Way, by: readonly Way[] = [way]): Promise<void> {
    const n = took.length;
    const place = took.push({ situation, way, ms: 0 }) - 1;
    const begun = performance.now();
    const told = await nudge(shapes[n % shapes.length]!(n), way);
    expect([told.proof, by.includes(told.transport as Way)]).toEqual(["seen", true]);
    took[place] = { situation, way: told.transport as Way, ms: performance.now() - begun };
  }
  /** A turn that goes on until it is released. */
  async function hold(name: string, then = ""): Promise<void> {
    await resting();
    await nudge(`hold ${name}${then}`);
    await until("the turn", () => world.model.isHolding(name));
  }
  const begunSendings = () => world.rows("select 1 from deliveries where side_effect_started = 1").length;
  async function draft(text: string): Promise<void> {
    await keys("-l", "--", text);
    await until("the draft", async () => (await screen()).composer?.text === text);
  }

  test("idle", async () => {
    for (let each = 0; each < IDLE; each += 1) {
      for (const way of WAYS) {
        await counted("idle", way);
        await world.idle(id);
      }
    }
  }, 300_000);

  test("at the moment a turn starts", async () => {
    for (let each = 0; each < STARTS; each += 1) {
      await resting();
      const first = nudge(`hold start-${each}`);
      await until("the first text", () => world.userTexts(id).includes(`hold start-${each}`));
      const second = counted("turn starting", "tmux", WAYS);
      await until("both sendings", () => begunSendings() === said.length);
      world.model.release(`start-${each}`);
      await Promise.all([first, second]);
      await world.idle(id);
    }
  }, 120_000);

  test("working, several senders at once", async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      await hold(`round-${round}`);
      const all = [0, 1, 2, 3, 4].map((at) => counted("working", WAYS[at % 2]!, WAYS));
      await until("the sendings", () => begunSendings() === said.length);
      world.model.release(`round-${round}`);
      await Promise.all(all);
      await world.idle(id);
    }
  }, 120_000);

  test("just interrupted, by us or by a person, after its first output or before", async () => {
    for (let each = 0; each < INTERRUPTED; each += 1) {
      await resting();
      const name = `interrupted-${each}`;
      await nudge(`${[0, 3].includes(each % 4) ? "hold" : "silence"} ${name}`);
      await until("the turn", () => world.model.isHolding(name));
      if (each % 2 === 0) await world.ok("session-interrupt w1");
      else await keys("Escape");
      // What a person has taken back stands there again as a draft.
      await counted("just interrupted", each % 2 === 0 ? "tmux" : "claude_inbox", WAYS);
      await world.idle(id);
      if ((await screen()).page === "draft") await keys("C-c");
    }
  }, 240_000);

  test("in copy mode", async () => {
    for (let each = 0; each < COPY; each += 1) {
      await resting();
      await tmuxResult(world.env, ["copy-mode", "-t", "=claude-w1:"]);
      await counted("copy mode", "tmux");
      await world.idle(id);
    }
  }, 120_000);

  test("in a terminal too small to show what is typed", async () => {
    const size = (x: string, y: string) => tmuxResult(world.env, ["resize-window", "-t", "=claude-w1:", "-x", x, "-y", y]);
    await size("60", "20");
    for (let each = 0; each < COPY; each += 1) {
      await hold(`small-${each}`);
      const sent = nudge(`small ${each} ${"words ".repeat(100)}`);
      await until("it to wait", async () => (await screen()).queued.length > 0);
      world.model.release(`small-${each}`);
      expect(await sent).toMatchObject({ proof: "seen" });
      await world.idle(id);
      expect(await nudge(`small at rest ${each} ${"words ".repeat(100)}`)).toMatchObject({ proof: "seen" });
      await world.idle(id);
    }
    await size("120", "40");
  }, 240_000);

  test("with a person's draft in the composer: it is still there afterwards", async () => {
    await resting();
    await draft("a half-typed thought");
    for (let each = 0; each < DRAFTS; each += 1) await counted("draft", WAYS[each % 2]!, ["claude_inbox"]);
    await world.idle(id);
    expect((await screen()).composer?.text).toBe("a half-typed thought");
    await keys("C-c");
  }, 120_000);

  test("while it asks whether it may: it waits, and answers nothing", async () => {
    for (let each = 0; each < ASKING; each += 1) {
      await resting();
      await nudge(`ask touch approved-${each}`);
      await world.status("claude-w1", "waiting");
      const sent = counted("asking", WAYS[each % 2]!, ["claude_inbox"]);
      await until("the sending", () => begunSendings() === said.length);
      expect(await world.status("claude-w1", "waiting")).toBeTruthy();
      expect(await world.ok("answer w1 no --json")).toMatchObject({ choice: "no", sent: true });
      await sent;
      await world.idle(id);
    }
  }, 240_000);

  /** Typed while it works, and read when it has come to ask: they may be swallowed, which is told. */
  const late: string[] = [];
  const outcomes: Promise<{ exit: number }>[] = [];
  test("at the moment at which it comes to ask: nothing is approved", async () => {
    for (let each = 0; each < ASKS; each += 1) {
      await hold(`late-${each}`, `\nrun touch approved-late-${each}`);
      const text = `late words ${each}`;
      const before = begunSendings();
      late.push(text);
      outcomes.push(run(text, "tmux"));
      await until("the sending", () => begunSendings() > before);
      world.model.release(`late-${each}`);
      await world.status("claude-w1", "waiting");
      await world.ok("answer w1 no --json");
      await world.idle(id);
    }
    const ended = await Promise.all(outcomes);
    for (const [at, text] of late.entries()) {
      const times = world.userTexts(id).filter((each) => plainWords(each) === text).length;
      expect([text, times]).toEqual([text, ended[at]!.exit === 0 ? 1 : 0]);
    }
  }, 600_000);

  /** Whose sender was killed. */
  const struck: string[] = [];
  test("whose sender is killed in the middle: as often as its record says, and never twice", async () => {
    for (let each = 0; each < STRUCK; each += 1) {
      await resting();
      const text = `struck ${each}`;
      struck.push(text);
      const env = { ...world.env, [world.agent.selfVariable]: sender(WAYS[each % 2]!) };
      const nudging = Bun.spawn([...MAIN, "session-nudge", "w1", "--", text], { env, cwd: world.work, stdout: "ignore", stderr: "ignore" });
      await Bun.sleep(chance.below(1500));
      nudging.kill("SIGKILL");
      await nudging.exited;
      await world.idle(id);
      // The next one is in nobody's way, and says what became of the one before.
      await nudge(`after struck ${each}`, WAYS[each % 2]!);
      await world.idle(id);
    }
    await world.ok("dispatch --once --ingest");
    const times = (text: string) => world.userTexts(id).filter((each) => plainWords(each) === text).length;
    const rows = world.rows<{ digest: string; state: string }>("select text_digest as digest, state from deliveries");
    const stateOf = (text: string) => rows.find(({ digest }) => digest === fingerprint(text, sha256).digest)?.state ?? "none";
    const wrong = struck.filter((text) => {
      const [state, count] = [stateOf(text), times(text)];
      return !(state === "delivered" ? count === 1 : state === "unknown" ? count <= 1 : ["failed", "none"].includes(state) && count === 0);
    });
    expect(wrong.map((text) => [text, stateOf(text), times(text)])).toEqual([]);
  }, 900_000);

  const quantile = (sorted: readonly number[], part: number): string =>
    `${Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!)} ms`;

  test("each of them stands there once, proven by a place of its own, and nothing ran or was approved", async () => {
    await world.idle(id);
    const heard = world.userTexts(id).map(plainWords);
    expect(heard.filter((text) => !late.includes(text) && !struck.includes(text)).sort()).toEqual(said.map(plainWords).sort());
    const told = (await world.ok("deliveries w1 --limit 500 --json")) as {
      state: string;
      proof_offset: number;
      proof_line: number;
      text_digest: string;
    }[];
    const digests = struck.map((text) => fingerprint(text, sha256).digest);
    const sent = told.filter(({ text_digest }) => !digests.includes(text_digest));
    expect(sent).toHaveLength(said.length + late.length);
    const proven = sent.filter(({ state }) => state === "delivered");
    expect(proven.length).toBeGreaterThanOrEqual(said.length);
    expect(new Set(proven.map((each) => `${each.proof_offset}:${each.proof_line}`)).size).toBe(proven.length);
    expect(Array.from(new Bun.Glob("{never,approved}-*").scanSync(world.project))).toEqual([]);
    for (const [what, those] of Map.groupBy(took, ({ situation, way }) => `${way}, ${situation}`)) {
      const times = those.map(({ ms }) => ms).sort((a, b) => a - b);
      console.log(`nudge to proof by ${what} (${times.length}): p50 ${quantile(times, 0.5)}, p99 ${quantile(times, 0.99)}`);
    }
  }, 60_000);
});
