/** Registering, listing, binding, deregistering and discovering sessions. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { World } from "../../harness.ts";

const THREAD = "11111111-1111-4111-8111-111111111111";
let w: World;
beforeEach(() => {
  w = new World();
});
afterEach(() => w.close());

const rollout = (id = THREAD, cwd = "/somewhere") =>
  w.file(
    `codex/sessions/2026/05/11/rollout-2026-05-11T14-00-00-${id}.jsonl`,
    `${JSON.stringify({ type: "session_meta", payload: { id, cwd } })}\nnot json`,
  );
const register = async (role: string, name: string, extra: string[] = []) =>
  w.ok([`register-${role}`, "--name", name, "--pid", String(process.pid), "--codex-session", await rollout(crypto.randomUUID()), ...extra]);

describe("register", () => {
  test("by path, with the folder of the rollout; again under the same name it keeps id and token and revives", async () => {
    const first = await register("worker", "w1");
    expect(first).toMatchObject({
      name: "w1",
      role: "worker",
      cwd: "/somewhere",
      tmux_session: null,
      communication: { session_kind: "codex_app", delivery_mode: "pull_required" },
    });
    const [before] = await w.ok("sessions");
    await w.ok("deregister w1");
    const again = await register("worker", "w1", ["--tmux-session", "codex-w1"]);
    expect(again.session_id).toBe(first.session_id);
    const [after] = await w.ok("sessions");
    expect(after).toMatchObject({
      state: "active",
      identity_token: before.identity_token,
      registered_at: before.registered_at,
      tmux_session: "codex-w1",
    });
  });

  test("by thread id", async () => {
    const path = await rollout();
    expect(await w.ok(["register-worker", "--name", "w1", "--pid", "1", "--codex-session", THREAD])).toMatchObject({
      codex_session_path: path,
      codex_session_id: THREAD,
    });
    const ghost = await w.run("register-worker --name w2 --pid 1 --codex-session 22222222-2222-4222-8222-222222222222");
    expect(ghost).toMatchObject({ exit: 1, stdout: "" });
    expect(ghost.stderr).toContain("22222222");
  });

  test("the other role's name is refused and the row stays", async () => {
    await register("worker", "x");
    const before = w.rows("select * from sessions");
    const refused = await w.run(["register-manager", "--name", "x", "--pid", "1", "--codex-session", await rollout()]);
    expect(refused.exit).toBe(1);
    expect(refused.stderr).toContain("registered as worker");
    expect(w.rows("select * from sessions")).toEqual(before);
  });

  test("warns when process or tmux session are not there", async () => {
    const done = await w.run([
      "register-worker",
      "--name",
      "w1",
      "--pid",
      "4194000",
      "--codex-session",
      await rollout(),
      "--tmux-session",
      "nowhere",
    ]);
    expect(done.exit).toBe(0);
    expect(done.stderr).toContain("4194000");
    expect(done.stderr).toContain("nowhere");
  });

  test("--self takes the thread of CODEX_THREAD_ID, owned by an ancestor that holds its rollout open, and never guesses", async () => {
    const path = await rollout();
    const outside = await w.run("register-worker --name w1 --self");
    expect(outside.exit).toBe(1);
    expect(outside.stderr).toContain("CODEX_THREAD_ID");
    const unowned = await w.run("register-worker --name w1 --self", { env: { CODEX_THREAD_ID: THREAD } });
    expect(unowned.exit).toBe(1);
    const main = join(import.meta.dir, "..", "..", "..", "src", "main.ts");
    const inside = Bun.spawnSync(
      ["bash", "-c", `exec 3>>"$1"; "$2" "$3" register-worker --name w1 & wait $!`, "x", path, process.execPath, main],
      {
        env: { ...w.env, CODEX_THREAD_ID: THREAD },
        cwd: w.work,
      },
    );
    expect(JSON.parse(inside.stdout.toString())).toMatchObject({
      codex_session_id: THREAD,
      codex_session_path: path,
      pid: expect.any(Number),
      tmux_session: null,
    });
  });

  test("two open rollouts in one process are not chosen between", async () => {
    const paths = [await rollout(), await rollout("22222222-2222-4222-8222-222222222222")];
    const holder = Bun.spawn(["bash", "-c", 'exec 3>>"$1" 4>>"$2"; echo ready; read -r _', "x", ...paths], {
      stdin: "pipe",
      stdout: "pipe",
    });
    await holder.stdout.getReader().read();
    const done = await w.run(`register-worker --name w1 --pid ${holder.pid}`);
    holder.kill();
    expect(done.exit).toBe(1);
    for (const path of paths) expect(done.stderr).toContain(path);
    expect(await w.ok("sessions --state all")).toEqual([]);
  });
});

describe("bind", () => {
  test("refuses what is gone, over or bound, naming it, and leaves nothing", async () => {
    await w.ok("tasks --create t1 --goal g");
    await register("worker", "w1");
    await register("manager", "m1");
    await w.ok("deregister w1");
    expect((await w.run("bind --task t1 --worker w1 --manager m1")).stderr).toContain('"w1" is gone');
    await register("worker", "w1");
    const { binding_id } = await w.ok("bind --task t1 --worker w1 --manager m1");
    expect((await w.run("bind --task t1 --worker w1 --manager m1")).stderr).toContain(binding_id);
    await w.ok("tasks --create t2 --goal g");
    expect((await w.run("bind --task t2 --worker w1 --manager m1")).stderr).toContain('worker "w1" is already bound');
    expect(w.rows("select count(*) as n from bindings")).toEqual([{ n: 1 }]);
    await w.ok("unbind --task t1");
    w.store().db.run("update tasks set state = 'done' where name = 't2'");
    expect((await w.run("bind --task t2 --worker w1 --manager m1")).stderr).toContain("is done");
  });
});

test("discover proposes only sessions that are free, and shows no token", async () => {
  await w.ok("tasks --create t1 --goal g");
  await w.ok("tasks --create t2 --goal g");
  await register("worker", "w1");
  await register("manager", "m1");
  await w.ok("bind --task t1 --worker w1 --manager m1");
  // Names of older records may hold anything; new ones may not.
  for (const name of ["it's w2", "w@host", "w.2", ""])
    expect(
      (await w.run(["register-worker", "--name", name, "--pid", "1", "--codex-session", await rollout(crypto.randomUUID())])).exit,
    ).not.toBe(0);
  await register("worker", "w2");
  w.store().db.run("update sessions set name = 'it''s w2' where name = 'w2'");
  await register("worker", "it's w2");
  expect((await w.ok("discover")).suggestions).toEqual([]);
  await register("manager", "m2");
  const found = await w.run("discover");
  expect(found.json().suggestions).toEqual([
    { kind: "bind", task: "t2", worker: "it's w2", manager: "m2", command: `conveyor bind --task t2 --worker 'it'\\''s w2' --manager m2` },
  ]);
  expect(found.stdout).not.toContain("session-token-");
});

test("a hostile name stays one word of the command that is suggested, and one field of a line", async () => {
  const name = "it's $(id)\n\u001b[31m";
  await w.ok(["tasks", "--create", name, "--goal", "two\nlines"]);
  const refused = await w.run(["unbind", "--task", name]);
  expect(refused.exit).toBe(1);
  expect((await w.run("tasks")).stdout).toBe("it's $(id) [31m\tcandidate\ttwo lines\n");
  await register("worker", "w1");
  await register("manager", "m1");
  await w.ok(["bind", "--task", name, "--worker", "w1", "--manager", "m1"]);
  expect((await w.run("deregister w1")).stderr).toContain(`conveyor unbind --task 'it'\\''s $(id)`);
});

test("an empty filter asks for nothing", async () => {
  await register("worker", "w1");
  expect(await w.ok(["sessions", "--name", ""])).toHaveLength(1);
});

test("a session without tmux whose thread is being written takes pushed messages", async () => {
  const worker = await register("worker", "w1");
  expect(worker.communication).toMatchObject({ can_receive_push: false, delivery_mode: "pull_required" });
  await w.file(`codex/thread-writer-locks/${worker.codex_session_id}.lock`, "");
  const holder = Bun.spawn(
    ["flock", join(w.dir, "codex/thread-writer-locks", `${worker.codex_session_id}.lock`), "sh", "-c", "echo held; exec cat"],
    { stdin: "pipe", stdout: "pipe" },
  );
  try {
    await holder.stdout.getReader().read();
    const live = { can_receive_push: true, delivery_mode: "pull_required", requires_polling: true };
    expect((await w.ok("sessions"))[0].communication).toMatchObject(live);
    expect((await w.ok("discover")).sessions[0].communication).toMatchObject(live);
  } finally {
    // Killing flock would leave the lock with its child.
    await holder.stdin.end();
    await holder.exited;
  }
  expect((await w.ok("sessions"))[0].communication).toMatchObject({ can_receive_push: false });
});
