/** Sessions that are not there, are somebody else's, or have names that begin alike: an error each, and no keystroke in any pane. */
import { alive } from "../../../src/system/processes/processes.ts";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { deliver } from "../../../src/flow/delivery/deliver.ts";
import { recipientOf } from "../../../src/flow/reach/recipient.ts";
import { needSession } from "../../../src/store/sessions/sessions.ts";
import { writtenThreads } from "../../../src/system/codex/lock.ts";
import { capturePane, listPanes } from "../../../src/system/terminal/panes.ts";
import { newSession } from "../../../src/system/terminal/sessions.ts";
import { tmuxResult } from "../../../src/system/terminal/tmux.ts";
import { Hands } from "../../codex-hands.ts";
import { CodexWorld, PlainModel } from "../../codex-world.ts";
import { until } from "../../harness.ts";

const CODEX = join(import.meta.dir, "../../../node_modules/.bin/codex");
const NAMES = ["w1", "w10", "w100", "w"] as const;
const model = new PlainModel();
const world = new CodexWorld(model.script, { launch: "tmux" });
const threads = new Map<string, string>();
const pids = new Map<string, number>();
const keys = (session: string, ...words: string[]) => tmuxResult(world.env, ["send-keys", "-t", `=${session}:`, ...words]);
const screen = (session: string) => capturePane(world.env, session, 0);
/** Its record tells of the end of a turn a moment before its screen does. */
const composer = (session: string) =>
  until("its composer", async () => {
    const shown = await screen(session);
    return shown.includes("Ask Codex") && !shown.includes("esc to interrupt");
  });
const row = (name: string) => world.rows<Record<string, string>>("select * from sessions where name = ?", name)[0]!;

/** Everything that stands on any pane of the server, and what was said to every thread. */
async function everything(): Promise<Record<string, string>> {
  const shown: Record<string, string> = {};
  for (const { paneId, session } of await listPanes(world.env)) shown[`${session} ${paneId}`] = await capturePane(world.env, paneId, 0);
  for (const [name, thread] of threads) shown[`thread of ${name}`] = JSON.stringify(world.userTexts(thread));
  return shown;
}

/** Types a command of the agent's own. */
const command = (name: string, text: string) =>
  deliver(world.context(), world.store(), {
    recipient: recipientOf(needSession(world.store(), name)),
    text,
    origin: "test",
    asCommand: true,
  });

/** Every way of speaking to the session fails, says why, and leaves every pane as it was. */
async function refused(name: string, why: string): Promise<void> {
  const before = await everything();
  for (const words of [
    ["session-nudge", name, "never"],
    ["nudge", name, "never"],
    ["session-interrupt", name, "--key", "x", "--followup", "never"],
    ["session-interrupt", name],
  ]) {
    const done = await world.run(words);
    expect({ words, exit: done.exit, stdout: done.stdout }).toEqual({ words, exit: 1, stdout: "" });
    expect(done.stderr).toContain(why);
  }
  expect(await everything()).toEqual(before);
}

beforeAll(async () => {
  await newSession(world.env, { name: "shell", cwd: world.project, argv: ["sh"] });
  for (const name of NAMES) {
    const started = await world.ok(["start-worker", "--name", name, "--cwd", world.project, "--timeout-seconds", "40"]);
    threads.set(name, started.codex_session_id);
    pids.set(name, started.pid);
  }
  for (const name of NAMES) {
    await world.idle(threads.get(name)!);
    await composer(`codex-${name}`);
  }
}, 180_000);
afterAll(() => world.close());

test("names that begin alike: each gets its own, at the same time too", async () => {
  const sent = await Promise.all(NAMES.map((name) => world.ok(["session-nudge", name, `for ${name} alone`])));
  expect(sent.map((each) => each.transport)).toEqual(NAMES.map(() => "tmux"));
  for (const name of NAMES) expect(world.userTexts(threads.get(name)!).slice(1)).toEqual([`for ${name} alone`]);
  for (const name of NAMES) await world.idle(threads.get(name)!);
});

test("a name that nobody has", async () => {
  await until("rest", async () =>
    (await Promise.all(NAMES.map((name) => screen(`codex-${name}`)))).every((text) => !text.includes("esc to interrupt")),
  );
  await refused("w1000", "w1000");
  await refused("codex-w", "codex-w");
});

test("a session whose tmux session has ended, while others begin with its name", async () => {
  await tmuxResult(world.env, ["kill-session", "-t", "=codex-w"]);
  await until("its end", () => !writtenThreads(world.codexHome).has(threads.get("w")!));
  await refused("w", "is dead");
  world.store().db.run("update sessions set pid = null where name = 'w'");
  await refused("w", "is not running");
});

test("a session that was given up", async () => {
  await world.ok("deregister w");
  await refused("w", "is gone");
});

