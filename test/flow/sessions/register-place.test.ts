/** What registering says of the place of a session: its pane now, another tmux server, a helper's thread. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import type { StartFacts } from "../../../src/core/sessions/session.ts";
import { registerSession } from "../../../src/store/sessions/sessions.ts";
import { World } from "../../harness.ts";
import { tmux } from "../../panes.ts";

let w: World;
beforeEach(() => {
  w = new World();
  w.realTime = true;
});
afterEach(() => w.close());

const transcript = (id: string, more: Record<string, unknown> = {}) =>
  w.file(
    `codex/sessions/2026/01/01/rollout-2026-01-01T00-00-00-${id}.jsonl`,
    `${JSON.stringify({ type: "session_meta", payload: { id, cwd: w.work, timestamp: "2026-01-01T00:00:00.000Z", ...more } })}\n`,
  );
const A = "019a0000-0000-7000-8000-00000000000a";
const pidOf = (pane: string) => tmux(w, "display-message", "-p", "-t", pane, "#{pane_pid}").trim();
const begin = (name: string) => tmux(w, "new-session", "-d", "-s", name, "-P", "-F", "#{pane_id}", "cat").trim();
const register = (pid: string, session: string, path: string) =>
  w.run(["register-worker", "--name", "w", "--pid", pid, "--codex-session", path, "--tmux-session", session]);
const recorded = () => w.rows<{ tmux_pane_id: string | null }>("select tmux_pane_id from sessions")[0]!.tmux_pane_id;

test("the pane on record is the one the process lives in, and a dead one is forgotten", async () => {
  const path = await transcript(A);
  const first = begin("one");
  begin("keep");
  expect((await register(pidOf(first), "one", path)).exit).toBe(0);
  expect(recorded()).toBe(first);
  const second = tmux(w, "split-window", "-d", "-t", first, "-P", "-F", "#{pane_id}", "cat").trim();
  await register(pidOf(second), "one", path);
  expect(recorded()).toBe(second);
  tmux(w, "kill-session", "-t", "=one");
  begin("two");
  await register(String(process.pid), "two", path);
  expect(recorded()).toBe(null);
});

test("an agent on a tmux server of another socket cannot be pushed to, namesake here or not", async () => {
  const path = await transcript(A);
  const agent = join(w.work, "codex");
  copyFileSync(Bun.which("sleep")!, agent);
  tmux(w, "-L", "other", "new-session", "-d", "-s", "there", agent, "1000");
  const pid = tmux(w, "-L", "other", "list-panes", "-a", "-F", "#{pane_pid}").trim();
  for (const act of [() => {}, () => void begin("there")]) {
    act();
    const done = await register(pid, "there", path);
    expect(done.stderr).toContain("warning:");
    expect(done.json().communication).toMatchObject({ can_receive_push: false, delivery_mode: "pull_required", requires_polling: true });
  }
  tmux(w, "-L", "other", "kill-server");
});

test("the thread of a helper, and of a helper of a helper, is nobody's to register", async () => {
  const pane = begin("one");
  for (const [id, source] of [
    [A, { thread_source: "subagent" }],
    [A.replace(/a$/, "b"), { source: { subagent: { thread_spawn: { parent_thread_id: A, depth: 2 } } } }],
  ] as const) {
    const refused = await register(pidOf(pane), "one", await transcript(id, source));
    expect(refused.exit).toBe(1);
    expect(refused.stderr).toContain("helper's");
    expect((await w.run(["register-manager", "--name", "m", "--pid", "1", "--codex-session", id])).exit).toBe(1);
  }
});

test("a thread is on record under one name at a time", async () => {
  const path = await transcript(A);
  const pane = begin("one");
  await register(pidOf(pane), "one", path);
  const twice = await w.run(["register-manager", "--name", "m", "--pid", pidOf(pane), "--codex-session", path]);
  expect(twice.exit).toBe(1);
  expect(twice.stderr).toContain("conveyor deregister w");
  await w.ok("deregister w");
  expect((await w.run(["register-manager", "--name", "m", "--pid", pidOf(pane), "--codex-session", path])).exit).toBe(0);
  // And the first cannot come back beside it.
  expect((await register(pidOf(pane), "one", path)).stderr).toContain("conveyor deregister m");
});

test("a name that could not be a folder's is refused when it is given, not by every command afterwards", async () => {
  const path = await transcript(A);
  const named = (name: string) =>
    w.run(["register-worker", `--name=${name}`, "--pid", String(process.pid), "--codex-session", path, "--cwd", w.work]);
  for (const name of ["a@b", "a\nb", "\u001b[31m", "a\u202eb", "cafe\u0301", "p\u0430y", ".dot", "..", "a/b", "$(id)", "\u200bw1", "w1 "])
    expect(await named(name)).toMatchObject({ exit: 1, stderr: expect.stringContaining("may hold only letters, digits, _ and -") });
  expect(await named("x".repeat(201))).toMatchObject({ exit: 1, stderr: expect.stringContaining("has 201 characters, 200 are the most") });
  expect(w.rows("select 1 from sessions")).toEqual([]);
  const longest = "x".repeat(200);
  expect((await named(longest)).exit).toBe(0);
  expect(await w.run(["status", longest])).toMatchObject({ exit: 0, stderr: "" });
});

test("the words of its start stay with a thread that another process takes up; its server and way of launch do not", async () => {
  const store = w.store();
  const session = { name: "w9", role: "worker", cwd: w.work, tmuxSession: null, codexSessionPath: null } as const;
  const started: StartFacts = {
    version: "0.171.0",
    argv: ["codex", "--sandbox", "read-only"],
    home: "/h",
    model: "m",
    effort: null,
    permissions: {},
    launch: "protocol",
    socket: "/s",
    launchWhy: null,
  };
  const { id } = registerSession(store, { ...session, pid: 11, codexSessionId: "a", started });
  const words = (): unknown => {
    const { argv_json } = w.rows<{ argv_json: string | null }>("select argv_json from session_agents where session_id = ?", id)[0]!;
    return argv_json === null ? null : JSON.parse(argv_json);
  };
  const row = registerSession(store, { ...session, pid: 12, codexSessionId: "a" });
  expect([words(), row.model, row.launch, row.socket]).toEqual([[...started.argv], "m", "registered", null]);
  // The same process with another thread, then another with a third: of that nothing is known.
  registerSession(store, { ...session, pid: 12, codexSessionId: "b" });
  expect(words()).toEqual([...started.argv]);
  registerSession(store, { ...session, pid: 13, codexSessionId: "c" });
  expect(words()).toBeNull();
});
