/** capture, status, idle-check, list, events, update-status and prune of workers in files and of registered sessions. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FIXTURES, World } from "../harness.ts";
import { showing, tmux, typed } from "../panes.ts";
import { lonelyWorker } from "../rollout.ts";

let w: World;
beforeEach(() => void (w = new World()));
afterEach(() => w.close());

const worker = (name: string, config: object = {}) =>
  w.file(
    `state/${name}/config.json`,
    JSON.stringify({ name, cwd: w.work, identity_token: `token-${name}`, tmux_session: `codex-${name}`, ...config }),
  );

const captures = () => w.rows("select capture_kind, retention_class, content is not null as full from transcript_captures order by id");

test("a capture that changed keeps its text, the others only sizes; the digest before comes from the database", async () => {
  await worker("old1");
  await showing(w, "codex-old1", "first screen\n");
  const first = await w.ok("capture old1");
  await Bun.write(join(w.stateRoot, "old1", "capture-meta.json"), "{}");
  expect(await w.ok("capture old1")).toMatchObject({ sha256: first.sha256, page: "unknown" });
  await typed(w, "codex-old1", "more");
  await w.ok("capture old1");
  expect(captures()).toEqual([
    { capture_kind: "changed", retention_class: "hot", full: 1 },
    { capture_kind: "metadata_only", retention_class: "hot", full: 0 },
    { capture_kind: "changed", retention_class: "hot", full: 1 },
  ]);
  expect(await Bun.file(join(w.stateRoot, "old1", "transcript.txt")).text()).toBe("first screen\nmore\n");
});

test("prune keeps the newest texts of each worker, and says what it would do", async () => {
  for (const name of ["a1", "b1"]) {
    await worker(name);
    await showing(w, `codex-${name}`, `${name} one\n`);
    await w.ok(["capture", name]);
    await typed(w, `codex-${name}`, "two");
    await w.ok(["capture", name]);
  }
  expect(await w.ok("prune --keep-latest 1 --dry-run")).toMatchObject({
    dry_run: true,
    keep_latest: 1,
    pruned_count: 0,
    would_prune_count: 2,
  });
  expect(await w.ok("prune --keep-latest 1")).toMatchObject({ dry_run: false, keep_latest: 1, pruned_count: 2, would_prune_count: 2 });
  expect(await w.ok("prune --keep-latest 1")).toMatchObject({ pruned_count: 0 });
  expect(w.rows("select payload_json from events where type = 'transcript_captures_pruned'")).toHaveLength(1);
  expect(captures().map((row) => `${row.capture_kind} ${row.retention_class} ${row.full}`)).toEqual([
    "metadata_only warm 0",
    "changed hot 1",
    "metadata_only warm 0",
    "changed hot 1",
  ]);
  expect((await w.run("prune --keep-latest -1")).exit).toBe(2);
  await w.ok("prune --keep-latest 0");
  expect(captures().every((row) => row.full === 0)).toBe(true);
});

test("two names on one tmux session are refused with the other's name, and no file is left", async () => {
  await worker("one", { tmux_session: "shared" });
  await worker("two", { tmux_session: "shared" });
  await showing(w, "shared", "screen\n");
  await w.ok("capture one");
  const refused = await w.run("capture two");
  expect(refused.exit).toBe(1);
  expect(refused.stderr).toContain('"one"');
  expect(existsSync(join(w.stateRoot, "two", "transcript.txt"))).toBe(false);
  expect(existsSync(join(w.stateRoot, "two", "capture-meta.json"))).toBe(false);
});

test("a session of any name is captured below the state root and nowhere else", async () => {
  const name = "../../evil name";
  const { path } = await lonelyWorker(w);
  await w.ok("deregister w1");
  await showing(w, "tm", "screen\n");
  await w.ok([
    "register-worker",
    "--name",
    "plain",
    "--pid",
    String(process.pid),
    "--codex-session",
    path,
    "--cwd",
    w.work,
    "--tmux-session",
    "tm",
  ]);
  // Older records hold such names.
  w.store().db.run("update sessions set name = ? where name = 'plain'", [name]);
  const { transcript_path } = await w.ok(["capture", name]);
  expect(transcript_path.startsWith(`${w.stateRoot}/`)).toBe(true);
  expect(transcript_path).not.toContain("..%2F../");
  expect(transcript_path.split("/").slice(w.stateRoot.split("/").length)).toHaveLength(2);
});

test("capture of what does not run, and of nobody, is refused", async () => {
  await worker("old1");
  expect((await w.run("capture old1")).stderr).toContain("codex-old1");
  expect((await w.run("capture nobody")).stderr).toContain("nobody");
  await lonelyWorker(w);
  expect((await w.run("capture w1")).stderr).toContain("tmux");
});

test("update-status reports, clears a blocker, and survives a folder that cannot be written", async () => {
  await worker("old1");
  await w.ok(["update-status", "old1", "--state", "blocked", "--current-task", "a", "--next-action", "b", "--blocker", "stuck"]);
  const cleared = await w.ok(["update-status", "old1", "--state", "waiting", "--current-task", "a", "--next-action", "b"]);
  expect(cleared).toMatchObject({ state: "waiting", blocker: null, last_update: expect.stringMatching(/Z$/) });
  expect(await Bun.file(join(w.stateRoot, "old1", "status.json")).json()).toEqual(cleared);
  const log = (await w.run("events old1 --type status_updated")).stdout.trim().split("\n");
  expect(log.map((line) => JSON.parse(line).state)).toEqual(["blocked", "waiting"]);
  rmSync(join(w.stateRoot, "old1", "events.jsonl"));
  mkdirSync(join(w.stateRoot, "old1", "events.jsonl"));
  const warned = await w.run(["update-status", "old1", "--state", "done", "--current-task", "a", "--next-action", "b"]);
  expect([warned.exit, warned.stderr.includes("warning")]).toEqual([0, true]);
  expect(w.rows("select state from statuses order by id").map((row) => row.state)).toEqual(["blocked", "waiting", "done"]);
});

test("a database that cannot be read is no reason to believe an old file", async () => {
  await worker("old1");
  await w.file("state/old1/status.json", JSON.stringify({ state: "done" }));
  writeFileSync(w.dbPath, "this is no database, and long enough to be looked at ".repeat(20));
  expect((await w.run("status old1")).exit).toBe(1);
});

test("status and idle-check say why a session is not running", async () => {
  await lonelyWorker(w);
  expect(await w.ok("status w1")).toMatchObject({ running: false, terminal_capture_error: expect.stringContaining("tmux") });
  expect(await w.ok("idle-check w1")).toMatchObject({ health: "stopped", running: false, capture_error: expect.stringContaining("tmux") });
});

test("idle-check names a page that asks at once, whatever the worker reports of itself", async () => {
  await worker("old1");
  await showing(w, "codex-old1", await Bun.file(join(FIXTURES, "codex-0.169.0", "screens", "approval-prompt.txt")).text());
  await w.ok(["update-status", "old1", "--state", "editing", "--current-task", "a", "--next-action", "b"]);
  expect(await w.ok("idle-check old1")).toMatchObject({
    health: "active",
    busy_wait_pattern: null,
    page: "command_approval",
    reason: expect.stringContaining("Would you like to run the following command?"),
  });
});

test("list: folders, sessions, their configured tmux names; folders of a session's captures are no workers", async () => {
  await worker("zeta", { tmux_session: "own-name" });
  await w.file("state/bare/notes.txt", "x");
  expect(await w.ok("list --json")).toHaveLength(2);
  expect(existsSync(w.dbPath)).toBe(false);
  const { path } = await lonelyWorker(w);
  await w.ok([
    "register-worker",
    "--name",
    "w1",
    "--pid",
    String(process.pid),
    "--codex-session",
    path,
    "--cwd",
    w.work,
    "--tmux-session",
    "tm",
  ]);
  await showing(w, "tm", "screen\n");
  tmux(w, "new-session", "-d", "-s", "own-name", "cat");
  await w.ok("capture w1");
  const listed = await w.ok("list --json");
  expect(listed.map((each: { name: string; kind: string; running: boolean }) => [each.name, each.kind, each.running])).toEqual([
    ["bare", "worker", false],
    ["w1", "session", true],
    ["zeta", "worker", true],
  ]);
  await w.ok("deregister w1");
  expect((await w.ok("list --json")).map((each: { name: string }) => each.name)).toEqual(["bare", "zeta"]);
});

test("what a worker reports cannot break a line of the list", async () => {
  await worker("old1");
  await w.file("state/old1/status.json", JSON.stringify({ state: "editing", current_task: "a\tb\nc\u001b[2J" }));
  expect((await w.run("list")).stdout).toBe("old1\tstopped\tediting\ta b c[2J\n");
});

test("events: the last ones, lines that are none are told on stderr", async () => {
  await worker("old1");
  await w.file(
    "state/old1/events.jsonl",
    '{"type":"nudge","time":"1"}\n\nbroken\n[1]\n{"type":"open","time":"2"}\n{"type":"nudge","time":"3"}\n',
  );
  const all = await w.run("events old1");
  expect(all.stdout).toBe('{"time":"1","type":"nudge"}\n{"time":"2","type":"open"}\n{"time":"3","type":"nudge"}\n');
  expect(all.stderr).toContain("2 lines");
  expect((await w.run("events old1 --type nudge --limit 1")).stdout).toBe('{"time":"3","type":"nudge"}\n');
  expect((await w.run("events old1 --limit 0")).stdout).toBe(all.stdout);
  expect((await w.run("events nobody")).exit).toBe(1);
});

test("list: the tool's own folders are no workers, and a state root that is a file is refused", async () => {
  await w.ok("create-disposable-binding t1 --json");
  expect((await w.ok("list --json")).map((each: { name: string }) => each.name)).toEqual(["t1-manager", "t1-worker"]);
  const file = await w.file("plain", "");
  const refused = await w.run("list", { env: { WORKERCTL_STATE_ROOT: file } });
  expect(refused).toMatchObject({ exit: 1, stdout: "" });
  expect(refused.stderr).toContain(`${file} is not a folder`);
});

test("list: a broken file is told of and hides nobody", async () => {
  await worker("good");
  await w.file("state/bad/config.json", "{oops");
  await worker("mute");
  await w.file("state/mute/status.json", "[]");
  const listed = await w.run("list --json");
  expect(
    listed
      .json()
      .map((each: { name: string; state: string; file_error?: string }) => [each.name, each.state, each.file_error?.split("/").at(-1)]),
  ).toEqual([
    ["bad", "unknown", "config.json is not a JSON object"],
    ["good", "unknown", undefined],
    ["mute", "unknown", "status.json is not a JSON object"],
  ]);
  expect(listed.stderr).toContain("bad/config.json");
});
