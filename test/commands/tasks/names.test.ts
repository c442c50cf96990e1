/** Which task a name means when several have it, who is warned of a second one, and what is said of a name that nothing has. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { World } from "../../harness.ts";
import { boundPair, meta, rollout } from "../../rollout.ts";
import { findNewestTask, findTask } from "../../../src/store/tasks/tasks.ts";

let w: World;
beforeEach(() => void (w = new World()));
afterEach(() => w.close());

const create = async (name = "t1"): Promise<string> => (await w.ok(["tasks", "--create", name, "--goal", "g"])).id;
const idOf = (name: string) => w.rows<{ id: string }>("select id from tasks where name = ? order by rowid", name)[0]!.id;

test("a second task of the same name, open or done, hides a running pair from nobody who acts", async () => {
  await boundPair(w);
  const bound = idOf("t1");
  const second = await create();
  expect((await w.ok("cycle t1")).binding_id).toBe(w.rows<{ id: string }>("select id from bindings")[0]!.id);
  await w.ok("finish-task " + second);
  const done = w.rows("select state from tasks where id = ?", second);
  expect(done).toEqual([{ state: "done" }]);
  await w.ok("cycle t1");
  await w.ok("enqueue-nudge-worker t1 --message hello");
  await w.ok("enqueue-notify-manager t1 --message hello");
  await w.ok("manager-inbox t1 --json");
  await w.ok("criteria t1 --add --criterion c --source user_requested --status accepted");
  await w.ok("runs --create t1 --name r1");
  expect(w.rows("select distinct task_id from commands where type <> 'finish_task'")).toEqual([{ task_id: bound }]);
  expect(w.rows("select task_id from acceptance_criteria")).toEqual([{ task_id: bound }]);
  expect(w.rows("select task_id from runs where name = 'r1'")).toEqual([{ task_id: bound }]);
  expect((await w.run("bind --task t1 --worker w1 --manager m1")).stderr).toContain("already bound");
  await w.ok("unbind --task t1");
  await w.ok("finish-task t1");
  expect(w.rows("select count(*) as n from tasks where state = 'done'")).toEqual([{ n: 2 }]);
});

test("without a bound one the open one is meant, then the newest; history keeps the newest", async () => {
  const [a, b, c] = [await create(), await create(), await create()] as [string, string, string];
  const meant = () => [findTask(w.store(), "t1")?.id, findNewestTask(w.store(), "t1")?.id];
  expect(meant()).toEqual([c, c]);
  await w.ok(`finish-task ${c}`);
  expect(meant()).toEqual([b, c]);
  await w.ok(`finish-task ${b}`);
  await w.ok(`finish-task ${a}`);
  expect(meant()).toEqual([c, c]);
  expect((await w.ok("audit t1 --json")).task.id).toBe(c);
});

test("two bound ones are listed and refused; their ids still do", async () => {
  await boundPair(w);
  const second = await create();
  const thread = (n: number) => `${String(n).repeat(8)}-1111-4111-8111-111111111111`;
  for (const [role, n] of [
    ["worker", 4],
    ["manager", 5],
  ] as const) {
    const { path } = await rollout(w, meta(thread(n)), thread(n));
    await w.ok([`register-${role}`, "--name", `${role[0]}2`, "--pid", String(process.pid), "--codex-session", path, "--cwd", w.work]);
  }
  await w.ok(`bind --task ${second} --worker w2 --manager m2`);
  for (const line of ["cycle t1", "finish-task t1", "unbind --task t1", "manager-inbox t1", "enqueue-nudge-worker t1 --message x"]) {
    const { exit, stderr } = await w.run(line);
    expect([line, exit]).toEqual([line, 1]);
    expect(stderr).toContain(`${idOf("t1")} (w1 and m1), ${second} (w2 and m2)`);
  }
  expect(w.rows("select count(*) as n from commands")).toEqual([{ n: 0 }]);
  await w.ok(`cycle ${second}`);
  expect((await w.ok("audit t1 --json")).task.id).toBe(second);
});

test("an id means its own task, also when somebody calls another one so", async () => {
  const first = await create();
  await create(first);
  expect([findTask(w.store(), first)?.name, findNewestTask(w.store(), first)?.name]).toEqual(["t1", "t1"]);
});

test("a second open task is warned of, refused at a terminal unless it is meant; a closed one is nobody's business", async () => {
  const first = await create();
  const warned = await w.run("tasks --create t1 --goal g");
  expect([warned.exit, warned.json().created, warned.stderr]).toEqual([0, true, expect.stringContaining(`"t1" is open already`)]);
  const refused = await w.run("tasks --create t1 --goal g", { ttyOut: true });
  expect([refused.exit, refused.stdout, refused.stderr]).toEqual([1, "", expect.stringContaining("--allow-duplicate")]);
  expect((await w.run("tasks --create t1 --goal g --allow-duplicate", { ttyOut: true })).stderr).toBe("");
  for (const { id } of w.rows<{ id: string }>("select id from tasks")) await w.ok(`finish-task ${id}`);
  expect((await w.run("tasks --create t1 --goal g", { ttyOut: true })).stderr).toBe("");
  expect(first).not.toBe("");
});

test("unknown names get a likely spelling, and a name of another kind its other end", async () => {
  await boundPair(w);
  await create("login-fix");
  const said = async (line: string) => (await w.run(line)).stderr.split("\n")[0]!;
  expect(await said("cycle login-fux")).toBe('conveyor: unknown task "login-fux". Did you mean login-fix?');
  expect(await said("audit login")).toBe('conveyor: unknown task "login". Did you mean login-fix?');
  expect(await said("cycle zzzzzz")).toBe('conveyor: unknown task "zzzzzz"');
  expect(await said("cycle w1")).toBe('conveyor: unknown task "w1"; it is a session, of task "t1"');
  expect(await said("ingest w3")).toBe('conveyor: unknown session "w3". Did you mean w1?');
  for (const line of ["ingest t1", "session-nudge t1 hello", "session-inbox t1", "deregister t1", "capture t1"])
    expect([line, await said(line)]).toEqual([line, expect.stringContaining('"t1"; it is a task, whose worker is "w1"')]);
  expect(await said("ingest login-fix")).toBe('conveyor: unknown session "login-fix"; it is a task, and nobody works on it');
});
