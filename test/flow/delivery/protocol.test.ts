/** Words by the agent's own protocol, with the real Codex: exact, once, beside a draft, and said again when their turn is interrupted. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { CodexWorld, PlainModel } from "../../codex-world.ts";
import { strike, until } from "../../harness.ts";
import { Terminal } from "../../agent-suite/world.ts";
import { agents } from "../../../src/core/agent/agents.ts";
import { tmuxResult } from "../../../src/system/terminal/tmux.ts";
import { alive, commandLineOf, environmentOf, listProcesses } from "../../../src/system/processes/processes.ts";

const MAIN = join(import.meta.dir, "..", "..", "..", "src", "main.ts");
const model = new PlainModel();
const world = Object.assign(new CodexWorld(model.script), { agent: agents.codex });
const terminal = new Terminal(world as never, "w1");
let thread = "";

const nudge = (text: string) => world.ok(["session-nudge", "w1", "--", text]);
const times = (text: string): number => world.userTexts(thread).filter((said) => said === text).length;

/** Has it run a command that takes so long: what is said to it meanwhile joins its turn, and is taken when the command is over. */
async function sleeping(seconds: number): Promise<void> {
  await nudge(`run sleep ${seconds}`);
  await world.runs(`sleep ${seconds}`);
}

/** What runs in this world's Codex home. */
const inThisWorld = async (): Promise<number[]> =>
  ((await listProcesses(world.env)) ?? []).map(({ pid }) => pid).filter((pid) => environmentOf(pid, "CODEX_HOME") === world.codexHome);

beforeAll(async () => {
  thread = (await world.ok(["start-worker", "--name", "w1", "--cwd", world.project, "--timeout-seconds", "40", "--launch", "protocol"]))
    .codex_session_id;
  await world.idle(thread);
}, 60_000);
afterAll(() => world.close());

const texts: Readonly<Record<string, string>> = {
  plain: "carry on",
  "a command of the agent": "/compact now, please",
  "a shell command": "!touch never-made",
  "a picture's path": "/tmp/picture.png",
  "control characters": "before\u001b[201~\tafter\u0007",
  "15,000 characters": `${"word ".repeat(2999)}end!!`,
};

for (const [name, text] of Object.entries(texts)) {
  test(`idle, ${name}: exactly once, and exactly that`, async () => {
    expect(await nudge(text)).toMatchObject({ transport: "codex_protocol", proof: "seen" });
    expect(times(text)).toBe(1);
    await world.idle(thread);
  });
}

test("nothing of it ran as a command", () => expect(existsSync(join(world.project, "never-made"))).toBe(false));

test("a draft in the composer stays, and the message arrives past it", async () => {
  await terminal.page("idle");
  await terminal.draft("my half thought");
  expect(await nudge("past the draft")).toMatchObject({ transport: "codex_protocol", proof: "seen" });
  expect(times("past the draft")).toBe(1);
  await world.idle(thread);
  expect((await terminal.screen()).composer?.text).toBe("my half thought");
});

test("a message that joined a running turn is said again when a person interrupts it: once", async () => {
  await sleeping(61);
  const sending = nudge("joined one");
  await until("the server's word", () => world.rows("select 1 from texts_under_way").length > 0);
  await until(
    "its turn",
    () => world.rows("select 1 from deliveries where state = 'sending' and text_length = ?", "joined one".length).length === 1,
  );
  await world.ok("session-interrupt w1");
  expect(await sending).toMatchObject({ transport: "codex_protocol", proof: "seen" });
  await world.idle(thread);
  expect(times("joined one")).toBe(1);
  const [told] = world.rows<{ detail: string }>(
    "select group_concat(step) as detail from delivery_steps s join deliveries d on d.id = s.delivery_id where d.text_length = ?",
    "joined one".length,
  );
  expect(told?.detail).toContain("lost with its turn");
  expect(world.rows("select * from texts_under_way")).toEqual([]);
}, 60_000);