test("a pane of somebody else on record: another agent's, a shell's", async () => {
  const [w1, w10, shell] = (await listPanes(world.env))
    .sort((a, b) => a.session.localeCompare(b.session))
    .filter((pane) => ["codex-w1", "codex-w10", "shell"].includes(pane.session));
  const { db } = world.store();
  db.run("update sessions set tmux_pane_id = ? where name = 'w1'", [w10!.paneId]);
  await refused("w1", "is not in tmux session");
  db.run("update sessions set tmux_session = 'codex-w10', tmux_pane_id = ? where name = 'w1'", [w10!.paneId]);
  await refused("w1", `shows thread ${threads.get("w10")}`);
  db.run("update sessions set tmux_session = 'shell', tmux_pane_id = ? where name = 'w1'", [shell!.paneId]);
  const before = await screen("shell");
  expect((await world.run("session-interrupt w1")).stderr).toContain("no key was pressed");
  // Its thread lives elsewhere: the queue reaches it, and no pane gets a key.
  expect(await world.ok(["session-nudge", "w1", "past the wrong pane"])).toMatchObject({ transport: "codex_queue", proof: "seen" });
  expect(await screen("shell")).toBe(before);
  expect(world.userTexts(threads.get("w1")!).filter((text) => text === "past the wrong pane")).toHaveLength(1);
  db.run("update sessions set tmux_session = 'codex-w1', tmux_pane_id = ? where name = 'w1'", [w1!.paneId]);
  await world.idle(threads.get("w1")!);
}, 60_000);

test("a pane that has gone on to another conversation: the message finds its own", async () => {
  const hands = new Hands(world, "codex-w1");
  await hands.newConversation();
  expect(await screen("codex-w1")).not.toContain("past the wrong pane");
  await hands.say("a second conversation");
  const second = await until(
    "the second thread",
    () =>
      [...world.rollouts()].find(([, facts]) => facts.some((fact) => fact.kind === "user" && fact.text === "a second conversation"))?.[0],
  );
  await world.idle(second);
  expect(await world.ok(["session-nudge", "w1", "for the first conversation"])).toMatchObject({ transport: "codex_queue", proof: "seen" });
  expect(world.userTexts(second)).toEqual(["a second conversation"]);
  expect(world.userTexts(threads.get("w1")!).filter((text) => text === "for the first conversation")).toHaveLength(1);
}, 60_000);

test("an agent that was quit and left the shell it was started from", async () => {
  await newSession(world.env, { name: "by-hand", cwd: world.project, argv: ["sh"] });
  await keys("by-hand", "-l", "--", `${CODEX} --no-daemon 'by hand'`);
  await keys("by-hand", "Enter");
  const thread = await until(
    "its thread",
    () => [...world.rollouts()].find(([, facts]) => facts.some((fact) => fact.kind === "user" && fact.text === "by hand"))?.[0],
    40,
  );
  await world.idle(thread);
  await composer("by-hand");
  const { pid } = (await listPanes(world.env)).find((pane) => pane.session === "by-hand")!;
  await world.ok(["register-worker", "--name", "by-hand", "--pid", String(pid), "--tmux-session", "by-hand"]);
  expect(row("by-hand").codex_session_id).toBe(thread);
  expect(await world.ok(["session-nudge", "by-hand", "before the end"])).toMatchObject({ transport: "tmux", proof: "seen" });
  await world.idle(thread);
  await composer("by-hand");
  await command("by-hand", "/quit");
  await until("its end", () => !writtenThreads(world.codexHome).has(thread));
  await until("its prompt", async () => /[$#] *$/.test((await screen("by-hand")).trimEnd()));
  await refused("by-hand", "the agent in its pane has ended");
  expect((await world.ok("sessions --name by-hand"))[0].moved).toBe(null);
  // Another conversation in the same pane: told as moved, with the one command that takes it on record.
  await keys("by-hand", "-l", "--", `${CODEX} --no-daemon 'by hand again'`);
  await keys("by-hand", "Enter");
  const second = await until(
    "its second thread",
    () => [...world.rollouts()].find(([, facts]) => facts.some((fact) => fact.kind === "user" && fact.text === "by hand again"))?.[0],
    40,
  );
  await world.idle(second);
  await composer("by-hand");
  await refused("by-hand", `shows thread ${second}`);
  const [{ moved }] = await world.ok("sessions --name by-hand");
  expect(moved).toMatchObject({ to: second, told_by: "pane" });
  await world.ok(moved.command.split(" ").slice(1));
  const [now] = await world.ok("sessions --name by-hand");
  expect([now.codex_session_id, now.moved]).toEqual([second, null]);
  expect(await world.ok(["session-nudge", "by-hand", "on record again"])).toMatchObject({ transport: "tmux", proof: "seen" });
  await world.idle(second);
}, 120_000);

test("a process that was killed, and a tmux server that has died", async () => {
  process.kill(pids.get("w10")!, "SIGKILL");
  await until(
    "the end of its pane",
    async () => !alive(pids.get("w10")!) && (await listPanes(world.env)).every((pane) => pane.session !== "codex-w10"),
  );
  await refused("w10", "is dead");
  Bun.spawnSync(["tmux", "kill-server"], { env: world.env });
  // The lock is free a moment before the process is gone.
  await until("its end", () => !writtenThreads(world.codexHome).has(threads.get("w100")!) && !alive(pids.get("w100")!));
  await refused("w100", "is dead");
  expect(world.rows("select 1 from deliveries where state not in ('delivered', 'failed')")).toEqual([]);
});
