/** `import-compat`: each part of a worker's folder comes into the database once, or nothing does. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { join } from "node:path";
import { World } from "../harness.ts";

let w: World;
beforeEach(() => {
  w = new World();
});
afterEach(() => w.close());

const config = { name: "w9", cwd: "/somewhere", identity_token: "tok-9", created_at: "2026-01-01T00:00:00Z" };
const put = (path: string, value: unknown) => w.file(path, typeof value === "string" ? value : JSON.stringify(value));
const actions = (report: { workers: { actions: { action: string; line?: number }[] }[] }) =>
  report.workers.map((worker) => worker.actions.map(({ action, line }) => (line === undefined ? action : `${action} ${line}`)));

test("without folders there is nothing to do", async () => {
  expect(await w.ok("import-compat")).toEqual({ apply: false, root: w.stateRoot, worker_count: 0, workers: [] });
  expect(await w.ok(["import-compat", "--apply", "--worker", "none", "--root", "missing"])).toMatchObject({
    root: join(w.work, "missing"),
    worker_count: 0,
  });
});

test("a dry run tells what --apply does, and after it nothing is left but the lines that are no event", async () => {
  await put("state/w9/config.json", config);
  await put("state/w9/status.json", { state: "editing", current_task: "think", last_update: "2026-01-02T00:00:00Z" });
  await put("state/w9/transcript.txt", "one\ntwo");
  await put("state/w9/events.jsonl", '{"type":"create"}\n\n[1]\n{"type":"stop","time":"2026-01-01T02:00:00Z","why":"end"}\r\n');
  const wanted = [
    ["upsert_worker", "insert_status", "insert_transcript_capture", "insert_event 1", "skip_invalid_event 3", "insert_event 4"],
  ];
  expect(actions(await w.ok("import-compat"))).toEqual(wanted);
  expect(w.rows("select * from workers")).toEqual([]);
  expect(actions(await w.ok("import-compat --apply"))).toEqual(wanted);
  expect(w.rows("select state, current_task, created_at from statuses")).toEqual([
    { state: "editing", current_task: "think", created_at: "2026-01-02T00:00:00Z" },
  ]);
  expect(w.rows("select content, line_count, history_lines, byte_count from transcript_captures")).toEqual([
    { content: "one\ntwo", line_count: 2, history_lines: 2, byte_count: 7 },
  ]);
  const events = w.rows<{ type: string; created_at: string; payload_json: string }>(
    "select type, created_at, payload_json from events order by id",
  );
  expect(events.map((event) => event.type)).toEqual(["compat_create", "compat_stop"]);
  expect(events[0]!.created_at).toStartWith("2026-01-02T03:04:05");
  expect(events[1]!.created_at).toBe("2026-01-01T02:00:00Z");
  expect(JSON.parse(events[1]!.payload_json)).toEqual({ why: "end", source_path: join(w.stateRoot, "w9/events.jsonl") });
  expect(actions(await w.ok("import-compat --apply"))).toEqual([["skip_invalid_event 3"]]);
});

test("a changed file is imported again, an equal status is not stored twice", async () => {
  await put("state/w9/config.json", config);
  await put("state/w9/status.json", { state: "done", last_update: "2026-01-02T00:00:00Z" });
  await w.ok("import-compat --apply");
  await put("state/w9/config.json", { ...config, cwd: "/elsewhere", tmux_pane_id: "%4" });
  await put("state/w9/status.json", { last_update: "2026-01-02T00:00:00Z", state: "done" });
  expect(actions(await w.ok("import-compat --apply"))).toEqual([["upsert_worker"]]);
  expect(w.rows("select cwd, tmux_session, tmux_pane_id, identity_token, created_at from workers")).toEqual([
    { cwd: "/elsewhere", tmux_session: "codex-w9", tmux_pane_id: "%4", identity_token: "tok-9", created_at: "2026-01-01T00:00:00Z" },
  ]);
  expect(w.rows("select count(*) as n from statuses")).toEqual([{ n: 1 }]);
});

test("--worker takes one folder and no path", async () => {
  await put("state/a/config.json", {});
  await put("state/b/config.json", {});
  await put("outside/config.json", {});
  expect(actions(await w.ok("import-compat --worker b"))).toEqual([["upsert_worker"]]);
  expect((await w.ok("import-compat --worker ../outside")).worker_count).toBe(0);
});

test("one broken folder stops all of them, by the name of the file", async () => {
  await put("state/a/config.json", {});
  for (const [file, text] of [
    ["status.json", "{oops"],
    ["config.json", "[]"],
  ] as const) {
    await put("state/b/config.json", "{}");
    await put(`state/b/${file}`, text);
    const refused = await w.run("import-compat --apply");
    expect([refused.exit, refused.stdout]).toEqual([1, ""]);
    expect(refused.stderr).toContain(join(w.stateRoot, "b", file));
  }
  expect(w.rows("select (select count(*) from workers) + (select count(*) from data_migrations) as n")).toEqual([{ n: 0 }]);
});

test("two folders that claim one tmux session are refused", async () => {
  await put("state/a/config.json", { tmux_session: "shared" });
  await put("state/b/config.json", { tmux_session: "shared" });
  const refused = await w.run("import-compat --apply");
  expect(refused.exit).toBe(1);
  expect(refused.stderr).toContain('another worker, "a"');
  expect(w.rows("select * from workers")).toEqual([]);
});
