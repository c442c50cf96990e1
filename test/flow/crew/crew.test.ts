/** One manager and its workers: one look at all, one inbox, and each fact told of whom it concerns. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { recordWorktree } from "../../../src/store/worktrees.ts";
import { World } from "../../harness.ts";
import { event, meta, type Rollout, rollout } from "../../rollout.ts";

let w: World;
beforeEach(() => void (w = new World()));
afterEach(() => w.close());

const used = (total: number) => ({
  input_tokens: total - 10,
  cached_input_tokens: 0,
  output_tokens: 10,
  reasoning_output_tokens: 0,
  total_tokens: total,
});
/** What a session has used by the given millisecond of the world's clock. */
const tokens = (total: number): string =>
  `${JSON.stringify({ timestamp: new Date(w.clock).toISOString(), type: "event_msg", payload: { type: "token_count", info: { total_token_usage: used(total) } } })}\n`;
const thread = (n: number): string => `${String(n).repeat(8)}-1111-4111-8111-111111111111`;

async function session(role: string, name: string, n: number, folder = w.work): Promise<Rollout> {
  const written = await rollout(w, meta(thread(n)), thread(n));
  await w.ok([`register-${role}`, "--name", name, "--pid", String(process.pid), "--codex-session", written.path, "--cwd", folder]);
  return written;
}

/** A manager `m1` (n 9) with this many workers, `w1` on `t1` and so on. */
async function crew(size: number, folder = w.work): Promise<{ manager: Rollout; workers: Rollout[] }> {
  const manager = await session("manager", "m1", 9);
  const workers: Rollout[] = [];
  for (let n = 1; n <= size; n++) {
    workers.push(await session("worker", `w${n}`, n, folder));
    await w.ok(["tasks", "--create", `t${n}`, "--goal", `Goal ${n}`]);
    await w.ok(["bind", "--task", `t${n}`, "--worker", `w${n}`, "--manager", "m1", "--crew"]);
  }
  return { manager, workers };
}

/** Ends a turn of each, the last one first, and has Dispatch lay each into the manager's inbox. */
async function endTurns(workers: readonly Rollout[], words = (n: number) => `said ${n}`): Promise<void> {
  for (let n = workers.length; n > 0; n--) {
    workers[n - 1]!.append(
      event({ type: "task_started", turn_id: `a${n}` }) +
        event({ type: "task_complete", turn_id: `a${n}`, last_agent_message: words(n) }, 2),
    );
    await w.ok("dispatch --once --ingest");
  }
}

const tasksIn = (items: { task_name: string }[]) => items.map(({ task_name }) => task_name);

test("a crew has one inbox, the oldest first and each item taken once; by a task, that task's alone", async () => {
  const { workers } = await crew(3);
  await endTurns(workers);
  expect(tasksIn((await w.ok("session-inbox m1 --json")).items)).toEqual(["t3", "t2", "t1"]);
  expect(tasksIn((await w.ok("manager-inbox t1 --json")).items)).toEqual(["t1"]);
  expect((await w.ok("manager-inbox t1 --consume-next --json")).consumed).toMatchObject({ task_name: "t1" });
  expect((await w.ok("manager-inbox t1 --consume-next --json")).consumed).toBeNull();
  expect((await w.ok("session-inbox m1 --consume-next --json")).consumed).toMatchObject({ task_name: "t3" });
  expect((await w.ok("session-inbox m1 --consume-next --json")).consumed).toMatchObject({ task_name: "t2" });
  expect((await w.ok("session-inbox m1 --json")).items).toEqual([]);
});

