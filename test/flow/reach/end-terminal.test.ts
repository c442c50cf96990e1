/** What `stop` and `finish-task` end: the pane and process on record, wherever they stand and whoever looks at them, and nothing else. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { registerSession } from "../../../src/store/sessions/sessions.ts";
import { alive } from "../../../src/system/processes/processes.ts";
import { listPanes } from "../../../src/system/terminal/panes.ts";
import { newSession } from "../../../src/system/terminal/sessions.ts";
import { until, World } from "../../harness.ts";
import { tmux } from "../../panes.ts";

let w: World;
beforeEach(() => {
  w = new World();
  w.realTime = true;
});
afterEach(() => w.close());

/** Puts a session on record whose pane runs `argv`. */
async function worker(name: string, options: { argv?: string[]; paneId?: null; pid?: number | null; keepDead?: boolean } = {}) {
  const begun = await newSession(w.env, {
    name: `codex-${name}`,
    cwd: w.work,
    argv: options.argv ?? ["cat"],
    keepDead: options.keepDead ?? false,
  });
  registerSession(w.store(), {
    name,
    role: "worker",
    pid: options.pid === undefined ? begun.pid : options.pid,
    cwd: w.work,
    codexSessionPath: null,
    codexSessionId: null,
    tmuxSession: `codex-${name}`,
    tmuxPaneId: options.paneId === null ? null : begun.paneId,
  });
  return begun;
}

const panes = async () => [...new Set((await listPanes(w.env)).map((pane) => pane.paneId))].sort();
const stateOf = (name: string) => w.rows<{ state: string }>("select state from sessions where name = ?", name)[0]!.state;
const other = (...words: string[]): string => tmux(w, ...words, "-P", "-F", "#{pane_id}", "cat").trim();

/** It is stopped, its process has ended by then, and exactly these panes are left. */
async function stops(name: string, pid: number, left: string[]): Promise<void> {
  expect(await w.ok(["stop", name, "--json"])).toMatchObject({ killed_session: true });
  expect(alive(pid)).toBe(false);
  expect(stateOf(name)).toBe("gone");
  expect(await panes()).toEqual(left.sort());
}

test("a pane that was moved into another session, beside a shell left in its own", async () => {
  const { paneId, pid } = await worker("w");
  const keep = other("new-session", "-d", "-s", "elsewhere");
  const shell = other("new-window", "-d", "-t", "=codex-w:");
  tmux(w, "join-pane", "-d", "-s", paneId, "-t", "=elsewhere:");
  await stops("w", pid, [keep, shell]);
});

test("a pane that was moved, of which only the tmux session was on record", async () => {
  const { paneId, pid } = await worker("w", { paneId: null });
  const keep = other("new-session", "-d", "-s", "elsewhere");
  const shell = other("new-window", "-d", "-t", "=codex-w:");
  tmux(w, "join-pane", "-d", "-s", paneId, "-t", "=elsewhere:");
  await stops("w", pid, [keep, shell]);
});

test("a pane broken out into a window of its own, in a session that bears another name now", async () => {
  const { paneId, pid } = await worker("w");
  const beside = other("split-window", "-d", "-t", paneId);
  tmux(w, "break-pane", "-d", "-s", paneId);
  tmux(w, "rename-session", "-t", "=codex-w", "my own name");
  await stops("w", pid, [beside]);
});

test("a renamed session ends by its pane alone, too, where no process is on record", async () => {
  const { pid } = await worker("w", { pid: null });
  tmux(w, "rename-session", "-t", "=codex-w", "renamed");
  const keep = other("new-session", "-d", "-s", "keep");
  expect(await w.ok(["status", "w", "--json"])).toMatchObject({ running: true });
  expect((await w.run(["capture", "w"])).exit).toBe(0);
  await stops("w", pid, [keep]);
});

test("a window that is linked into a second session ends in both", async () => {
  const { pid } = await worker("w");
  const keep = other("new-session", "-d", "-s", "second");
  tmux(w, "link-window", "-d", "-s", "=codex-w:0", "-t", "=second:5");
  await stops("w", pid, [keep]);
});

test("a grouped session that looks at it does not keep it alive", async () => {
  const { pid } = await worker("w");
  const keep = other("new-session", "-d", "-s", "keep");
  tmux(w, "new-session", "-d", "-s", "viewer", "-t", "=codex-w");
  await stops("w", pid, [keep]);
});

