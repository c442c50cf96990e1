/** What every agent must do, run against the real program with a scripted model: one suite, called once for each agent. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { TurnErrorKind } from "../../src/core/agent/failed-turn.ts";
import { plainWords } from "../../src/core/delivery/same-text.ts";
import { machineOf } from "../../src/system/agent/agents.ts";
import { installedAgent } from "../../src/system/agent/cli.ts";
import { alive } from "../../src/system/processes/processes.ts";
import { newSession } from "../../src/system/terminal/sessions.ts";
import { until } from "../harness.ts";
import { type AgentWorld, Terminal } from "./world.ts";

interface Started {
  readonly session_id: string;
  readonly pid: number;
  readonly codex_session_id: string;
  readonly codex_session_path: string;
}

const start = (world: AgentWorld, name: string, ...more: string[]): Promise<Started> =>
  world.ok(["start-worker", "--name", name, "--cwd", world.project, "--timeout-seconds", "40", ...more]);
const nudge = (world: AgentWorld, name: string, text: string) => world.ok(["session-nudge", name, "--", text]);

/** Texts that a composer, a terminal or a shell could take for something else. */
const shapes: Readonly<Record<string, string>> = {
  plain: "carry on with the second file",
  "several lines": "first\nsecond\n\n    indented\nlast",
  "a leading dash": "-rf --all --",
  quotes: `it's "quoted" \`twice\` \\ and \\n`,
  "shell words": "$(touch never-made) ${HOME} `id` ; & | > <",
  "a shell command of the composer": "!touch never-made",
  "a command of the agent": "/quit",
  "a word that may end the program": "exit",
  another: ":wq",
  "a path": "/tmp/x is a path",
  unicode: "› ✓ žluťoučký 日本語 🙂 é",
  "a mention": "@you may read it",
  "a mention at the end": "use $skill-creator",
  "a backslash at the end": "one more line \\",
  "invisible characters": "left\u200bright and \u2066marked\u2069",
  "control characters": "before\u001b[201~\rafter\u0007",
  "15,000 characters": `${"word ".repeat(2999)}end!!`,
};
/** What a terminal makes of them. */
const typed: Readonly<Record<string, string>> = { "control characters": "before[201~\nafter" };

const parts = {
  "started and found": starting,
  "spoken to": speaking,
  "spoken to by several at once": crowding,
  asking,
  failing,
  "interrupted, compacted, killed, gone on with": living,
};

/**
 * The suite, with one world for each of its parts.
 * @param make a new world; it is closed afterwards
 * @param but parts that are left out
 */
export function agentSuite(label: string, make: () => AgentWorld, ...but: (keyof typeof parts)[]): void {
  for (const [name, part] of Object.entries(parts))
    if (!but.some((each) => each === name)) describe(`${label}: ${name}`, () => part(make()));
}

