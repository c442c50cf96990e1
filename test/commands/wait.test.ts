/** The words of `wait`: what it takes, what it refuses and how, and what it prints. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeCursor } from "../../src/core/attention/cursor.ts";
import { until, World } from "../harness.ts";
import { boundPair, event, meta } from "../rollout.ts";
import { MAIN } from "../served-world.ts";

const w = new World();
beforeAll(async () => {
  w.realTime = true;
  await boundPair(w, { worker: meta() + event({ type: "task_started", turn_id: "a" }) + event({ type: "task_complete", turn_id: "a" }) });
});
afterAll(() => w.close());

const refused = async (words: string): Promise<{ exit: number; said: string; out: string }> => {
  const { exit, stderr, stdout } = await w.run(`wait ${words}`);
  return { exit, said: stderr, out: stdout };
};

describe("usage", () => {
  test.each([
    ["w1 --until idel", 'unknown reason "idel". Did you mean idle?'],
    ["w1 --until idle,,done", 'unknown reason ""'],
    ["w1 --until idle,crash", 'unknown reason "crash". Did you mean crashed?'],
    ["w1", "--until is required"],
    ["w1 --until idle --any --all", "--any and --all exclude each other"],
    ["w1 --until idle --timeout -1", "--timeout"],
    ["w1 --until idle --timeout soon", "--timeout"],
  ])("%s", async (words, said) => {
    const done = await refused(words);
    expect([done.exit, done.out]).toEqual([2, ""]);
    expect(done.said).toContain("usage: conveyor wait [TARGET");
    expect(done.said).toContain(said);
  });

  test("help tells of the exits, the agents' own limits and the cursor", async () => {
    const help = await w.ok<string>("wait --help");
    for (const word of ["3 the time was up", "130", "120 s", "--since CURSOR", "crew:MANAGER"])
      expect(help.replace(/\s+/g, " ")).toContain(word);
  });
});

describe("names and cursors", () => {
  test.each([
    ["w2 --until idle", 'there is no session and no task "w2". Did you mean w1?'],
    ["crew:w1 --until idle", '"w1" is a worker'],
    ["crew:m2 --until idle", 'unknown session "m2". Did you mean m1?'],
    ["w1 --until idle --since nonsense", "is no cursor"],
  ])("%s", async (words, said) => {
    const done = await refused(words);
    expect([done.exit, done.out]).toEqual([1, ""]);
    expect(done.said).toContain(said);
    expect(done.said.trim().split("\n")).toHaveLength(2);
    expect(done.said).toContain("hint: ");
  });

  test("a cursor of another database, and one of a later state of this one", async () => {
    const other = new World();
    try {
      other.realTime = true;
      await boundPair(other);
      const { cursor } = (await other.run("wait t1 --until failed --timeout 0")).json();
      expect(await refused(`t1 --until idle --since ${cursor}`)).toMatchObject({
        exit: 1,
        said: expect.stringContaining("of another database"),
      });
    } finally {
      other.close();
    }
    const { cursor } = await w.ok("wait t1 --until idle");
    const [, database] = cursor.split(".");
    const later = writeCursor({ database, record: 1e6, message: 0, event: 0, known: new Set(), coming: new Set() });
    expect(await refused(`t1 --until idle --since ${later}`)).toMatchObject({ exit: 1, said: expect.stringContaining("of a later state") });
  });

  test("a name that a session and a task have is refused with both ids, and each id is taken", async () => {
    await w.ok(["tasks", "--create", "w1", "--goal", "called like a session"]);
    const done = await refused("w1 --until idle");
    expect([done.exit, done.out]).toEqual([1, ""]);
    const [, session, task] = /: (\S+) is the session, (\S+) the task/.exec(done.said)!;
    expect(await w.ok(["wait", session!, "--until", "idle"])).toMatchObject({ reason: "idle" });
    expect((await w.run(["wait", task!, "--until", "done", "--timeout", "0"])).exit).toBe(3);
    w.store().db.query("update tasks set state = 'failed' where id = ?").run(task!);
    w.store().db.query("update tasks set name = 'w0' where id = ?").run(task!);
  });

  test("what can never come to pass is refused and not waited for", async () => {
    expect(await refused("w0 --until idle")).toMatchObject({ exit: 1, said: expect.stringContaining("only done can be waited for") });
    const none = new World();
    try {
      const done = await none.run("wait --until idle");
      expect([done.exit, done.stdout]).toEqual([1, ""]);
      expect(done.stderr).toContain("no task has an open binding");
    } finally {
      none.close();
    }
  });
});

test("reached: exit 0 and the fact with a cursor; the time up: exit 3, no reason, and a cursor as well", async () => {
  const reached = await w.run("wait t1 --until idle");
  expect(reached.exit).toBe(0);
  const { facts, ...rest } = reached.json();
  expect(rest).toEqual({
    reason: "idle",
    target: "t1",
    task: "t1",
    cursor: expect.stringMatching(/^w1\./),
    elapsed_seconds: expect.any(Number),
    timed_out: false,
  });
  expect(facts).toMatchObject([{ reason: "idle", session: "w1", still: true, details: { turn: "completed", now: { turn: "completed" } } }]);
  const up = await w.run(["wait", "t1", "--until", "idle", "--since", rest.cursor, "--timeout", "0"]);
  expect(up.exit).toBe(3);
  expect(up.json()).toMatchObject({
    reason: null,
    target: null,
    task: null,
    facts: [],
    timed_out: true,
    cursor: expect.stringMatching(/^w1\./),
  });
});

test("at a terminal a sentence, and how to go on", async () => {
  const { stdout, exit } = await w.run(["wait", "t1", "--until", "idle,failed", "--timeout", "0", "--path", w.dbPath], { ttyOut: true });
  expect(exit).toBe(0);
  const [said, next] = stdout.trim().split("\n");
  expect(said).toBe("w1 has ended a turn (completed)");
  const since = next!.replace("what comes after this: conveyor ", "");
  // Where these records are found anyway they are not named.
  expect(since).toStartWith("wait t1 --until idle,failed --timeout 0 --since w1.");
  const again = await w.run(since, { ttyOut: true });
  expect([again.exit, again.stdout.split("\n")[0]]).toEqual([3, expect.stringContaining("nothing of that came")]);
  const env = { WORKERCTL_STATE_ROOT: `${w.dir}/elsewhere` };
  const elsewhere = await w.run(`wait t1 --until idle --path ${w.dbPath}`, { ttyOut: true, env });
  expect(elsewhere.stdout).toContain(`conveyor wait t1 --until idle --path ${w.dbPath} --since w1.`);
});

test("without a target every open binding is one, and its task is named", async () => {
  expect(await w.ok("wait --until idle")).toMatchObject({ reason: "idle", target: "t1", task: "t1" });
  expect(await w.ok("wait crew:m1 --until idle")).toMatchObject({ reason: "idle", target: "t1", task: "t1" });
});

/** Whether the process listens for SIGINT, which has the second bit. */
const listens = (pid: number): boolean => /^SigCgt:\s+\S*[2367abef]$/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));

test.skipIf(process.platform !== "linux")("an interrupt ends it with 130, and it prints nothing", async () => {
  const child = Bun.spawn([...MAIN, "wait", "t1", "--until", "failed"], { env: w.env, cwd: w.work, stdout: "pipe", stderr: "ignore" });
  await until("its ears", () => listens(child.pid));
  child.kill("SIGINT");
  expect(await child.exited).toBe(130);
  expect(await new Response(child.stdout).text()).toBe("");
});
