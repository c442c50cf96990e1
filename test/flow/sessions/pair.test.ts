/** Pairs of real Codex sessions in one folder: every session its own thread, also beside a shared daemon and under one. */
import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { alive } from "../../../src/system/processes/processes.ts";
import { newSession } from "../../../src/system/terminal/sessions.ts";
import { CodexWorld } from "../../codex-world.ts";
import { until } from "../../harness.ts";

const pairWords = (world: CodexWorld, task: string, more: string[] = []) => [
  "pair",
  "--task",
  task,
  "--task-goal",
  "It works",
  "--task-prompt",
  "Do the work",
  "--worker-name",
  `${task}-w`,
  "--manager-name",
  `${task}-m`,
  "--cwd",
  world.project,
  "--timeout-seconds",
  "40",
  "--no-dispatch",
  ...more,
];

const threadsOf = async (world: CodexWorld, ...tasks: string[]): Promise<string[]> => {
  const threads: string[] = [];
  for (const task of tasks) {
    const { worker, manager } = await world.ok(pairWords(world, task));
    expect((await world.saidTo(worker.codex_session_id))[0]).toStartWith("Do the work");
    expect((await world.saidTo(manager.codex_session_id))[0]).toContain(`Task: ${task}`);
    threads.push(worker.codex_session_id, manager.codex_session_id);
  }
  return threads;
};

describe("beside a shared daemon", () => {
  const world = new CodexWorld();
  afterAll(() => world.close());

  test("two pairs in one folder are four threads with four processes", async () => {
    await newSession(world.env, {
      name: "somebody",
      cwd: world.project,
      argv: [join(import.meta.dir, "../../../node_modules/.bin/codex"), "hello from somebody else"],
    });
    await until("the daemon's thread", () => world.rollouts().size > 0, 40);
    await world.ok("tasks --create two --goal g");
    await world.ok(["manager-config", "two", "--acceptance", "It builds"]);
    const threads = await threadsOf(world, "one", "two");
    expect(new Set(threads).size).toBe(4);
    expect(world.rollouts().size).toBe(5);
    const rows = world.rows<{ pid: number }>("select distinct pid from sessions");
    expect(rows).toHaveLength(4);
    expect(rows.every(({ pid }) => alive(pid))).toBe(true);
  }, 120_000);

  test("what a pair leaves on record", async () => {
    expect(
      world.rows(
        "select t.name, t.state, b.state as binding, r.name as run, r.status from tasks t join bindings b on b.task_id = t.id join runs r on r.task_id = t.id order by t.name",
      ),
    ).toEqual([
      { name: "one", state: "candidate", binding: "active", run: "one-pair", status: "active" },
      { name: "two", state: "candidate", binding: "active", run: "two-pair", status: "active" },
    ]);
    // The acceptance list that was configured before the pair, although the pair gave none.
    expect(
      world.rows("select t.name, c.criterion, c.status, c.source from acceptance_criteria c join tasks t on t.id = c.task_id"),
    ).toEqual([{ name: "two", criterion: "It builds", status: "accepted", source: "manager_inferred" }]);
    const types = world.rows<{ event_type: string }>(
      "select event_type from telemetry_events where event_type like 'pair_%' and task_id = (select id from tasks where name = 'one') order by rowid",
    );
    expect(types.map((row) => row.event_type)).toEqual([
      "pair_started",
      "pair_task_resolved",
      "pair_manager_config_seeded",
      "pair_worker_spawned",
      "pair_manager_spawned",
      "pair_binding_created",
      "pair_run_created",
    ]);
  });

  test("a task that is bound, and names that are taken, are refused before anything starts", async () => {
    const sessions = () => Bun.spawnSync(["tmux", "list-sessions"], { env: world.env }).stdout.toString().split("\n").length;
    const before = sessions();
    expect((await world.run(pairWords(world, "one"))).stderr).toContain("already bound");
    const taken = await world.run([
      "pair",
      "--task",
      "three",
      "--task-goal",
      "g",
      "--worker-name",
      "new-w",
      "--manager-name",
      "one-m",
      "--no-dispatch",
    ]);
    expect(taken.stderr).toContain("registered already");
    expect(world.rows("select count(*) as n from tasks")).toEqual([{ n: 2 }]);
    expect(sessions()).toBe(before);
  });
});