function starting(world: AgentWorld): void {
  afterAll(() => world.close());

  test("three sessions in one folder are three threads with a process each, and the first words arrive whole", async () => {
    const long = `- begin ${"x y ".repeat(8000)}end`;
    const said = ["Say 'it'; $HOME `x`;", long, null];
    const found: Started[] = [];
    for (const [index, words] of said.entries()) found.push(await start(world, `s${index}`, ...(words === null ? [] : ["--task", words])));
    expect(new Set(found.map((each) => each.codex_session_id)).size).toBe(3);
    expect(new Set(found.map((each) => each.pid)).size).toBe(3);
    for (const [index, words] of said.entries()) {
      const first = words ?? (world.standsBy ? world.agent.standbyPrompt : null);
      const texts = () => world.userTexts(found[index]!.codex_session_id);
      if (first !== null) await until("its first words", () => texts().length > 0);
      expect(texts()).toEqual(first === null ? [] : [first]);
    }
    expect(found.every(({ pid }) => alive(pid))).toBe(true);
  }, 120_000);

  test("a start puts on record what it takes to start the same again, apart from the prompt", async () => {
    const effort = world.agent.efforts.at(2)!;
    const started = await start(world, "chosen", "--task", "a secret prompt", "--model", "some-model", "--effort", effort);
    await world.idle(started.codex_session_id);
    const [row] = world.rows<Record<string, string>>("select * from session_agents where session_id = ?", started.session_id);
    expect(row).toMatchObject({ agent: world.agent.key, launch: world.launch, model: "some-model", effort, home: expect.any(String) });
    expect(row!.version).toMatch(/^\d+\.\d+\.\d+/);
    const argv = JSON.parse(row!.argv_json!) as string[];
    expect(argv[0]).toEndWith(world.agent.program);
    expect(argv.join(" ")).toContain("some-model");
    expect(JSON.stringify(row)).not.toContain("secret prompt");
    const [listed] = await world.ok("sessions --name chosen");
    const { launch, launchWhy: launch_why } = world;
    expect(listed).toMatchObject({ agent: world.agent.key, model: "some-model", effort, launch, launch_why });
    const [found] = (await world.ok("discover chosen")).sessions;
    expect(found).toMatchObject({ agent: world.agent.key, model: "some-model", launch, launch_why });
  }, 60_000);

  test("of a pair each side has its own model and effort, and a wrong one leaves nothing behind", async () => {
    const words = [
      "pair",
      "--task",
      "p",
      "--task-goal",
      "g",
      "--worker-name",
      "pw",
      "--manager-name",
      "pm",
      "--cwd",
      world.project,
      "--no-dispatch",
    ];
    const refused = await world.run([...words, "--manager-effort", "banana"]);
    expect([refused.exit, refused.stderr.includes("knows no effort")]).toEqual([1, true]);
    expect(await world.ok("tasks --json")).toEqual([]);
    const effort = world.agent.efforts.at(2)!;
    await world.ok([...words, "--timeout-seconds", "40", "--model", "both", "--manager-model", "own", "--worker-effort", effort]);
    expect(
      world.rows(
        "select s.name, a.model, a.effort from sessions s join session_agents a on a.session_id = s.id where s.name like 'p_' order by 1",
      ),
    ).toEqual([
      { name: "pm", model: "own", effort: null },
      { name: "pw", model: "both", effort },
    ]);
  }, 90_000);

  test("a file-backed worker is on record by its own id, with its agent in its configuration", async () => {
    await world.run(["create", "made", "--cwd", world.project, "--model", "of-it"]);
    const [row] = world.rows<Record<string, string>>(
      "select a.* from workers w join session_agents a on a.session_id = w.id where w.name = 'made'",
    );
    expect(row).toMatchObject({ agent: world.agent.key, model: "of-it", launch: world.launch });
    expect(row!.argv_json).not.toContain("update-status");
    const config = JSON.parse(readFileSync(join(world.stateRoot, "made", "config.json"), "utf8"));
    expect(config.agent).toBe(world.agent.key);
  }, 60_000);

  test("a model that is no name and an effort that is none are refused before anything starts", async () => {
    for (const [words, said] of [
      [["--model=--help"], "is no name of a model"],
      [["--model", "a b"], "is no name of a model"],
      [["--effort", "banana"], 'knows no effort "banana"'],
    ] as const) {
      const refused = await world.run(["start-worker", "--name", "never", "--cwd", world.project, ...words]);
      expect([refused.exit, refused.stderr.includes(said)]).toEqual([1, true]);
    }
    expect(world.rows("select 1 from sessions where name = 'never'")).toEqual([]);
  });
}

function speaking(world: AgentWorld): void {
  const { model } = world;
  const terminal = new Terminal(world, "w1");
  let thread = "";
  beforeAll(async () => {
    thread = (await start(world, "w1")).codex_session_id;
    await world.idle(thread);
  }, 60_000);
  afterAll(() => world.close());
  const { message: way, pastDraft: past } = world.ways;
  const isTyped = way === "tmux";
  const plain = recorded(world);
  const times = (text: string) => world.userTexts(thread).filter((said) => plain(said) === plain(text)).length;

  for (const [name, text] of Object.entries(shapes)) {
    test(`idle, ${name}: with proof, once`, async () => {
      await terminal.page("idle");
      expect(await nudge(world, "w1", text)).toMatchObject({ transport: way, proof: "seen" });
      expect(times((isTyped ? typed[name] : undefined) ?? text)).toBe(1);
      await world.idle(thread);
    });
  }

  test("nothing of it ran as a command", () => {
    expect(existsSync(join(world.project, "never-made"))).toBe(false);
  });

  test("just interrupted: once", async () => {
    await nudge(world, "w1", "hold interrupted");
    await until("the turn", () => model.isHolding("interrupted"));
    await world.ok("session-interrupt w1");
    expect(await nudge(world, "w1", "after the interrupt")).toMatchObject({ proof: "seen" });
    await world.idle(thread);
    expect(times("after the interrupt")).toBe(1);
  }, 60_000);

  test("in copy mode: once, and it is left where that is in the way", async () => {
    await terminal.page("idle");
    await terminal.mode();
    expect(await nudge(world, "w1", "out of copy mode")).toMatchObject({ transport: way, proof: "seen" });
    await world.idle(thread);
    expect(times("out of copy mode")).toBe(1);
    expect(await terminal.leaveMode()).toBe(!isTyped);
  });

  test("with a draft: by the agent's own protocol or queue where it has one, and the draft stays", async () => {
    await terminal.page("idle");
    await terminal.draft("my half thought");
    const sent = await world.run(["session-nudge", "w1", "past the draft"]);
    if (past === null) expect(sent.exit).toBe(1);
    else expect(sent.json()).toMatchObject({ transport: past, proof: "seen" });
    expect(times("past the draft")).toBe(past === null ? 0 : 1);
    expect((await terminal.screen()).composer?.text).toBe("my half thought");
  }, 60_000);
}