test("cycle --manager observes every task, takes every message, and tells what needs a person", async () => {
  const { workers } = await crew(2);
  await endTurns(workers);
  await w.ok("criteria t2 --add --source worker_proposed --criterion 'It builds'");
  const { manager, cycles, attention, failed } = await w.ok("cycle --manager m1 --json");
  expect([manager, failed]).toEqual(["m1", []]);
  expect(cycles.map((each: any) => [each.task, each.worker_session, each.turn, each.consumed_messages.length])).toEqual([
    ["t1", "w1", "completed", 1],
    ["t2", "w2", "completed", 1],
  ]);
  const alone = await w.ok("cycle t1 --json");
  expect(Object.keys(cycles[0])).toEqual(Object.keys(alone));
  expect(alone.consumed_messages).toEqual([]);
  expect(attention.map(({ kind, task }: any) => `${kind} ${task}`)).toContain("proposals t2");
  expect((await w.ok("session-inbox m1 --json")).items).toEqual([]);
});

test("a task that cannot be observed keeps none of the others from it", async () => {
  const { workers } = await crew(2);
  await endTurns(workers);
  await w.ok("manager-config t1 --require-acks");
  const done = await w.run("cycle --manager m1");
  expect(done.exit).toBe(1);
  const { cycles, failed } = done.json();
  expect(cycles.map(({ task }: any) => task)).toEqual(["t2"]);
  expect(failed).toEqual([{ task: "t1", error: expect.stringContaining("acknowledge"), hint: expect.anything() }]);
  // What would have been told with it waits as before.
  expect(tasksIn((await w.ok("session-inbox m1 --json")).items)).toEqual(["t1"]);
  expect(w.rows("select state from manager_cycles order by id")).toEqual([{ state: "failed" }, { state: "succeeded" }]);
});

test("what cannot be shown was not read", async () => {
  const { workers } = await crew(2);
  await endTurns(workers);
  const { runCycles } = await import("../../../src/flow/crew/cycles.ts");
  const { needCrew } = await import("../../../src/flow/crew/crew.ts");
  const cx = w.context();
  const scene = { cx, store: cx.store() };
  const told = runCycles(scene, needCrew(scene, "m1"), { busyWaitSeconds: 90, consume: true }, () => {
    throw new Error("the pipe is closed");
  });
  expect(told).rejects.toThrow("the pipe is closed");
  await told.catch(() => {});
  expect((await w.ok("session-inbox m1 --json")).items).toHaveLength(2);
  expect(w.rows("select distinct state from manager_cycles")).toEqual([{ state: "failed" }]);
});

test("whom cycle and crew take, and what they refuse", async () => {
  await crew(1);
  await session("manager", "m2", 8);
  const said = async (words: string) => {
    const { exit, stderr } = await w.run(words);
    return `${exit} ${stderr}`;
  };
  expect(await said("cycle")).toMatch(/^2 [\s\S]*task is missing, or --manager/);
  expect(await said("cycle t1 --manager m1")).toMatch(/^2 [\s\S]*a task and --manager exclude each other/);
  for (const command of ["cycle --manager", "crew"]) {
    expect(await said(`${command} w1`)).toStartWith('1 conveyor: session "w1" is registered as worker, not manager');
    expect(await said(`${command} m2`)).toStartWith('1 conveyor: manager "m2" leads nobody\nhint: conveyor bind');
    expect(await said(`${command} nobody`)).toStartWith('1 conveyor: unknown session "nobody"');
  }
});

