/** A manager that runs is given more workers: only the worker is started, and it is told once, whatever strikes in between. Real Codex. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { CodexWorld } from "../../codex-world.ts";
import { strike, until } from "../../harness.ts";
import { tmux } from "../../panes.ts";
import { agentTerminals, struck } from "../sessions/struck.ts";

const world = new CodexWorld();
const words = (n: number, ...more: string[]): string[] => [
  ...["pair", "--task", `t${n}`, "--task-goal", `Goal ${n}`, "--task-prompt", `Do the work ${n}`, "--worker-name", `w${n}`],
  ...["--manager-name", "m1", "--cwd", world.project, "--timeout-seconds", "60", "--no-dispatch", ...more],
];
let manager = "";
/** What was said to the manager of this task. */
const told = (task: string): string[] =>
  world.userTexts(manager).filter((text) => text.includes(`You now also supervise worker w${task.slice(1)} on task ${task}`));
const queued = (task: string) =>
  world.rows("select c.state from commands c join tasks t on t.id = c.task_id where t.name = ? and c.type = 'notify_manager'", task);
const crew = async (): Promise<string[]> => (await world.ok("crew m1")).map((row: { task: string }) => row.task);
const dispatch = async (): Promise<void> => {
  await world.idle(manager);
  await world.ok("dispatch --once --json");
};

beforeAll(async () => {
  manager = (await world.ok(words(1))).manager.codex_session_id;
  await world.turns(manager, 1);
}, 120_000);
afterAll(() => world.close());

test("without --crew it is refused as before, and the hint names it; nothing is stored or started", async () => {
  const refused = await world.run(words(2));
  expect(refused.exit).toBe(1);
  expect(refused.stderr).toContain('session "m1" is registered already');
  expect(refused.stderr).toContain("with --crew it leads this worker too");
  const vain = await world.run(words(2, "--crew", "--manager-model", "other"));
  expect(vain.stderr).toContain('session "m1" runs already, and --manager-model would change nothing');
  const plan = await world.ok(words(2, "--crew", "--dry-run"));
  expect(plan).toMatchObject({ manager: "m1", manager_start: null, crew: { tasks: ["t1"] }, worker_start: { agent: "codex" } });
  expect(world.rows("select name from tasks")).toEqual([{ name: "t1" }]);
  expect(agentTerminals(world)).toEqual(["codex-m1", "codex-w1"]);
});

test("with it only the worker is started, and the manager is told once, and how to lead several", async () => {
  const paired = await world.ok(words(2, "--crew"));
  expect(agentTerminals(world)).toEqual(["codex-m1", "codex-w1", "codex-w2"]);
  expect(paired.manager.codex_session_id).toBe(manager);
  expect(paired.crew.tasks).toEqual(["t1", "t2"]);
  expect(queued("t2")).toEqual([{ state: "pending" }]);
  await dispatch();
  await dispatch();
  expect(queued("t2")).toEqual([{ state: "succeeded" }]);
  expect(told("t2")).toHaveLength(1);
  for (const said of ["Goal: Goal 2", "beside task t1", "manager-ack t2", "cycle --manager m1", "crew m1", "session-inbox m1"])
    expect(told("t2")[0]).toContain(said);
  expect((await world.run(words(2, "--crew"))).stderr).toContain('task "t2" is already bound');
  expect(await crew()).toEqual(["t1", "t2"]);
}, 120_000);

test("killed when both are bound, the same command goes on, and the manager is still told once", async () => {
  const bound = { records: "select 1 from bindings b join tasks t on t.id = b.task_id where t.name = 't3' and b.state = 'active'" };
  expect((await struck(world, words(3, "--crew"), "SIGKILL", bound)).signal).toBe("SIGKILL");
  const paired = await world.ok(words(3, "--crew"));
  expect(paired.crew.tasks).toEqual(["t1", "t2", "t3"]);
  expect(world.rows("select count(*) as n from bindings where state = 'active'")).toEqual([{ n: 3 }]);
  await dispatch();
  await dispatch();
  expect(told("t3")).toHaveLength(1);
  expect(queued("t3")).toHaveLength(1);
}, 120_000);

test("interrupted, it ends the worker that it began and takes back what the manager was to be told; the others stay", async () => {
  const bound = { records: "select 1 from bindings b join tasks t on t.id = b.task_id where t.name = 't4' and b.state = 'active'" };
  const done = await struck(world, words(4, "--crew"), "SIGTERM", bound);
  expect(done).toMatchObject({ exit: 1, stdout: "" });
  expect(done.stderr).toContain("it was interrupted: tmux session codex-w4 was ended");
  expect(queued("t4")).toEqual([]);
  await dispatch();
  expect(told("t4")).toEqual([]);
  expect(agentTerminals(world)).toEqual(["codex-m1", "codex-w1", "codex-w2", "codex-w3"]);
  expect(await crew()).toEqual(["t1", "t2", "t3"]);
}, 120_000);

test("its terminal is not ended for one of its tasks while it leads others", async () => {
  for (const line of ["finish-task t1 --stop-manager", "stop-task t1"]) {
    const refused = await world.run(line);
    expect(refused.exit).toBe(1);
    expect(refused.stderr).toContain('manager "m1" leads tasks "t2", "t3" too');
  }
  expect(world.rows("select count(*) as n from commands where type in ('finish_task', 'stop_task')")).toEqual([{ n: 0 }]);
  await world.ok("stop-task t3 --keep-manager --stop-worker");
  expect(agentTerminals(world)).toEqual(["codex-m1", "codex-w1", "codex-w2"]);
  expect(await crew()).toEqual(["t1", "t2"]);
});

test("after a restart revive brings the manager back once, and all of its workers, bound as they were", async () => {
  const pids = world.rows<{ pid: number }>("select pid from sessions where state = 'active'").map(({ pid }) => pid);
  tmux(world, "kill-server");
  strike(...pids);
  await until("the end of all", async () => (await world.ok("reconcile")).dead_pid_sessions.length === 3);
  await world.ok("reconcile --apply");
  expect(world.rows("select count(*) as n from bindings where state = 'active'")).toEqual([{ n: 0 }]);
  const { revived, bound, failed, dispatch: beside } = await world.ok("revive --json");
  expect(failed).toEqual([]);
  expect(revived.map(({ session }: { session: string }) => session)).toEqual(["w1", "w2", "m1"]);
  expect(bound).toEqual(["t1", "t2"]);
  expect(await crew()).toEqual(["t1", "t2"]);
  process.kill(beside.pid, "SIGTERM");
  // Who was alone last stops the manager with its task.
  await world.ok("unbind --task t1");
  await world.ok("finish-task t2 --stop-worker --stop-manager --reason done");
  expect(agentTerminals(world)).toEqual(["codex-w1"]);
}, 120_000);