/** The text of a message as its record may have it: blanks are a terminal's own affair, a protocol changes nothing. */
const recorded = (world: AgentWorld): ((text: string) => string) => (world.ways.message === "tmux" ? plainWords : (text) => text);

function crowding(world: AgentWorld): void {
  const { model } = world;
  const plain = recorded(world);
  let thread = "";
  const times = (text: string) => world.userTexts(thread).filter((said) => plain(said) === plain(text)).length;
  beforeAll(async () => {
    thread = (await start(world, "w1")).codex_session_id;
    await world.idle(thread);
  }, 60_000);
  afterAll(() => world.close());

  test("working, five at once: each once", async () => {
    await nudge(world, "w1", "hold five");
    await until("the turn", () => model.isHolding("five"));
    const texts = Array.from({ length: 5 }, (_, n) => `number ${n}\nof five`);
    const sending = Promise.all(texts.map((text) => nudge(world, "w1", text)));
    await until("the sendings", () => world.rows("select 1 from deliveries where state = 'sending' or state = 'delivered'").length >= 5);
    model.release("five");
    expect((await sending).map(({ proof }) => proof)).toEqual(texts.map(() => "seen"));
    await world.idle(thread);
    expect(texts.map(times)).toEqual(texts.map(() => 1));
  }, 60_000);
}

function asking(world: AgentWorld): void {
  const terminal = new Terminal(world, "w1");
  let thread = "";
  beforeAll(async () => {
    thread = (await start(world, "w1", ...world.asking)).codex_session_id;
    await world.idle(thread);
    await terminal.page("idle");
    await nudge(world, "w1", "ask touch asked-for");
    await terminal.page("command_approval");
  }, 90_000);
  afterAll(() => world.close());

  test("a question in front gets no key, and what is said answers nothing: it waits, or is refused", async () => {
    const question = async () => world.question.exec(await terminal.text())?.[0];
    const before = await question();
    const sent = await world.run(["session-nudge", "w1", "not a yes"]);
    const screen = await terminal.screen();
    expect(screen.page).toBe("command_approval");
    const [exit, words] = world.waitsInWords === null ? [1, world.agent.screen.describe(screen)] : [0, world.waitsInWords];
    expect([sent.exit, sent.stderr]).toEqual([exit, expect.stringContaining(words)]);
    expect(before).toBeString();
    expect(await question()).toBe(before!);
    expect(existsSync(join(world.project, "asked-for"))).toBe(false);
    expect(world.userTexts(thread)).not.toContain("not a yes");
  }, 60_000);

  test("declined, the question and the turn have ended; what waited is said then, and the next message arrives", async () => {
    await world.ok(world.decline);
    await world.idle(thread);
    expect(existsSync(join(world.project, "asked-for"))).toBe(false);
    expect(await nudge(world, "w1", "and on")).toMatchObject({ proof: "seen" });
    const times = (words: string) => world.userTexts(thread).filter((text) => text === words).length;
    expect(times("and on")).toBe(1);
    expect(times("not a yes")).toBe(world.waitsInWords === null ? 0 : 1);
  }, 60_000);
}