describe("under a shared daemon, with a Codex that knows no other way", () => {
  const world = new CodexWorld();
  afterAll(() => world.close());

  test("the whole first prompt, the folder and the start tell the threads apart", async () => {
    const real = join(import.meta.dir, "../../../node_modules/.bin/codex");
    const bin = join(world.dir, "bin", "codex");
    mkdirSync(join(world.dir, "bin"));
    writeFileSync(bin, `#!/bin/sh\nif [ "$1" = "--help" ]; then echo "no such flag here"; exit 0; fi\nexec ${real} "$@"\n`);
    chmodSync(bin, 0o755);
    world.env.PATH = `${world.dir}/bin:${world.env.PATH}`;
    const threads = await threadsOf(world, "one", "two");
    expect(new Set(threads).size).toBe(4);
    const nudged = await world.ok(["session-nudge", "one-w", "to the first worker"]);
    // The server writes several conversations, and its client may show any of them: no key is pressed there.
    expect(nudged).toMatchObject({ transport: "codex_queue", proof: "seen" });
    expect(world.userTexts(threads[0]!)).toContain("to the first worker");
    expect(world.userTexts(threads[2]!)).not.toContain("to the first worker");
  }, 120_000);

  test("of two sessions with the same first words no thread is ever taken twice: whoever cannot tell refuses", async () => {
    const words = (name: string) => [
      "start-worker",
      "--name",
      name,
      "--cwd",
      world.project,
      "--task",
      "the same words",
      "--timeout-seconds",
      "6",
    ];
    const [one, two] = await Promise.all([world.run(words("twin-1")), world.run(words("twin-2"))]);
    const both = [one, two].filter((each) => each.exit === 0).map((each) => each.json().codex_session_id);
    expect(new Set(both).size).toBe(both.length);
    // Seen while looking, or, when both threads appeared one after the other, at the registration itself.
    const refusals =
      /threads began with this prompt in this folder|was registered as "twin-[12]" meanwhile: two sessions began with the same words/;
    for (const each of [one, two]) if (each.exit !== 0) expect(each.stderr).toMatch(refusals);
    expect(
      world
        .rows("select codex_session_id from sessions where name like 'twin-%'")
        .map((row) => row.codex_session_id)
        .sort(),
    ).toEqual(both.sort());
  }, 60_000);
});

describe("in a folder that Codex does not trust yet", () => {
  const world = new CodexWorld(undefined, { trusted: false });
  afterAll(() => world.close());

  test("without --accept-trust the pair says what it needs, answers nothing and leaves no session on record", async () => {
    const asking = ["--sandbox", "workspace-write", "--ask-for-approval", "on-request", "--manager-model", "gpt-5"];
    const refused = await world.run(pairWords(world, "one", asking));
    expect(refused).toMatchObject({ exit: 1, stdout: "" });
    expect(refused.stderr).toContain("Codex asks whether to trust the folder");
    expect(refused.stderr).toContain("--accept-trust");
    expect(refused.stderr).toContain("tmux attach -t codex-one-w, answer what it asks, submit something, then conveyor register-worker");
    // In the same folder, and with no more rights than were asked for.
    expect(refused.stderr).toEndWith(
      "once one-w is registered, go on with conveyor start-manager --name one-m --task one --worker one-w " +
        `--cwd ${world.project} --model gpt-5 --sandbox workspace-write --ask-for-approval on-request ` +
        "and conveyor bind --task one --worker one-w --manager one-m\n",
    );
    expect(await world.ok("sessions --state all")).toEqual([]);
    expect(world.rollouts().size).toBe(0);
  });

  test("with it both start, and neither loses its first words", async () => {
    const done = await world.run(pairWords(world, "two", ["--accept-trust"]), { ttyErr: true });
    // To a person who waits, and to nobody else.
    expect(done).toMatchObject({
      exit: 0,
      stderr:
        "starting Codex as worker two-w, in tmux session codex-two-w …\nstarting Codex as manager two-m, in tmux session codex-two-m …\n" +
        "two-m leads two-w on task two\n  how all stand: conveyor crew two-m\n  what needs you: conveyor attention\n" +
        "  the worker's terminal: conveyor open-worker two\n",
    });
    const { worker, manager } = done.json();
    expect((await world.saidTo(worker.codex_session_id))[0]).toStartWith("Do the work");
    expect((await world.saidTo(manager.codex_session_id))[0]).toContain("Task: two");
    expect(world.rollouts().size).toBe(2);
  }, 90_000);
});