test("crew tells each worker, its branch with what is changed in it, and its last words as one harmless line", async () => {
  const git = (...words: string[]) => expect(Bun.spawnSync(["git", "-C", w.work, ...words], { env: w.env }).exitCode).toBe(0);
  git("init", "-q", "-b", "trunk");
  writeFileSync(join(w.work, "a"), "1");
  writeFileSync(join(w.work, ".gitignore"), "ignored\n");
  git("add", ".");
  git("-c", "user.name=n", "-c", "user.email=e", "commit", "-q", "-m", "m");
  writeFileSync(join(w.work, "a"), "2");
  writeFileSync(join(w.work, "b"), "1");
  writeFileSync(join(w.work, "ignored"), "1");
  const { workers } = await crew(2);
  await endTurns(workers, (n) => `\u0007\n\u001b[31mDone ${n}\tnow\u2028and more`);
  await w.ok("criteria t1 --add --source worker_proposed --criterion 'It builds' --status accepted");
  workers[1]!.append(event({ type: "task_started", turn_id: "b" }, 5) + tokens(70));
  const rows = await w.ok("crew m1");
  expect(rows.map(({ worker }: any) => worker)).toEqual(["w1", "w2"]);
  expect(rows[0]).toMatchObject({
    manager: "m1",
    task: "t1",
    agent: "codex",
    host: null,
    state: "idle",
    turn: "completed",
    since: "2020-01-01T00:00:02.000Z",
    waits_for: null,
    open_criteria: 1,
    unread: 0,
    unread_by_manager: 1,
    branch: "trunk",
    changed_files: 2,
    files: ["a", "b"],
    tokens: null,
    last_words: "[31mDone 1 now",
  });
  expect(rows[1]).toMatchObject({ task: "t2", state: "busy", turn: "open", open_criteria: 0, tokens: 70 });
  expect(await w.ok("crew")).toEqual(rows);
  const text = (await w.run("crew", { ttyOut: true })).stdout;
  expect(text).toContain("m1 leads 2:\ntask  worker  agent  state");
  expect(text).toContain("\n  on trunk, 2 files changed\n  says: [31mDone 1 now\n");
  expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  expect(text).not.toContain("\u001b");
});

test("in a worktree on record git is not run once its .git leads elsewhere", async () => {
  const git = (...words: string[]) =>
    expect(Bun.spawnSync(["git", "-C", w.work, "-c", "user.name=n", "-c", "user.email=e", ...words], { env: w.env }).exitCode).toBe(0);
  git("init", "-q");
  git("commit", "-q", "--allow-empty", "-m", "m");
  const path = join(realpathSync(w.dir), "tree");
  git("worktree", "add", "-q", "-b", "side", path);
  await crew(1, path);
  const common = join(realpathSync(w.work), ".git");
  const tree = {
    id: "worktree-1",
    worker: "w1",
    task_id: null,
    state: "made",
    path,
    common,
    gitdir: join(common, "worktrees", "tree"),
  } as const;
  const made = {
    branch: "refs/heads/side",
    branch_made: true,
    base_ref: "HEAD",
    base_branch: null,
    base_commit: "0",
    setup: null,
  } as const;
  recordWorktree(w.store(), { ...tree, ...made, made_at: w.store().now(), removed_at: null, kept_ref: null, holder: null });
  expect((await w.ok("crew m1"))[0]).toMatchObject({ branch: "side", changed_files: 0 });
  writeFileSync(join(path, ".git"), `gitdir: ${common}\n`);
  expect((await w.ok("crew m1"))[0]).toMatchObject({ branch: null, changed_files: null });
});

test("outside of a repository, and with nobody bound, nothing is made up", async () => {
  expect(await w.ok("crew")).toEqual([]);
  expect((await w.run("crew", { ttyOut: true })).stdout).toBe(`Nobody works for a manager, as the records in ${w.stateRoot} know.\n`);
  await crew(1);
  expect((await w.ok("crew m1"))[0]).toMatchObject({ branch: null, changed_files: null, files: [], last_words: null, turn: "none" });
  w.store().db.run("update sessions set pid = 4194305 where name = 'w1'");
  expect((await w.ok("crew m1"))[0]).toMatchObject({ alive: false, waits_for: { kind: "gone", text: "w1 no longer runs" } });
});

test("what is so of the manager is told once, in the first of its tasks", async () => {
  await crew(3);
  w.store().db.run("update sessions set pid = 4194305 where name = 'm1'");
  const gone = async () => (await w.ok("attention --json")).items.filter(({ kind }: any) => kind === "gone");
  expect((await gone()).map(({ session, task }: any) => `${session} ${task}`)).toEqual(["m1 t1"]);
  await w.ok("unbind --task t1");
  expect((await gone()).map(({ session, task }: any) => `${session} ${task}`)).toEqual(["m1 t2"]);
});

