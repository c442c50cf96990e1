/** Reading rollouts: what is stored, what is skipped, what is refused, and that nothing is stored twice. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { appendFileSync, renameSync, rmSync, truncateSync } from "node:fs";
import { join, resolve } from "node:path";
import { FIXTURES, World } from "../../harness.ts";
import { boundPair, event, line, lonelyWorker, meta, rollout, THREAD } from "../../rollout.ts";

let w: World;
beforeEach(() => void (w = new World()));
afterEach(() => w.close());

const subtypes = () => w.rows<{ s: string }>("select coalesce(subtype, type) as s from codex_events order by id").map((row) => row.s);

test("a line that is not UTF-8 is skipped and the reading goes on", async () => {
  const bad = Buffer.concat([
    Buffer.from('{"type":"event_msg","payload":{"type":"user_message","message":"'),
    Buffer.from([0xff, 0xfe]),
    Buffer.from('"}}\n'),
  ]);
  await lonelyWorker(w, Buffer.concat([Buffer.from(meta()), bad, Buffer.from(event({ type: "task_started" }))]));
  expect(await w.ok("ingest w1")).toMatchObject({ new_events: 2, skipped_lines: 1 });
  expect(subtypes()).toEqual(["session_meta", "task_started"]);
});

test("malformed lines at the end are counted once, not again and again", async () => {
  await lonelyWorker(w, `${meta()}{broken\n\n`);
  const first = await w.ok("ingest w1");
  expect(first).toMatchObject({ new_events: 1, skipped_lines: 2 });
  expect(await w.ok("ingest w1")).toEqual({ ...first, new_events: 0, skipped_lines: 0 });
});

test("JSON that is nested too deeply for SQLite is skipped, not fatal", async () => {
  const deep = (depth: number) => `{"type":"event_msg","payload":{"type":"warning","x":${"[".repeat(depth)}${"]".repeat(depth)}}}\n`;
  await lonelyWorker(w, `${meta()}${deep(1500)}${deep(200_000)}${event({ type: "task_started" })}`);
  expect(await w.ok("ingest w1")).toMatchObject({ new_events: 2, skipped_lines: 2 });
});

test("registering the same file again stores no line twice, and takes what is new", async () => {
  const written = await lonelyWorker(w, meta() + event({ type: "task_started" }) + event({ type: "task_complete" }, 2));
  await w.ok("ingest w1");
  written.append(event({ type: "task_started" }, 3));
  await w.ok(["register-worker", "--name", "w1", "--pid", String(process.pid), "--codex-session", written.path, "--cwd", w.work]);
  expect(await w.ok("ingest w1")).toMatchObject({ new_events: 1, skipped_lines: 0 });
  expect(subtypes()).toEqual(["session_meta", "task_started", "task_complete", "task_started"]);
});

test("another file at the same offsets is stored beside the old one", async () => {
  await lonelyWorker(w, meta() + event({ type: "task_started" }));
  await w.ok("ingest w1");
  const other = await rollout(w, meta(THREAD.manager) + event({ type: "task_complete" }), THREAD.manager);
  await w.ok(["register-worker", "--name", "w1", "--pid", String(process.pid), "--codex-session", other.path, "--cwd", w.work]);
  expect(await w.ok("ingest w1")).toMatchObject({ new_events: 2 });
});

test("a rollout that was replaced by a longer one of another thread is refused, with nothing changed", async () => {
  const written = await lonelyWorker(w, meta() + event({ type: "task_started" }));
  await w.ok("ingest w1");
  const before = w.rows("select * from sessions");
  const other = await w.file("other.jsonl", meta(THREAD.manager) + event({ type: "task_complete" }).repeat(20));
  renameSync(other, written.path);
  const refused = await w.run("ingest w1");
  expect(refused.exit).toBe(1);
  expect(refused.stderr).toContain(THREAD.manager);
  expect(w.rows("select * from sessions")).toEqual(before);
  expect(w.rows("select count(*) as n from telemetry_events where event_type = 'codex_events_ingested'")).toEqual([{ n: 1 }]);
});

test("a file cut off, then grown over the old offset again by the same thread, is read on", async () => {
  const written = await lonelyWorker(w, meta() + event({ type: "task_started" }));
  const { new_offset } = await w.ok("ingest w1");
  truncateSync(written.path, meta().length);
  expect((await w.run("ingest w1")).stderr).toContain(String(new_offset));
  appendFileSync(written.path, event({ type: "task_started" }) + event({ type: "task_complete" }, 2));
  expect(await w.ok("ingest w1")).toMatchObject({ new_events: 1 });
});

test("a pipe or a folder in the place of the rollout is a refusal, not a wait", async () => {
  const written = await lonelyWorker(w);
  rmSync(written.path);
  expect(Bun.spawnSync(["mkfifo", written.path]).exitCode).toBe(0);
  expect((await w.run("ingest w1")).exit).toBe(1);
  rmSync(written.path);
  await w.file(`${written.path.slice(w.dir.length + 1)}/file`, "x");
  expect((await w.run("ingest w1")).exit).toBe(1);
});

test("ten thousand records are read in several pieces, and the offset is the end of the file", async () => {
  const body = meta() + Array.from({ length: 10_000 }, (_, n) => event({ type: "agent_message", message: "é".repeat(200), n })).join("");
  await lonelyWorker(w, body);
  expect(await w.ok("ingest w1")).toEqual({ session: "w1", new_events: 10_001, new_offset: Buffer.byteLength(body), skipped_lines: 0 });
  const rows = w.rows<{ byte_offset: number; n: number }>(
    "select byte_offset, json_extract(payload_json, '$.n') as n from codex_events where subtype is not null order by id",
  );
  expect(rows.map((row) => row.n)).toEqual(rows.map((_, n) => n));
  expect(new Set(rows.map((row) => row.byte_offset)).size).toBe(10_000);
});

test("processes that read at once store every line exactly once", async () => {
  const body = meta() + Array.from({ length: 8000 }, (_, n) => event({ type: "agent_message", message: "x".repeat(300), n })).join("");
  await lonelyWorker(w, body);
  const main = resolve(import.meta.dir, "../../../src/main.ts");
  const all = Array.from({ length: 3 }, () =>
    Bun.spawn([process.execPath, main, "ingest", "w1"], { env: w.env, cwd: w.work, stdout: "pipe", stderr: "pipe" }),
  );
  expect(await Promise.all(all.map((child) => child.exited))).toEqual([0, 0, 0]);
  const sums = await Promise.all(all.map(async (child) => JSON.parse(await new Response(child.stdout).text()) as { new_events: number }));
  expect(sums.reduce((sum, each) => sum + each.new_events, 0)).toBe(8001);
  expect(w.rows("select count(*) as n, count(distinct byte_offset) as d from codex_events")).toEqual([{ n: 8001, d: 8001 }]);
});

test("real rollouts of Codex 0.169 hold no record that is unknown", async () => {
  for (const name of ["turn-with-command", "interrupted-then-queued", "approval-declined"]) {
    const content = await Bun.file(join(FIXTURES, "codex-0.169.0", "rollouts", `${name}.jsonl`)).text();
    const { path } = await rollout(w, content, crypto.randomUUID());
    await w.ok(["register-worker", "--name", name, "--pid", String(process.pid), "--codex-session", path, "--cwd", w.work]);
    expect(await w.ok(["ingest", name])).toMatchObject({ new_events: content.trim().split("\n").length, skipped_lines: 0 });
  }
  expect(w.rows("select * from unknown_records")).toEqual([]);
});

test("kinds of records that no rule knows are stored and counted, with the version that wrote them", async () => {
  await lonelyWorker(
    w,
    meta() +
      event({ type: "turn_teleported" }) +
      line("hologram", {}) +
      event({ type: "turn_teleported" }) +
      event({ type: "item_completed", item: { type: "Telepathy" } }),
  );
  expect(await w.ok("ingest w1")).toMatchObject({ new_events: 5 });
  expect(w.rows("select kind, count, cli_version from unknown_records order by kind")).toEqual([
    { kind: "event_msg/item_completed/Telepathy", count: 1, cli_version: "0.169.0" },
    { kind: "event_msg/turn_teleported", count: 2, cli_version: "0.169.0" },
    { kind: "hologram", count: 1, cli_version: "0.169.0" },
  ]);
});

const tokens = (total: number, at: string) =>
  `${JSON.stringify({ timestamp: at, type: "event_msg", payload: { type: "token_count", info: { total_token_usage: { input_tokens: total - 10, cached_input_tokens: 5, output_tokens: 10, reasoning_output_tokens: 1, total_tokens: total } } } })}\n`;

test("tokens are kept by session and by the task that was bound when they were used", async () => {
  const { worker } = await boundPair(w);
  worker.append(tokens(100, "2026-01-01T00:00:00.000Z"));
  await w.ok("ingest w1");
  worker.append(
    tokens(150, "2026-01-02T04:00:00.000Z") + tokens(150, "2026-01-02T04:00:01.000Z") + tokens(180, "2026-01-02T05:00:00.000Z"),
  );
  await w.ok("ingest w1");
  // A thread that begins anew counts from zero.
  worker.append(tokens(40, "2026-01-02T06:00:00.000Z"));
  await w.ok("ingest w1");
  await w.ok(["register-worker", "--name", "w1", "--pid", String(process.pid), "--codex-session", worker.path, "--cwd", w.work]);
  await w.ok("ingest w1");
  const third = "33333333-3333-4333-8333-333333333333";
  const other = await rollout(w, meta(third) + tokens(1000, "2026-01-02T07:00:00.000Z"), third);
  await w.ok(["register-worker", "--name", "w1", "--pid", String(process.pid), "--codex-session", other.path, "--cwd", w.work]);
  await w.ok("ingest w1");
  const totals = w.rows(
    "select coalesce(t.name, '') as task, total_tokens from token_totals left join tasks t on t.id = task_id order by 1",
  );
  expect(totals).toEqual([
    { task: "", total_tokens: 100 },
    { task: "t1", total_tokens: 1120 },
  ]);
});

test("the newest turn record is found by an index, whatever the history", () => {
  const { db } = w.store();
  const plan = db
    .query<{ detail: string }, []>(
      `explain query plan select * from codex_events where session_id = 'x'
         and (subtype in ('task_started', 'user_message', 'task_complete', 'turn_aborted')
           or (subtype = 'item_completed' and json_extract(payload_json, '$.item.type') = 'UserMessage')) order by id desc limit 1`,
    )
    .all();
  expect(plan.map((row) => row.detail).join()).toContain("codex_events_turns");
});