test("lost with its turn after its sender had died: Dispatch says it again, once", async () => {
  await sleeping(62);
  const sender = Bun.spawn([process.execPath, MAIN, "session-nudge", "w1", "joined two"], { env: world.env as never, cwd: world.dir });
  await until(
    "its word",
    () => world.rows("select 1 from texts_under_way t join deliveries d on d.id = t.delivery_id where d.text_length = 10").length === 1,
  );
  sender.kill("SIGKILL");
  await sender.exited;
  await world.ok("session-interrupt w1 --key Escape");
  await world.idle(thread);
  await world.run("dispatch --ingest");
  await until("it", () => times("joined two") === 1);
  await world.idle(thread);
  expect(times("joined two")).toBe(1);
}, 90_000);

test("--steer: into the turn that runs, else one sentence and nothing said", async () => {
  const idle = await world.run(["session-nudge", "w1", "--steer", "into nothing"]);
  expect([idle.exit, idle.stderr.includes("no turn runs")]).toEqual([1, true]);
  await sleeping(3);
  const sending = world.ok(["session-nudge", "w1", "--steer", "into three"]);
  await until("its word", () => world.rows("select 1 from texts_under_way").length > 0);
  expect(await sending).toMatchObject({ transport: "codex_protocol", proof: "seen" });
  await world.idle(thread);
  expect([times("into nothing"), times("into three")]).toEqual([0, 1]);
}, 60_000);

test("a server that is killed comes back on its socket with the conversation, the draft and the next message", async () => {
  const servers = async () => {
    const all = (await listProcesses(world.env)) ?? [];
    const found: number[] = [];
    for (const { pid } of all) if ((await commandLineOf(pid, world.env))?.includes("app-server")) found.push(pid);
    return found.filter((pid) => environmentOf(pid, "CODEX_HOME") === world.codexHome);
  };
  const before = await servers();
  expect(before.length).toBeGreaterThan(0);
  strike(...before);
  expect(await nudge("after its death")).toMatchObject({ transport: "codex_protocol", proof: "seen" });
  expect((await servers()).every((pid) => !before.includes(pid))).toBe(true);
  await world.idle(thread);
  expect(times("after its death")).toBe(1);
  await until("the draft", async () => (await terminal.screen()).composer?.text === "my half thought");
}, 120_000);

test("after stop no process and no socket is left", async () => {
  const [{ socket }] = world.rows<{ socket: string }>("select socket from session_sockets") as [{ socket: string }];
  await world.ok("stop w1 --json");
  expect(await inThisWorld()).toEqual([]);
  expect([existsSync(socket), existsSync(dirname(socket))]).toEqual([false, true]);
}, 60_000);

test("a host that is killed while a command runs: stop ends what it left, the command too", async () => {
  thread = (await world.ok(["start-worker", "--name", "w1", "--cwd", world.project, "--timeout-seconds", "40", "--launch", "protocol"]))
    .codex_session_id;
  await world.idle(thread);
  await sleeping(63);
  const [{ pid }] = world.rows<{ pid: number }>("select pid from sessions where name = 'w1'") as [{ pid: number }];
  strike(pid);
  await until("its end", () => !alive(pid));
  const [{ socket }] = world.rows<{ socket: string }>("select socket from session_sockets") as [{ socket: string }];
  // Its server may have heard of the terminal's end by now, and have taken its socket away.
  expect(readdirSync(dirname(socket)).toSorted().slice(0, 2)).toEqual(["outcome.json", "server.log"]);
  await world.ok("stop w1 --json");
  await until("the end of the rest", async () => (await inThisWorld()).length === 0);
  expect(readdirSync(dirname(socket))).toEqual(["server.log"]);
}, 60_000);

test("the end of its terminal is the end of all of it", async () => {
  for (const end of ["kill-session", "TERM"]) {
    const name = end === "TERM" ? "w3" : "w2";
    const words = ["start-worker", "--name", name, "--cwd", world.project, "--timeout-seconds", "40", "--launch", "protocol"];
    const started = await world.ok(words);
    if (end === "TERM") process.kill(started.pid, "SIGTERM");
    else await tmuxResult(world.env, ["kill-session", "-t", `=codex-${name}`]);
    await until(`the end by ${end}`, async () => (await inThisWorld()).length === 0);
  }
}, 120_000);