test("wait crew:M names the task whose message came; the manager itself works on none of them alone", async () => {
  const { workers } = await crew(2);
  const { cursor } = (await w.run("wait crew:m1 --until message --timeout 0")).json();
  await endTurns([workers[0]!]);
  const first = await w.ok(["wait", "crew:m1", "--until", "message", "--since", cursor, "--timeout", "5"]);
  expect(first).toMatchObject({ reason: "message", target: "t1", task: "t1" });
  workers[1]!.append(event({ type: "task_complete", turn_id: "z", last_agent_message: "m" }, 9));
  await w.ok("dispatch --once --ingest");
  const second = await w.ok(["wait", "crew:m1", "--until", "message", "--since", first.cursor, "--timeout", "5"]);
  expect(second).toMatchObject({ reason: "message", target: "t2", task: "t2" });
  expect(await w.ok("wait m1 --until message --timeout 0")).toMatchObject({ task: null, target: "m1" });
  const refused = await w.run("wait m1 --until done");
  expect(refused.stderr).toContain('manager "m1" leads tasks "t1", "t2"\nhint: wait for all of them: crew:m1');
});

test("what a manager uses while it leads several counts for none of them, and for its one task before and after", async () => {
  const { manager } = await crew(1);
  const took = async (): Promise<Record<string, number>> => {
    await w.ok("ingest m1");
    const rows = w.rows<{ name: string | null; n: number }>(
      "select t.name, total_tokens as n from token_totals left join tasks t on t.id = task_id",
    );
    return Object.fromEntries(rows.map(({ name, n }) => [name ?? "-", n]));
  };
  manager.append(tokens(100));
  expect(await took()).toEqual({ t1: 100 });
  await session("worker", "w2", 2);
  await w.ok("tasks --create t2 --goal g");
  await w.ok("bind --task t2 --worker w2 --manager m1 --crew");
  manager.append(tokens(150));
  expect(await took()).toEqual({ t1: 100, "-": 50 });
  await w.ok("unbind --task t1");
  w.clock += 1000;
  manager.append(tokens(170));
  expect(await took()).toEqual({ t1: 100, "-": 50, t2: 20 });
});

test("events of a manager that leads several are written to none of its tasks; limits names all of them", async () => {
  await crew(2);
  expect((await w.run("deregister m1")).stderr).toContain('session "m1" is bound to tasks "t1", "t2"');
  expect(w.rows("select task_id from events where type = 'session_deregister_failed'")).toEqual([{ task_id: null }]);
  const [account] = (await w.ok("limits --json")).accounts;
  const of = (name: string) => account.sessions.find(({ session }: any) => session === name);
  expect(of("m1")).toMatchObject({ task: null, tasks: ["t1", "t2"] });
  expect(of("w1")).toMatchObject({ task: "t1", tasks: ["t1"] });
});

test("a crew of a manager that was found dead is bound again as a whole, and one that has led others since is not", async () => {
  await crew(2);
  w.store().db.run("update sessions set pid = 4194305 where name = 'm1'");
  await w.ok("reconcile --apply");
  expect(w.rows("select distinct state from bindings")).toEqual([{ state: "invalid" }]);
  const { reviveBinding, waitingBindings } = await import("../../../src/store/sessions/revivable.ts");
  const store = w.store();
  store.db.run("update sessions set state = 'active'");
  expect(waitingBindings(store).map((each) => reviveBinding(store, each))).toEqual([true, true]);
  await w.ok("unbind --task t2");
  store.db.run("update bindings set state = 'invalid', ended_at = ? where state = 'active'", [store.now()]);
  await w.ok("bind --task t2 --worker w2 --manager m1");
  expect(waitingBindings(store).map((each) => reviveBinding(store, each))).toEqual([false, false]);
});