/** The words in which the manager hears of a failure of this kind. */
const heardOf: Readonly<Record<TurnErrorKind, RegExp>> = {
  overloaded: /^w1's turn failed: the model is overloaded/,
  server_error: /^w1's turn failed: an error of the model's server/,
  context_full: /^w1's turn failed: the context window is full/,
  auth: /^w1's turn failed: not signed in, or not allowed/,
  disconnected: /^w1's turn failed: the connection to the model was lost/,
  other: /^w1's turn failed: an error\. /,
  usage_limit: /^w1's turn failed: usage limit, until (\d{4}-\d\d-\d\d )?\d\d:\d\d\. /,
};

function failing(world: AgentWorld): void {
  const terminal = new Terminal(world, "m1");
  const resetsAt = Math.floor(Date.now() / 1000) + 3600;
  let [worker, manager] = ["", ""];
  const heard = () => world.userTexts(manager).filter((text) => text.startsWith("w1's turn failed: "));
  const settled = async () => {
    for (const thread of [worker, manager]) await world.idle(thread);
    await terminal.page("idle");
  };
  beforeAll(async () => {
    world.failFrom(resetsAt);
    worker = (await start(world, "w1")).codex_session_id;
    await world.ok("tasks --create t1 --goal g");
    const started: Started = await world.ok(["start-manager", "--name", "m1", "--task", "t1", "--worker", "w1", "--cwd", world.project]);
    manager = started.codex_session_id;
    await world.ok("bind --task t1 --worker w1 --manager m1");
    await settled();
  }, 120_000);
  afterAll(() => world.close());

  for (const [name, kind] of Object.entries(world.failures)) {
    const words = heardOf[kind];
    test(`${name} ends the turn as ${kind}, in cycle and in what its manager hears, once`, async () => {
      const before = heard().length;
      expect(await nudge(world, "w1", `fail ${name}`)).toMatchObject({ proof: "seen" });
      await world.idle(worker);
      const resets_at = kind === "usage_limit" ? new Date(resetsAt * 1000).toISOString() : null;
      const turn_error = { kind, resets_at, message: expect.stringMatching(/./) };
      expect(await world.ok("cycle t1")).toMatchObject({ state: "idle", turn: "failed", turn_error });
      await settled();
      await world.ok("dispatch --once --json");
      await world.ok("dispatch --once --json");
      const { items } = await world.ok("manager-inbox t1 --json");
      expect(items.at(-1).payload).toMatchObject({ message: expect.stringMatching(words), worker_receipt: { turn_error } });
      expect(heard().slice(before)).toEqual([expect.stringMatching(words)]);
      await settled();
    }, 60_000);
  }

  test("the turn after a failure is one as any other", async () => {
    expect(await nudge(world, "w1", "and now?")).toMatchObject({ proof: "seen" });
    await world.idle(worker);
    expect(await world.ok("cycle t1")).toMatchObject({ state: "idle", turn: "completed", turn_error: null });
  }, 60_000);
}

