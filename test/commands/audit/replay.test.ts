/** `replay`: order, roles, limits, texts that must not be obeyed, and following. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { type Entry } from "../../../src/core/audit/replay.ts";
import { run } from "../../../src/run.ts";
import { until, World } from "../../harness.ts";

let w: World;
let taskId: string;
beforeEach(async () => {
  w = new World();
  taskId = (await w.ok("tasks --create job --goal g")).id;
});
afterEach(() => w.close());

const sql = (text: string) => w.store().db.run(text);
const command = (id: string, at: string, type = "task_nudge", payload = "{}", state = "succeeded") =>
  w
    .store()
    .db.query(
      "insert into commands (id, idempotency_key, created_at, updated_at, task_id, type, state, payload_json) values (?1, ?1, ?2, ?2, ?3, ?4, ?6, ?5)",
    )
    .run(id, at, taskId, type, payload, state);
const decision = (at: string, reason = "r") =>
  w
    .store()
    .db.query("insert into manager_decisions (task_id, decision, reason, created_at, payload_json) values (?, 'nudge', ?, ?, '{}')")
    .run(taskId, reason, at);
const replay = async (more = ""): Promise<Entry[]> => (await w.ok(`replay job --json ${more}`)).entries;
const ids = (entries: Entry[]) => entries.map(({ source_id }) => source_id);

describe("order", () => {
  test("instants are compared, whatever their form, then sources, then ids as numbers", async () => {
    command("10", "2026-01-01T00:00:01Z");
    command("9", "2026-01-01T00:00:01.000+00:00");
    command("abc", "2026-01-01T00:00:01.000Z");
    command("early", "2026-01-01T00:00:00.999Z");
    decision("2026-01-01T00:00:01.000Z");
    expect(ids(await replay())).toEqual(["early", "9", "10", "abc", 1]);
    expect(ids(await replay("--limit 2"))).toEqual(["abc", 1]);
    expect(ids(await replay("--limit 0"))).toEqual([]);
    expect((await w.ok("replay job --json --limit 3")).entry_count).toBe(3);
  });

  test("a command with nothing tied to it has no chain, one with a correlation has", async () => {
    command("a", "2026-01-01T00:00:01Z");
    expect((await replay()).map(({ kind }) => kind)).toEqual(["command"]);
    sql("update commands set correlation_id = 'c'");
    expect((await replay()).map(({ kind }) => kind)).toEqual(["command", "correlation_chain"]);
  });
});

describe("roles", () => {
  test("the manager sees what it sent to the worker, and the worker does too", async () => {
    for (const [id, type] of [
      ["n", "task_nudge"],
      ["p", "promote"],
      ["f", "finish_task"],
      ["o", "notify_manager"],
    ] as const)
      command(id, "2026-01-01T00:00:01Z", type);
    expect(ids(await replay("--role manager"))).toEqual(["f", "n", "o", "p"]);
    expect(ids(await replay("--role worker"))).toEqual(["n"]);
    expect(ids(await replay("--role workerctl"))).toEqual(["o"]);
    expect(ids(await replay("--role reviewer"))).toEqual([]);
  });
});

describe("texts", () => {
  test("control characters and line breaks of others do not reach the terminal, and long texts are cut", async () => {
    command("a", "2026-01-01T00:00:01Z", "task_nudge", JSON.stringify({ message: `\u001b[31mred\r\nfaked line ${"x".repeat(400)}` }));
    const text = await w.ok<string>("replay job");
    expect(text).not.toContain("\u001b");
    expect(text.split("\n").filter((line) => line.startsWith("faked"))).toEqual([]);
    const [entry] = await replay();
    expect(entry!.summary).toMatch(/^Nudged: \[31mred faked line x+\.\.\.$/);
    expect(entry!.summary.length).toBe("Nudged: ".length + 219 + 3);
  });

  test("a screen is told by its verdict and its telling lines, once while it does not change", async () => {
    const insert = (id: number, content: string, classifier: string) =>
      w
        .store()
        .db.query("insert into terminal_captures values (?, ?, null, null, 'worker', 's', null, null, ?, 1, ?, ?, null, 1, 3, ?, 'test')")
        .run(id, taskId, `2026-01-01T00:00:0${id}Z`, content, content, classifier);
    insert(1, "noise\n• Ran tests\n› ok approval_prompt", '{"busy_wait":{"pattern":"approval_prompt"}}');
    insert(2, "noise\n• Ran tests\n› ok approval_prompt", "{}");
    insert(3, "a\nb\nc\nd\ne", '{"startup":["ready","x"]}');
    const entries = await replay("--format transcript");
    expect(entries.map(({ summary }) => summary)).toEqual([
      "Screen of the worker, waiting for an approval: • Ran tests | › ok waiting for an approval",
      "Screen of the worker, ready: b | c | d | e",
    ]);
    expect(await replay()).toEqual([]);
  });

  test("a cycle is told with its staleness, or with its error", async () => {
    const cycle = (state: string, status: object, error: string | null) =>
      w
        .store()
        .db.query(
          "insert into manager_cycles (task_id, started_at, completed_at, state, status_json, error) values (?, '2026-01-01T00:00:01Z', null, ?, ?, ?)",
        )
        .run(taskId, state, JSON.stringify(status), error);
    cycle("succeeded", { worker_session: "w1", state: "busy", staleness_seconds: 3, notable_pane_pattern: "rate_limit_prompt" }, null);
    cycle("failed", { worker_session: "w1" }, "gone");
    expect((await replay()).map(({ summary }) => summary)).toEqual([
      "Observed w1 busy for 3.0 s [pane pattern: offering another model]",
      "Observed w1, cycle failed: gone",
    ]);
  });
});

test("words that contradict each other are refused before anything is opened", async () => {
  const fresh = new World();
  for (const line of ["replay x --output f", "replay x --format html --json", "replay x --format html --follow", "replay x --format odd"])
    expect((await fresh.run(line)).exit).toBe(2);
  expect((await fresh.run("replay x --format full-transcript")).exit).toBe(1);
  expect(await Bun.file(fresh.dbPath).exists()).toBe(false);
  fresh.close();
});

test("following tells what is added and what comes to its end, until the task is over", async () => {
  command("old", "2026-01-01T00:00:01Z", "notify_manager", "{}", "pending");
  let told = "";
  const cx = w.context({}, (_, text) => {
    told += text;
  });
  const done = run(["replay", "job", "--follow"], cx);
  await until("the beginning", () => told.includes("notify_manager pending"));
  decision("2026-01-01T00:00:02Z", "new reason");
  await until("what was added", () => told.includes("new reason"));
  sql("update commands set state = 'succeeded'");
  await until("the end of what was open", () => told.includes("notify_manager succeeded"));
  sql("update tasks set state = 'done'");
  expect(await done).toBe(0);
  expect(told.match(/new reason/g)).toHaveLength(1);
});

test("followed as JSON, every entry is one line", async () => {
  command("old", "2026-01-01T00:00:01Z");
  sql("update tasks set state = 'failed'");
  const lines = (await w.run("replay job --follow --json")).stdout.trim().split("\n");
  expect(lines.map((line) => JSON.parse(line).source_id)).toEqual(["old"]);
});
