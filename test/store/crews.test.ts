/** A manager with several open bindings: who may make them, and what that does to a file of version 22. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { copyFileSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { indexesSql } from "../../src/schema/schema.ts";
import { bind, bindingsOfSession, boundManagers, crewOf, taskOfSession, unbind } from "../../src/store/sessions/bindings.ts";
import { takesCrews } from "../../src/store/sessions/crews.ts";
import { needSession, registerSession } from "../../src/store/sessions/sessions.ts";
import { createTask, needTask } from "../../src/store/tasks/tasks.ts";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";
import { BINARY, FIXTURES, World } from "../harness.ts";
import { folder, source } from "./opening.ts";

let w: World;
beforeEach(() => {
  w = new World();
});
afterEach(() => w.close());

const INDEX = "one_active_binding_per_manager_session";

/** So many workers with a task each, and a manager `m1`. */
function people(store: Store, workers: number): void {
  const session = (name: string, role: "worker" | "manager") =>
    registerSession(store, { name, role, pid: process.pid, cwd: "/srv", codexSessionPath: null, codexSessionId: null, tmuxSession: null });
  session("m1", "manager");
  for (let n = 1; n <= workers; n++) {
    session(`w${n}`, "worker");
    createTask(store, { name: `t${n}`, goal: "Ship it" });
  }
}

const join2 = (store: Store, n: number, crew = false) =>
  bind(store, needTask(store, `t${n}`), needSession(store, `w${n}`), needSession(store, "m1"), { crew });

test("a second worker is refused without --crew, and the hint names it; the file stays as it was", async () => {
  people(w.store(), 2);
  const first = await w.ok("bind --task t1 --worker w1 --manager m1");
  const before = w.rows("select * from sqlite_master");
  const refused = await w.run("bind --task t2 --worker w2 --manager m1");
  expect(refused.exit).toBe(1);
  expect(refused.stderr).toContain(`manager "m1" is already bound: task "t1", binding ${first.binding_id}`);
  expect(refused.stderr).toContain("with --crew it leads this worker too");
  expect(w.rows("select name from sqlite_master where name = ?", INDEX)).toHaveLength(1);
  expect(w.rows("select * from sqlite_master")).toEqual(before);
  expect((await w.ok("db-doctor")).crews).toBe(false);
});

test("--crew gives a manager more workers, but no worker a second task", async () => {
  const store = w.store();
  people(store, 3);
  // Who leads nobody yet may be bound with it, too, and makes no crew of it.
  await w.ok("bind --task t1 --worker w1 --manager m1 --crew");
  expect(takesCrews(store)).toBe(false);
  await w.ok("bind --task t2 --worker w2 --manager m1 --crew");
  expect((await w.run("bind --task t3 --worker w2 --manager m1 --crew")).stderr).toContain('worker "w2" is already bound: task "t2"');
  expect((await w.run("bind --task t2 --worker w3 --manager m1 --crew")).stderr).toContain('task "t2" is already bound');
  const third = await w.run("bind --task t3 --worker w3 --manager m1");
  expect(third.stderr).toContain('manager "m1" is already bound: tasks "t1", "t2"\n');
  const manager = needSession(store, "m1");
  expect(crewOf(store, manager.id).map(({ worker }) => worker.name)).toEqual(["w1", "w2"]);
  expect(boundManagers(store).map(({ name }) => name)).toEqual(["m1"]);
  expect(taskOfSession(store, manager.id)).toBeNull();
  await w.ok("unbind --task t1");
  expect(crewOf(store, manager.id).map(({ worker }) => worker.name)).toEqual(["w2"]);
  expect(taskOfSession(store, manager.id)).toBe(needTask(store, "t2").id);
  expect(bindingsOfSession(store, needSession(store, "w1").id)).toEqual([]);
});

test("the index is there under its own name, unique no more, and stays so", async () => {
  const unique = () => w.rows<{ unique: number }>("select [unique] from pragma_index_list('bindings') where name = ?", INDEX);
  people(w.store(), 2);
  join2(w.store(), 1);
  expect(unique()).toEqual([{ unique: 1 }]);
  join2(w.store(), 2, true);
  expect(unique()).toEqual([{ unique: 0 }]);
  for (const name of ["t1", "t2"]) unbind(w.store(), needTask(w.store(), name));
  expect(await w.ok("db-doctor")).toMatchObject({ ok: true, crews: true });
  // What 0.1.0 runs at every opening.
  w.store().db.run(indexesSql);
  expect(await w.ok("db-doctor --live")).toMatchObject({ ok: true, crews: true });
  expect(unique()).toEqual([{ unique: 0 }]);
  // And without --crew a manager still has one worker.
  join2(w.store(), 1);
  expect(() => join2(w.store(), 2)).toThrow('manager "m1" is already bound: task "t1"');
});

test("a file as 0.1.0 made it opens before its first crew, and after", () => {
  const path = join(folder(), "workerctl.db");
  mkdirSync(dirname(path), { recursive: true });
  copyFileSync(join(FIXTURES, "databases", "v22.db"), path);
  const ids = source();
  let store = openStore(path, ids);
  expect(takesCrews(store)).toBe(false);
  people(store, 2);
  join2(store, 1);
  join2(store, 2, true);
  store.db.close();
  store = openStore(path, ids);
  expect(takesCrews(store)).toBe(true);
  expect(crewOf(store, needSession(store, "m1").id)).toHaveLength(2);
  expect(store.db.query("pragma user_version").get()).toEqual({ user_version: 22 });
  store.db.close();
});

test("a refused second worker leaves the index, also when the first crew fails at its last step", () => {
  const store = w.store();
  people(store, 2);
  join2(store, 1);
  store.db.run("create trigger fails before insert on bindings begin select raise(abort, 'no room'); end");
  expect(() => join2(store, 2, true)).toThrow("no room");
  expect(takesCrews(store)).toBe(false);
});

/** Runs these at the same moment, each in a process of its own. */
async function atOnce(lines: readonly string[]): Promise<{ exit: number; stderr: string }[]> {
  const children = lines.map((line) =>
    Bun.spawn([BINARY, ...line.split(" ")], { env: w.env, cwd: w.work, stdout: "pipe", stderr: "pipe" }),
  );
  return await Promise.all(children.map(async (child) => ({ stderr: await new Response(child.stderr).text(), exit: await child.exited })));
}

test("of many that bind one manager at once one has it, and the others are told the same as ever", async () => {
  people(w.store(), 6);
  const done = await atOnce([1, 2, 3, 4, 5, 6].map((n) => `bind --task t${n} --worker w${n} --manager m1`));
  expect(done.filter(({ exit }) => exit === 0)).toHaveLength(1);
  const [{ name }] = w.rows<{ name: string }>("select t.name from bindings b join tasks t on t.id = b.task_id") as [{ name: string }];
  for (const { exit, stderr } of done.filter((each) => each.exit !== 0)) {
    expect(exit).toBe(1);
    expect(stderr).toContain(`manager "m1" is already bound: task "${name}", binding `);
    expect(stderr).toContain("--crew");
  }
});

test("of many that bind one manager at once with --crew all have it", async () => {
  people(w.store(), 6);
  const done = await atOnce([1, 2, 3, 4, 5, 6].map((n) => `bind --task t${n} --worker w${n} --manager m1 --crew`));
  expect(done.map(({ stderr }) => stderr).join("")).toBe("");
  expect(crewOf(w.store(), needSession(w.store(), "m1").id)).toHaveLength(6);
});
