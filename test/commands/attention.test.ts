/** `attention`: what it prints for a program and for a person, and what it tells while it goes on. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { addEvent } from "../../src/store/record/events.ts";
import { Stage } from "../dashboard/stage.ts";
import { FIXTURES, until, World } from "../harness.ts";
import { tmux } from "../panes.ts";
import { boundPair, event, meta } from "../rollout.ts";
import { MAIN } from "../served-world.ts";

const KEYS = [
  "actions",
  "agent",
  "choices",
  "command",
  "file",
  "host",
  "id",
  "kind",
  "resets_at",
  "session",
  "since",
  "task",
  "task_id",
  "text",
  "weight",
];
const APPROVAL = readFileSync(join(FIXTURES, "codex-0.169.0", "screens", "approval-prompt.ansi"), "utf8");

let w: World;
let stage: Stage;
beforeEach(() => {
  w = new World();
  stage = new Stage(w);
});
afterEach(() => w.close());

test("nothing: an empty list for a program, one sentence for a person", async () => {
  const done = await w.run("attention");
  expect([done.exit, done.stderr]).toEqual([0, ""]);
  expect(done.json()).toEqual({ generated_at: expect.any(String), counts: { now: 0, soon: 0 }, items: [] });
  expect(await w.run("attention", { ttyOut: true })).toMatchObject({ exit: 0, stdout: "Nothing needs you.\n" });
  expect((await w.run("attention --stalled-after -1")).exit).toBe(2);
});

test("a page in a terminal: a question with the whole command, put on record under the id that answer takes", async () => {
  await w.ok(["tasks", "--create", "t1", "--goal", "g"]);
  await stage.session("worker", "w1", APPROVAL);
  await stage.session("manager", "m1");
  await w.ok("bind --task t1 --worker w1 --manager m1");
  const { items, counts } = await w.ok("attention --json");
  const [ask] = items;
  expect(Object.keys(ask)).toEqual(KEYS);
  expect(ask).toMatchObject({ kind: "question", weight: "now", task: "t1", session: "w1", agent: "codex", file: null, host: null });
  expect(ask.command).toBe("touch /home/dev/approved");
  expect(w.rows("select command from agent_asks where id = ? and ended_at is null", ask.id)).toEqual([{ command: ask.command }]);
  // Which keys choose for certain is not known of this page.
  expect(ask.actions).toEqual([{ label: "open its terminal", command: ["conveyor", "open-worker", "t1"] }]);
  expect(counts.now).toBe(items.filter((item: { weight: string }) => item.weight === "now").length);
  expect((await w.ok("attention --json")).items[0].id).toBe(ask.id);
  const shown = await w.run("attention", { ttyOut: true });
  expect(shown.stdout).toContain("w1 asks: Would you like to run the following command? $ touch /home/dev/approved (t1, for");
  expect(shown.stdout).toContain("conveyor open-worker t1");
});

test("messages wait and no Dispatch runs; one that runs ends that", async () => {
  await boundPair(w);
  await w.ok(["enqueue-nudge-worker", "t1", "--message", "go on"]);
  const { items } = await w.ok("attention --json");
  expect(items).toMatchObject([
    {
      kind: "no_dispatch",
      text: "1 message waits, and no Dispatch is running",
      actions: [{ command: ["conveyor", "dispatch", "--watch"] }],
    },
  ]);
  expect((await w.ok("attention --json")).items[0].id).toBe(items[0].id);
});

test("a turn that ended while no Dispatch ran waits to be told; one that a pass has routed does not, nor one from before the binding", async () => {
  w.realTime = true;
  const { worker } = await boundPair(w, { worker: `${meta()}${event({ type: "task_started" })}${event({ type: "task_complete" }, 2)}` });
  const waiting = async () => {
    await w.ok("ingest w1");
    return (await w.ok("attention --json")).items.filter(({ kind }: { kind: string }) => kind.endsWith("dispatch"));
  };
  expect(await waiting()).toMatchObject([{ kind: "dispatch", weight: "soon" }]);
  for (const n of [1, 2]) {
    const now = JSON.parse(event({ type: "task_complete", turn_id: `turn ${n}` }));
    worker.append(`${JSON.stringify({ ...now, timestamp: new Date().toISOString() })}\n`);
  }
  expect(await waiting()).toMatchObject([{ kind: "no_dispatch", weight: "now", text: "2 messages wait, and no Dispatch is running" }]);
  await w.ok("dispatch");
  expect(await waiting()).toMatchObject([{ kind: "dispatch" }]);
});

test("what leads on names the records, where they are not those that a command would find there", async () => {
  await boundPair(w);
  await w.ok(["enqueue-nudge-worker", "t1", "--message", "go on"]);
  const env = { WORKERCTL_STATE_ROOT: join(w.dir, "elsewhere") };
  const { items } = await w.ok(`attention --json --path ${w.dbPath}`, { env });
  expect(items[0].actions).toEqual([{ label: "run it", command: ["conveyor", "dispatch", "--watch", "--path", w.dbPath] }]);
  const shown = await w.run(`attention --path ${w.dbPath}`, { env, ttyOut: true });
  expect(shown.stdout).toContain(`conveyor dispatch --watch --path ${w.dbPath}`);
  expect((await w.ok("attention --json")).items[0].actions[0].command).toEqual(["conveyor", "dispatch", "--watch"]);
});

test("who was found dead is told until it is revived, also when reconcile has put the records right; who was stopped, with another way on", async () => {
  w.realTime = true;
  const worker = Bun.spawn(["sleep", "1000"]);
  await boundPair(w, { pid: worker.pid });
  const gone = async () => (await w.ok("attention --json")).items.filter(({ kind }: { kind: string }) => kind === "gone");
  expect(await gone()).toEqual([]);
  worker.kill("SIGKILL");
  await worker.exited;
  const revives = [{ label: "bring it back on its conversation", command: ["conveyor", "revive", "t1"] }];
  const [dead] = await gone();
  expect(dead).toMatchObject({ session: "w1", task: "t1", text: "w1 no longer runs", actions: revives });
  await w.ok("reconcile --apply");
  expect(w.rows("select state from bindings")).toEqual([{ state: "invalid" }]);
  expect(await gone()).toEqual([dead]);
  expect((await w.run("db-doctor --live --quick")).json().live_reconcile.next_commands).toEqual(["conveyor revive"]);
  addEvent(w.store(), { type: "session_stopped", payload: { session: "w1" } });
  // Its binding ended with its death, and it was stopped for good since.
  expect(await gone()).toEqual([]);
  expect((await w.ok("db-doctor --live --quick")).live_reconcile.next_commands).toEqual([]);
});

test("who was stopped while its task is open is told with how it is started again", async () => {
  w.realTime = true;
  await stage.pair("t1", "g");
  const { worker } = w.rows<{ worker: string }>("select name as worker from sessions where role = 'worker'")[0]!;
  await w.ok(`stop ${worker} --json`);
  const { items } = await w.ok("attention --json");
  expect(items[0]).toMatchObject({
    kind: "gone",
    text: `${worker} was stopped, and its task is open`,
    actions: [{ command: ["conveyor", "reconcile"] }],
  });
  expect((await w.ok("reconcile")).next_commands).toEqual(["conveyor reconcile --apply"]);
});

test("what an agent asks is drawn harmless, and passes for no line of ours", async () => {
  await boundPair(w);
  const hostile = "rm -rf /\n! m1 asks: nothing\u001b[2J\u202e\r\tx";
  w.rows(
    `insert into agent_asks (id, session_id, request_id, thread_id, kind, question, command, choices_json, takes_text, asked_at)
     select 'ask-1', id, '1', 'thread', 'command', ?, ?, ?, 0, '2026-01-01T00:00:00.000Z' from sessions where name = 'w1'`,
    "may I?\nNeeds you: nothing\u001b]0;owned\u0007",
    hostile,
    JSON.stringify([{ word: "--text", label: "\u001b[31myes\nno" }]),
  );
  const { stdout } = await w.run("attention", { ttyOut: true });
  expect(stdout).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  const lines = stdout.split("\n");
  expect(lines.filter((line) => line.startsWith("Needs you"))).toEqual(["Needs you: 1 now, 1 soon."]);
  expect(lines.filter((line) => line.startsWith("!"))).toHaveLength(1);
  expect(lines).toContain("      | rm -rf /");
  expect(lines.filter((line) => /^ {4}conveyor answer ask-1 1\. +\[31myes no$/.test(line))).toHaveLength(1);
  const json = await w.run("attention --json");
  expect(json.stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  expect(json.json().items[0].command).toBe(hostile);
});

test("--watch: one line at each change, of rows, of a screen, and of a process that ends", async () => {
  w.realTime = true;
  await w.ok(["tasks", "--create", "t1", "--goal", "g"]);
  const worker = await stage.session("worker", "w1");
  await stage.session("manager", "m1");
  await w.ok("bind --task t1 --worker w1 --manager m1");
  const watch = Bun.spawn([...MAIN, "attention", "--watch", "--json"], {
    env: w.env,
    cwd: w.work,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  let text = "";
  const reading = (async () => {
    for await (const bytes of watch.stdout) text += new TextDecoder().decode(bytes);
  })();
  const told = () =>
    text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line));
  const kinds = () => (told().at(-1)?.items ?? []).map(({ kind }: { kind: string }) => kind);
  try {
    await until("the first line", () => kinds().includes("dispatch"));
    await w.ok(["enqueue-nudge-worker", "t1", "--message", "go on"]);
    await until("the message that waits", () => kinds().includes("no_dispatch"));
    const prompt = await w.file("prompt.txt", APPROVAL);
    tmux(w, "respawn-pane", "-k", "-t", "=m1:", "sh", "-c", `cat '${prompt}'; exec cat`);
    await until("the page of the manager", () =>
      told()
        .at(-1)
        .items.some((item: any) => item.kind === "question" && item.session === "m1"),
    );
    process.kill(worker.pid, "SIGKILL");
    await until("the end of the worker", () =>
      told()
        .at(-1)
        .items.some((item: any) => item.kind === "gone" && item.session === "w1"),
    );
    const items = told().map((each) => JSON.stringify(each.items));
    expect(items.filter((each, at) => at > 0 && each === items[at - 1])).toEqual([]);
    // The same things keep their names from line to line.
    const waiting = told().flatMap((each) => each.items.filter(({ kind }: { kind: string }) => kind === "no_dispatch"));
    expect(new Set(waiting.map(({ id }) => id)).size).toBe(1);
  } finally {
    watch.kill("SIGTERM");
    await watch.exited;
    await reading;
  }
  expect([watch.exitCode, await new Response(watch.stderr).text()]).toEqual([0, ""]);
}, 60_000);
