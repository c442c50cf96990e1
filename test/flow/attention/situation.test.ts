/** The one gathering: what it costs follows what is open, and what it finds has a name that lasts as long as it. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { everything, type Seen } from "../../../src/flow/attention/situation.ts";
import { UNSEEN } from "../../../src/flow/attention/side.ts";
import type { Store } from "../../../src/store/store.ts";
import { World } from "../../harness.ts";
import { spiedQueries } from "../../spied-queries.ts";
import { boundPair, event, meta } from "../../rollout.ts";

let w: World;
beforeEach(() => {
  w = new World();
});
afterEach(() => w.close());

/** A look at which everything ran. */
const calm = (store: Store, more: Partial<Seen> = {}): Seen => {
  const at = store.now();
  return {
    sign: () => ({ ...UNSEEN, processAlive: true }),
    staleProofs: () => 0,
    dispatches: () => true,
    lookedAt: () => at,
    ...more,
  };
};
const items = (store: Store, more: Partial<Seen> = {}, stalledAfter = 600) => {
  const cx = w.context();
  return everything({ cx, store }, calm(store, more), stalledAfter);
};

/** The tables that grow without end, and how SQLite goes through them: by which index, or not at all. */
const GROWING =
  /\b(tasks|sessions|bindings|codex_events|commands|routed_notifications|deliveries|agent_asks|acceptance_criteria|manager_cycles)\b/;
/** Partial indexes that hold only what is open. */
const OPEN = /USING (COVERING )?INDEX (tasks_open|sessions_active|one_active_binding_\w+)/;

test("twenty tasks of a thousand records, and as many that are over: everything is found by indexes that hold what is open", async () => {
  w.keepOpen();
  const store = w.store();
  const { db } = store;
  db.run("begin");
  const past = "2020-01-01T00:00:00.000Z";
  // A turn that ended since then waits for Dispatch to tell of it.
  const bound = "2020-01-01T00:00:01.000Z";
  for (let n = 0; n < 40; n++) {
    const state = n < 20 ? "managed" : "done";
    db.query("insert into tasks (id, name, goal, state, created_at, updated_at) values (?, ?, 'g', ?, ?, ?)").run(
      `task-${n}`,
      `t${n}`,
      state,
      past,
      past,
    );
    for (const role of ["worker", "manager"])
      db.query(
        `insert into sessions (id, name, role, identity_token, cwd, registered_at, state, pid) values (?, ?, ?, ?, '/', ?, ?, ?)`,
      ).run(`${role}-${n}`, `${role}${n}`, role, `token-${role}-${n}`, past, n < 20 ? "active" : "gone", process.pid);
    db.query(
      `insert into bindings (id, task_id, worker_session_id, manager_session_id, state, created_at, ended_at) values (?, ?, ?, ?, ?, ?, ?)`,
    ).run(`binding-${n}`, `task-${n}`, `worker-${n}`, `manager-${n}`, n < 20 ? "active" : "ended", bound, n < 20 ? null : bound);
    const add = db.query(
      "insert into codex_events (session_id, timestamp, type, subtype, payload_json, byte_offset, ingested_at) values (?, ?, 'event_msg', ?, '{}', ?, ?)",
    );
    for (let at = 0; at < 1000; at++) add.run(`worker-${n}`, past, at === 999 ? "task_complete" : "agent_message", at, past);
    add.run(`manager-${n}`, past, "task_complete", 0, past);
  }
  db.run("commit");
  db.run("analyze");
  const { db: spied, asked, plans } = spiedQueries(db);
  const found = items({ ...store, db: spied });
  expect(found.items.map(({ kind }) => kind)).toEqual(Array.from({ length: 20 }, () => "stalled" as const));
  expect(asked.size).toBeGreaterThan(10);
  const scans = plans().filter(({ detail }) => detail.startsWith("SCAN ") && GROWING.test(detail) && !OPEN.test(detail));
  expect(scans).toEqual([]);
});

test("the pair is stalled from a moment that is told beforehand, under one name until it moves", async () => {
  const { worker, manager } = await boundPair(w, { worker: meta() + event({ type: "task_complete", turn_id: "a" }) });
  manager.append(event({ type: "task_complete", turn_id: "b" }));
  await w.ok("ingest w1");
  await w.ok("ingest m1");
  const store = w.store();
  const [{ created_at: bound }] = w.rows<{ created_at: string }>("select created_at from bindings") as [{ created_at: string }];
  expect(items(store)).toEqual({ items: [], nextMs: Date.parse(bound) + 600_000 });
  w.clock = Date.parse(bound) + 600_000;
  const [first] = items(store).items;
  expect(first).toMatchObject({ kind: "stalled", weight: "soon", task: "t1", since: bound, host: null });
  w.clock += 5000;
  expect(items(store).items[0]!.id).toBe(first!.id);
  worker.append(event({ type: "task_started", turn_id: "c" }));
  await w.ok("ingest w1");
  expect(items(store).items).toEqual([]);
});

test("a fact that goes and comes again has another id, and one that cannot be looked at keeps the one it has", async () => {
  await boundPair(w);
  const store = w.store();
  const page = (name: "sign_in" | null): Partial<Seen> => ({ sign: () => ({ ...UNSEEN, processAlive: true, page: name }) });
  const logins = (name: "sign_in" | null, more: Partial<Seen> = {}) =>
    items(store, { ...page(name), ...more }).items.filter(({ kind }) => kind === "login");
  const first = logins("sign_in");
  expect(first.map(({ session }) => session).toSorted()).toEqual(["m1", "w1"]);
  expect(logins("sign_in")).toEqual(first);
  // Nobody could look.
  expect(logins(null, { lookedAt: () => null })).toEqual([]);
  expect(logins("sign_in")).toEqual(first);
  expect(logins(null)).toEqual([]);
  const again = logins("sign_in");
  expect(again.map(({ id }) => id).filter((id) => first.some((each) => each.id === id))).toEqual([]);
});

test("a worker of which nobody hears, and one whose manager was there when it ended", async () => {
  await boundPair(w, { worker: meta() + event({ type: "task_complete", turn_id: "a" }, 5) });
  await w.ok("ingest w1");
  const store = w.store();
  await w.ok("unbind --task t1");
  expect(items(store).items.map(({ kind }) => kind)).toEqual([]);
  w.rows("update codex_events set timestamp = '2031-01-01T00:00:00.000Z' where subtype = 'task_complete'");
  expect(items(store).items).toMatchObject([{ kind: "turn_ended", session: "w1", task: null, task_id: null }]);
});

test("a spent budget is told, and until when", async () => {
  await boundPair(w);
  const store = w.store();
  w.rows("insert into task_budgets (task_id, tokens, set_at) select id, 10, '2026-01-01T00:00:00.000Z' from tasks");
  w.rows(
    `insert into token_totals (session_id, task_id, input_tokens, cached_input_tokens, output_tokens, reasoning_output_tokens, total_tokens,
       updated_at) select s.id, t.id, 8, 0, 7, 0, 15, '2026-01-01T00:00:00.000Z' from tasks t, sessions s where s.name = 'w1'`,
  );
  expect(items(store).items).toMatchObject([{ kind: "budget", weight: "soon", task: "t1", resets_at: null }]);
});
