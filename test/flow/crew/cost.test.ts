/** What `crew` costs follows the workers that there are, not what they have done or who has worked before. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { allCrews, crewRows } from "../../../src/flow/crew/report.ts";
import { bind } from "../../../src/store/sessions/bindings.ts";
import { needSession, registerSession } from "../../../src/store/sessions/sessions.ts";
import { createTask } from "../../../src/store/tasks/tasks.ts";
import { World } from "../../harness.ts";
import { spiedQueries } from "../../spied-queries.ts";

let w: World;
beforeEach(() => {
  w = new World();
});
afterEach(() => w.close());

/** Partial indexes that hold only what is open. */
const OPEN = /USING (COVERING )?INDEX (tasks_open|sessions_active|one_active_binding_\w+|worktrees_there_path)/;

test("twenty workers, and twice as many that have worked before: all is found by indexes", async () => {
  w.keepOpen();
  const store = w.store();
  const { db } = store;
  const session = (name: string, role: "worker" | "manager") =>
    registerSession(store, {
      name,
      role,
      pid: process.pid,
      cwd: w.work,
      codexSessionPath: null,
      codexSessionId: null,
      tmuxSession: null,
    });
  db.run("begin");
  const manager = session("m1", "manager");
  const add = db.query(
    "insert into codex_events (session_id, timestamp, type, subtype, payload_json, byte_offset, ingested_at) values (?, ?, 'event_msg', ?, ?, ?, ?)",
  );
  for (let n = 0; n < 60; n++) {
    const worker = session(`w${n}`, "worker");
    bind(store, createTask(store, { name: `t${n}`, goal: "g" }), worker, manager, { crew: true });
    for (let at = 0; at < 300; at++) add.run(worker.id, store.now(), at === 299 ? "task_complete" : "agent_message", "{}", at, store.now());
    db.query("insert into token_totals values (?, (select id from tasks where name = ?), 1, 0, 1, 0, 2, ?)").run(
      worker.id,
      `t${n}`,
      store.now(),
    );
  }
  db.run("update bindings set state = 'ended', ended_at = created_at where rowid > 20");
  db.run("update tasks set state = 'done' where id not in (select task_id from bindings where state = 'active')");
  db.run(
    "update sessions set state = 'gone' where role = 'worker' and id not in (select worker_session_id from bindings where state = 'active')",
  );
  db.run("commit");
  db.run("analyze");
  const { db: spied, asked, plans } = spiedQueries(db);
  const scene = { cx: w.context(), store: { ...store, db: spied } };
  const rows = await crewRows(scene, allCrews(scene));
  expect(needSession(store, "m1").id).toBe(manager.id);
  expect(rows.map(({ worker, tokens }) => `${worker} ${tokens}`)).toEqual(Array.from({ length: 20 }, (_, n) => `w${n} 2`));
  expect(asked.size).toBeGreaterThan(10);
  const scans = plans()
    .filter(({ detail }) => /^SCAN (?!\(|CONSTANT|p$|dispatchers)/.test(detail) && !OPEN.test(detail))
    .map(({ detail, sql }) => `${detail}: ${sql}`);
  expect(scans).toEqual([]);
});