function living(world: AgentWorld): void {
  const { model } = world;
  const terminal = new Terminal(world, "w1");
  let worker: Started;
  const idle = () => world.idle(worker.codex_session_id);
  const hold = async (name: string) => {
    await nudge(world, "w1", `hold ${name}`);
    await until("the turn", () => model.isHolding(name));
  };
  beforeAll(async () => {
    worker = await start(world, "w1");
    // With first words its transcript is there.
    const other = await start(world, "other", "--task", "be ready");
    await world.idle(other.codex_session_id);
    // A running thread is on record under one name.
    await world.ok("deregister other");
    await world.ok(["register-manager", "--name", "m1", "--pid", String(other.pid), "--codex-session", other.codex_session_path]);
    await world.ok("tasks --create t1 --goal g");
    await world.ok("bind --task t1 --worker w1 --manager m1");
    await idle();
  }, 90_000);
  afterAll(() => world.close());

  test("an idle worker gets no key, however often, lives on and takes the next message", async () => {
    await terminal.page("idle");
    const key = world.agent.keys.interrupt;
    for (let round = 0; round < 3; round += 1) expect(await world.ok("session-interrupt w1")).toMatchObject({ key, sent: false });
    expect(alive(worker.pid)).toBe(true);
    expect(await nudge(world, "w1", "still there?")).toMatchObject({ proof: "seen" });
    await idle();
  });

  test("its key asked for by name is pressed on an idle worker too, and does no harm", async () => {
    await terminal.page("idle");
    const key = world.agent.keys.interrupt;
    expect(await world.ok(["session-interrupt", "w1", "--key", key])).toMatchObject({ key, sent: true });
    expect(alive(worker.pid)).toBe(true);
  });

  test("a busy worker becomes idle, and cycle says how its turn ended and which agent it is", async () => {
    await hold("busy");
    expect(await world.ok("cycle t1")).toMatchObject({
      state: "busy",
      turn: "open",
      agent: world.agent.key,
      launch: world.launch,
      model: null,
    });
    const interrupted = await world.ok(["session-interrupt", "w1", "--followup", "stop and report"]);
    expect(interrupted).toMatchObject({ key: world.agent.keys.interrupt, sent: true });
    expect(world.userTexts(worker.codex_session_id).filter((text) => text === "stop and report")).toHaveLength(1);
    const aborted = world
      .rollouts()
      .get(worker.codex_session_id)!
      .filter((fact) => fact.kind === "turn_aborted");
    expect(aborted).toHaveLength(1);
    await idle();
    expect(await world.ok("cycle t1")).toMatchObject({ state: "idle", turn: "completed" });
  });

  test("just interrupted, it takes the next message as any other", async () => {
    await hold("again");
    await world.ok("session-interrupt w1");
    await idle();
    expect(await world.ok("cycle t1")).toMatchObject({ state: "idle", turn: "aborted" });
    expect(await nudge(world, "w1", "and on")).toMatchObject({ proof: "seen", transport: world.ways.message });
    await idle();
  });

  test("it compacts when it is idle, and is left alone while it works", async () => {
    await world.ok(["manager-config", "t1", "--allow-worker-compact-clear"]);
    await world.ok(["handoff", "t1", "--summary", "half way"]);
    await hold("compaction");
    const busy = await world.run("request-worker-compact t1");
    expect([busy.exit, busy.stderr.includes("middle of a turn")]).toEqual([1, true]);
    model.release("compaction");
    await idle();
    await terminal.page("idle");
    expect(await world.ok("compact-worker t1 --reason 'context is full'")).toMatchObject({
      send_text: world.agent.keys.slash.compact,
      send_result: { side_effect_started: true, transport: world.ways.command },
    });
    await until("the compaction in the record", () => world.compacted.test(readFileSync(worker.codex_session_path, "utf8")));
    await idle();
  }, 60_000);

  test("killed in the middle of a turn it is crashed, and gets no keys", async () => {
    await terminal.page("idle");
    await hold("to-the-end");
    process.kill(worker.pid, "SIGKILL");
    await terminal.ended();
    const home = world.agent.transcript.homeOf(worker.codex_session_path)!;
    await until("the end of its writer", () => !machineOf(world.agent).writer(home, worker.codex_session_id)?.held);
    expect(await world.ok("cycle t1")).toMatchObject({ turn: "crashed", worker_alive: false });
    const refused = await world.run(["session-nudge", "w1", "hello?"]);
    expect(refused.exit).toBe(1);
    expect(refused.stderr).toContain("is dead");
  });

  test("gone on with by its own command it is the same session, and takes messages again", async () => {
    const { argv_json } = world.rows<{ argv_json: string }>(
      "select argv_json from session_agents where session_id = ?",
      worker.session_id,
    )[0]!;
    const started = JSON.parse(argv_json) as string[];
    const [program = ""] = started;
    const { features } = await installedAgent(world.agent, world.env);
    const words = world.agent.resumeArguments(worker.codex_session_id, features, started);
    const terminalName = `${world.agent.tmuxPrefix}again`;
    await newSession(world.env, { name: terminalName, cwd: world.project, argv: [program, ...words] });
    const again = new Terminal(world, "again");
    const home = world.agent.transcript.homeOf(worker.codex_session_path)!;
    await until("its writer", () => machineOf(world.agent).writer(home, worker.codex_session_id)?.held);
    await again.page("idle");
    const pane = Bun.spawnSync(["tmux", "list-panes", "-t", `=${terminalName}:`, "-F", "#{pane_pid}"], { env: world.env });
    await world.ok([
      ...["register-worker", "--name", "w1", "--pid", pane.stdout.toString().trim()],
      ...["--codex-session", worker.codex_session_path, "--tmux-session", terminalName],
    ]);
    expect(await nudge(world, "w1", "after the resume")).toMatchObject({ proof: "seen" });
    expect(world.userTexts(worker.codex_session_id).filter((text) => text === "after the resume")).toHaveLength(1);
    const [row] = await world.ok("sessions --name w1");
    expect(row).toMatchObject({ agent: world.agent.key, launch: "registered", model: null });
  }, 90_000);
}