test("a session with remain-on-exit leaves no dead pane, neither of a living nor of an ended program", async () => {
  const living = await worker("w", { keepDead: true });
  const keep = other("new-session", "-d", "-s", "keep");
  await stops("w", living.pid, [keep]);
  const ended = await worker("x", { argv: ["true"], keepDead: true });
  await until("its end", async () => (await listPanes(w.env)).find((pane) => pane.paneId === ended.paneId)?.dead);
  await stops("x", ended.pid, [keep]);
});

test("a program that ignores hanging up and asking is told", async () => {
  const { pid } = await worker("w", { argv: ["sh", "-c", "trap '' HUP TERM; while :; do sleep 1; done"] });
  const keep = other("new-session", "-d", "-s", "keep");
  await stops("w", pid, [keep]);
}, 30_000);

test("two sessions on record in one tmux session, by process or by pane: only the one that is named ends", async () => {
  const first = await worker("w");
  const second = other("split-window", "-d", "-t", first.paneId);
  const pid = (await listPanes(w.env)).find((pane) => pane.paneId === second)!.pid;
  const record = { role: "worker", cwd: w.work, codexSessionPath: null, codexSessionId: null, tmuxSession: "codex-w" } as const;
  registerSession(w.store(), { ...record, name: "x", pid, tmuxPaneId: null });
  await stops("x", pid, [first.paneId]);
  expect(alive(first.pid)).toBe(true);
  await stops("w", first.pid, []);
});

test("several panes, and nothing tells which is meant: none ends, and it is not called gone", async () => {
  const { pid } = await worker("w", { paneId: null, pid: null });
  other("split-window", "-d", "-t", "=codex-w:");
  const refused = await w.run("stop w");
  expect(refused.exit).toBe(1);
  expect(refused.stderr).toContain("nothing tells which of them");
  expect(stateOf("w")).toBe("active");
  expect(alive(pid)).toBe(true);
  expect(await panes()).toHaveLength(2);
});

test("a pane whose program a person has replaced is the person's", async () => {
  const { paneId, pid } = await worker("w");
  w.store().db.run("update sessions set registered_at = '2026-01-01T00:00:00.000Z', last_heartbeat_at = '2026-01-01T00:00:00.000Z'");
  tmux(w, "respawn-pane", "-k", "-t", paneId, "cat");
  await until("the end of the first", () => !alive(pid));
  const stopped = await w.run("stop w --json");
  expect(stopped.json()).toMatchObject({ killed_session: false });
  expect(stopped.stderr).toContain("runs something else since");
  expect(stateOf("w")).toBe("gone");
  expect(await panes()).toEqual([paneId]);
});

test("a pane id that a later server has given to somebody else is nobody's on record", async () => {
  const { paneId } = await worker("w", { pid: null });
  tmux(w, "kill-server");
  await until("its end", async () => (await panes()).length === 0);
  w.store().db.run("update sessions set registered_at = '2026-01-01T00:00:00.000Z'");
  expect(other("new-session", "-d", "-s", "somebody")).toBe(paneId);
  expect(await w.ok("stop w --json")).toMatchObject({ killed_session: false });
  expect(await panes()).toEqual([paneId]);
});

test("an agent in a tmux server of another socket is neither ended nor called gone, and no namesake here ends for it", async () => {
  // Whatever its program file is called codex is the agent.
  const agent = join(w.work, "codex");
  copyFileSync(Bun.which("sleep")!, agent);
  tmux(w, "-L", "other", "new-session", "-d", "-s", "codex-w", agent, "1000");
  const pid = Number(tmux(w, "-L", "other", "list-panes", "-a", "-F", "#{pane_pid}"));
  const session = { role: "worker", pid, cwd: w.work, codexSessionPath: null, codexSessionId: null, tmuxSession: "codex-w" } as const;
  registerSession(w.store(), { ...session, name: "w" });
  const refuses = async () => {
    const refused = await w.run("stop w");
    expect(refused.exit).toBe(1);
    expect(refused.stderr).toContain(`process ${pid}`);
    expect(stateOf("w")).toBe("active");
    expect(alive(pid)).toBe(true);
  };
  await refuses();
  const namesake = other("new-session", "-d", "-s", "codex-w");
  await refuses();
  expect(await panes()).toEqual([namesake]);
  tmux(w, "-L", "other", "kill-server");
});
