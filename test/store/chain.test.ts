/** The chain over events and telemetry: what it finds, and what it lets pass. */
import { Database } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { addEvent } from "../../src/store/record/events.ts";
import { addTelemetry } from "../../src/store/record/telemetry.ts";
import { World } from "../harness.ts";

let w: World;
let taskId: string;
beforeEach(async () => {
  w = new World();
  taskId = (await w.ok("tasks --create job --goal g")).id;
  for (let n = 0; n < 3; n++) {
    addEvent(w.store(), { type: `e${n}`, taskId, payload: { n, odd: "\ud800 half", 10: "a", 9: "b", list: [undefined, Number.NaN] } });
    addTelemetry(w.store(), { type: `t${n}`, taskId, summary: "half \udfff, \0 zero", attributes: { n } });
  }
});
afterEach(() => w.close());

const look = async () => (await w.run("audit job --verify --json")).json();
/** As somebody with another program would. */
function tamper(sql: string): void {
  using db = new Database(w.dbPath);
  db.run("drop trigger if exists events_no_update; drop trigger if exists events_no_delete");
  db.run(sql);
}

test("what was written is what was sealed, also odd texts", async () => {
  expect(await look()).toMatchObject({ ok: true, links: 7, rows_before_chain: 0, problems: [] });
  const done = await w.run("audit job --verify");
  expect(done.exit).toBe(0);
  expect(done.stdout).toMatch(/^job\tok\tsealed=7\tbefore_chain=0\thead=[0-9a-f]{64}\n$/);
});

test("each task has its own chain", async () => {
  const before = (await look()).head;
  await w.ok("tasks --create other --goal g");
  addEvent(w.store(), { type: "x" });
  expect((await look()).head).toBe(before);
});

const changes: [string, string, object[]][] = [
  ["a changed payload", `update events set payload_json = '{"n":9}' where type = 'e1'`, [{ kind: "changed", table: "events", id: 3 }]],
  [
    "a changed time",
    "update telemetry_events set timestamp = '2020-01-01T00:00:00.000Z' where event_type = 't2'",
    [{ kind: "changed", table: "telemetry_events" }],
  ],
  ["a row moved to nobody", "update events set task_id = null where type = 'e1'", [{ kind: "changed", table: "events", id: 3 }]],
  ["a row taken away", "delete from events where type = 'e0'", [{ kind: "missing", table: "events", id: 2 }]],
  [
    "a row put in",
    `insert into events (created_at, actor, task_id, type, payload_json) select created_at, actor, task_id, 'forged', '{}' from events where id = 1`,
    [{ kind: "unlinked", table: "events", id: 5 }],
  ],
  [
    "a link taken away",
    "delete from audit_links where event_id = 3",
    [{ kind: "broken" }, { kind: "changed" }, { kind: "unlinked", table: "events", id: 3 }],
  ],
  [
    "the end cut off",
    "delete from audit_links where telemetry_id is not null and id = (select max(id) from audit_links); delete from telemetry_events where event_type = 't2'",
    [{ kind: "head" }],
  ],
];
for (const [what, sql, problems] of changes) {
  test(`${what} is found and named`, async () => {
    tamper(sql);
    const report = await look();
    expect(report).toMatchObject({ ok: false, problem_count: problems.length, problems });
    expect((await w.run("audit job --verify")).exit).toBe(1);
  });
}

test("rows from before the chain are counted, not blamed", async () => {
  tamper("delete from audit_links where event_id = 1; update audit_links set id = id - 1; delete from audit_chains");
  tamper("delete from audit_links");
  addEvent(w.store(), { type: "later", taskId });
  expect(await look()).toMatchObject({ ok: true, links: 1, rows_before_chain: 7 });
});

test("a task of which nothing was sealed is not blamed either", async () => {
  tamper("delete from audit_links; delete from audit_chains");
  expect(await look()).toMatchObject({ ok: true, links: 0, head: null, rows_before_chain: 7 });
});

test("an end that was noted must be part of the chain", async () => {
  const { head } = await look();
  addEvent(w.store(), { type: "later", taskId });
  expect((await w.run(`audit job --verify --head ${head}`)).exit).toBe(0);
  expect((await w.run(`audit job --verify --head ${"f".repeat(64)}`)).stdout).toContain("head: ");
  expect((await w.run("audit job --head abc")).exit).toBe(2);
});
