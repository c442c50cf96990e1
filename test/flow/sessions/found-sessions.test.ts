/** Codex sessions that run and are on no record: found by what a pane's processes hold open, and registered as picked. */
import { afterAll, expect, test } from "bun:test";
import { join } from "node:path";
import { foundSessions, registerFound } from "../../../src/flow/sessions/found-sessions.ts";
import { newSession } from "../../../src/system/terminal/sessions.ts";
import { until, World } from "../../harness.ts";

const w = new World();
w.realTime = true;
afterAll(() => w.close());

const THREAD = "0198a000-0000-7000-8000-00000000abcd";

test("a session in tmux is offered with its folder and first words, until it is registered", async () => {
  const at = new Date().toISOString();
  const records = [
    {
      timestamp: at,
      type: "session_meta",
      payload: { id: THREAD, cwd: w.work, timestamp: at, originator: "codex-tui", cli_version: "0.169.0" },
    },
    { timestamp: at, type: "event_msg", payload: { type: "user_message", message: "Please repair the login" } },
  ];
  const rollout = await w.file(
    `codex/sessions/2026/01/02/rollout-2026-01-02T03-04-05-${THREAD}.jsonl`,
    records.map((record) => `${JSON.stringify(record)}\n`).join(""),
  );
  const { paneId } = await newSession(w.env, {
    name: "somebody's",
    cwd: w.work,
    argv: ["sh", "-c", 'exec 9< "$1"; exec cat', "sh", rollout],
  });
  const cx = w.context();
  const store = cx.store();
  const [found] = await until("it holds its rollout open", async () => {
    const all = await foundSessions(cx, store);
    return all.length > 0 ? all : null;
  });
  expect(found).toMatchObject({
    threadId: THREAD,
    rolloutPath: rollout,
    cwd: w.work,
    startedAt: at,
    firstWords: "Please repair the login",
    tmuxSession: "somebody's",
    paneId,
  });

  const session = registerFound(cx, store, {
    name: "picked",
    role: "worker",
    thread: THREAD,
    pid: found!.pid!,
    tmuxSession: found!.tmuxSession,
    paneId: found!.paneId,
  });
  expect(session).toMatchObject({
    name: "picked",
    role: "worker",
    codex_session_id: THREAD,
    codex_session_path: rollout,
    cwd: w.work,
    tmux_session: "somebody's",
    tmux_pane_id: paneId,
  });
  expect(await foundSessions(cx, store)).toEqual([]);
});

test("a thread that has no rollout cannot be picked", () => {
  const cx = w.context();
  const pick = (thread: string) => () =>
    registerFound(cx, cx.store(), { name: "x", role: "worker", thread, pid: 1, tmuxSession: null, paneId: null });
  expect(pick("0198a000-0000-7000-8000-000000000000")).toThrow("no rollout or transcript of thread");
  expect(pick(join(w.dir, "nothing.jsonl"))).toThrow("no rollout file");
});
