/** The other starts asked to end, terminals that are closed, and what is said to whoever asks twice. */
import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { quoteCommand } from "../../../src/core/shell.ts";
import { environmentOf, listProcesses } from "../../../src/system/processes/processes.ts";
import { CodexWorld } from "../../codex-world.ts";
import { until } from "../../harness.ts";
import { screenOf, tmux } from "../../panes.ts";
import { agentProcesses, agentTerminals, expectNothingLeft, type Moment, PAIR, struck } from "./struck.ts";

const MAIN = resolve(import.meta.dir, "../../../src/main.ts");
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const single = (w: CodexWorld, role: string, name: string) => [
  `start-${role}`,
  "--name",
  name,
  "--cwd",
  w.project,
  "--timeout-seconds",
  "60",
];

const LAUNCHING: readonly Moment[] = [
  { tmux: "new-session", nth: 1, when: "before" },
  { tmux: "new-session", nth: 1, when: "after" },
  { tmux: "capture-pane", nth: 1, when: "before" },
  { tmux: "capture-pane", nth: 1, when: "after" },
  { tmux: "remain-on-exit off", nth: 1, when: "before" },
  { records: "select 1 from sessions where state = 'active'" },
];

for (const role of ["worker", "manager"]) {
  describe(`start-${role}`, () => {
    const world = new CodexWorld();
    afterAll(() => world.close());

    test("ends what it began, whichever signal comes when, and its name is free afterwards", async () => {
      for (const [at, moment] of LAUNCHING.entries()) {
        const done = await struck(world, single(world, role, "s1"), SIGNALS[at % 3]!, moment);
        expect(done).toMatchObject({ exit: 1, stdout: "" });
        expect(done.stderr).toEndWith("conveyor: it was interrupted: tmux session codex-s1 was ended\n");
        await expectNothingLeft(world);
      }
      expect(world.rows("select type from events where type in ('session_start_ended', 'session_stopped') order by id")).toEqual([
        ...Array(LAUNCHING.length - 1).fill({ type: "session_start_ended" }),
        { type: "session_stopped" },
      ]);
      expect((await world.ok(single(world, role, "s1"))).name).toBe("s1");
    }, 240_000);
  });
}

describe("the starts of sessions that are on no record", () => {
  const world = new CodexWorld();
  afterAll(() => world.close());

  test("start ends its tmux session and leaves no file", async () => {
    const words = ["start", "raw", "--cwd", world.project];
    for (const [at, when] of (["before", "after", "before"] as const).entries()) {
      const done = await struck(world, words, SIGNALS[at]!, { tmux: "new-session", nth: 1, when });
      expect(done).toMatchObject({ exit: 1, stdout: "" });
      expect(done.stderr).toBe(
        "conveyor: interrupted, ending tmux session raw; interrupted again it leaves that running, to be ended with tmux kill-session -t '=raw'\n" +
          "conveyor: it was interrupted: tmux session raw was ended\n",
      );
      expect([agentTerminals(world), await agentProcesses(world)]).toEqual([[], []]);
      expect(existsSync(join(world.stateRoot, "artifacts", "start-prompts", "raw.md"))).toBe(false);
    }
    expect(await world.ok(words)).toMatchObject({ session: "raw" });
    tmux(world, "kill-session", "-t", "=raw");
  }, 120_000);

  test("create and start-test end the terminal, and the same command works afterwards without --reuse", async () => {
    const create = ["create", "c1", "--cwd", world.project, "--wait-ready", "--json"];
    const moments: readonly [readonly string[], Moment][] = [
      [create, { records: "select 1 from workers where state = 'candidate'" }],
      [create, { tmux: "new-session", nth: 1, when: "before" }],
      [create, { tmux: "new-session", nth: 1, when: "after" }],
      [create, { records: "select 1 from workers where state = 'active'" }],
      [create, { tmux: "capture-pane", nth: 1, when: "after" }],
      [["start-test", "c1", "--cwd", world.project, "--json"], { tmux: "capture-pane", nth: 2, when: "before" }],
    ];
    for (const [at, [words, moment]] of moments.entries()) {
      const done = await struck(world, words, SIGNALS[at % 3]!, moment);
      expect(done).toMatchObject({ exit: 1, stdout: "" });
      expect(done.stderr).toMatch(/conveyor: it was interrupted: .*(was ended|runs)\n$/);
      await expectNothingLeft(world);
      expect(world.rows("select state, exit_reason from workers")).toEqual([{ state: "stopped", exit_reason: "start_interrupted" }]);
    }
    expect(await world.ok([...create, "--stop-after"])).toMatchObject({ name: "c1", startup: expect.stringMatching(/ready|working/) });
    // What came to its end is no start any more, and its name is taken.
    expect((await world.run(create)).stderr).toContain("exists already");
  }, 240_000);
});

test("a pair on a task that was there leaves its settings and criteria as they were", async () => {
  const world = new CodexWorld();
  try {
    await world.ok(["tasks", "--create", "t1", "--goal", "g"]);
    const words = [...PAIR(world), "--manager-objective", "another", "--manager-acceptance", "a new one", "--manager-mode", "strict"];
    const settings = () => [
      world.rows("select * from manager_configs"),
      world.rows("select * from acceptance_criteria"),
      world.rows("select state from tasks"),
    ];
    const strike = async () => {
      const done = await struck(world, words, "SIGTERM", { tmux: "new-session", nth: 1, when: "after" });
      expect(done.stderr).toEndWith("it was interrupted: tmux session codex-w1 was ended\n");
    };
    await strike();
    expect(settings()).toEqual([[], [], [{ state: "candidate" }]]);
    await world.ok(["manager-config", "t1", "--objective", "as before", "--acceptance", "an old one", "--mode", "light"]);
    const before = settings();
    await strike();
    expect(settings()).toEqual(before);
    expect(world.rows("select count(*) as n from events where type = 'manager_config_taken_back'")).toEqual([{ n: 2 }]);
  } finally {
    await world.close();
  }
}, 120_000);

describe("a terminal in which pair runs", () => {
  let w: CodexWorld;
  beforeEach(() => void (w = new CodexWorld()));
  afterEach(() => w.close());

  /** Runs the words in the pane of a person, who is told the exit code. */
  const person = (words: readonly string[]): string => {
    const script = `trap : INT; ${quoteCommand(words)} >${w.dir}/out; echo "exit code $?"; exec cat`;
    tmux(w, "new-session", "-d", "-s", "person", "-x", "250", "-y", "50", "sh", "-c", script);
    return tmux(w, "list-panes", "-t", "=person:", "-F", "#{pane_id}").trim();
  };
  const pair = () => [process.execPath, MAIN, ...PAIR(w)];
  const isRunning = async (): Promise<boolean> =>
    ((await listProcesses(w.env)) ?? []).some(
      ({ pid }) => environmentOf(pid, "TMUX_PANE") === pane && environmentOf(pid, "HOME") === w.env.HOME,
    );
  let pane = "";

  test("is closed while the worker starts: nothing is left, and the same command works", async () => {
    pane = person(pair());
    await until("the worker's process", async () => agentTerminals(w).length > 0 && (await agentProcesses(w)).length > 0, 60);
    tmux(w, "kill-pane", "-t", pane);
    await until("its end", async () => !(await isRunning()), 60);
    await expectNothingLeft(w);
    const { dispatch } = await w.ok(PAIR(w));
    process.kill(dispatch.pid, "SIGTERM");
  }, 240_000);

  test("is closed between the start of the worker and that of the manager", async () => {
    pane = person(pair());
    await until("the manager's start", () => agentTerminals(w).includes("codex-m1"), 90);
    tmux(w, "kill-pane", "-t", pane);
    await until("its end", async () => !(await isRunning()), 60);
    await expectNothingLeft(w);
  }, 240_000);

  test("takes Ctrl-C, also through a wrapper such as npm's", async () => {
    const wrapper = join(w.dir, "wrapper.mjs");
    writeFileSync(
      wrapper,
      `import { spawn } from "node:child_process";
       process.on("SIGINT", () => {});
       spawn(process.argv[2], process.argv.slice(3), { stdio: "inherit" }).on("exit", (code, signal) => process.exit(code ?? 99));`,
    );
    for (const words of [pair(), ["node", wrapper, ...pair()]]) {
      pane = person(words);
      await until("the worker's process", async () => agentTerminals(w).length > 0 && (await agentProcesses(w)).length > 0, 60);
      tmux(w, "send-keys", "-t", pane, "C-c");
      await until("its end", () => screenOf(w, "person").includes("exit code"), 60);
      expect(screenOf(w, "person")).toContain("exit code 1");
      expect(screenOf(w, "person")).toContain("conveyor: it was interrupted: tmux session codex-w1 was ended");
      await expectNothingLeft(w);
      tmux(w, "kill-session", "-t", "=person");
    }
  }, 240_000);
});

describe("moments in which something else goes on", () => {
  for (const when of ["before", "after"] as const) {
    test(`while the trust page stands, ${when} it is answered`, async () => {
      const world = new CodexWorld(undefined, { trusted: false });
      try {
        const words = [...single(world, "worker", "s1"), "--accept-trust", "--task", "hello"];
        const done = await struck(world, words, "SIGINT", { tmux: "send-keys", nth: 1, when });
        expect(done).toMatchObject({ exit: 1, stdout: "" });
        await expectNothingLeft(world);
        expect(await world.ok(words)).toMatchObject({ name: "s1" });
      } finally {
        await world.close();
      }
    }, 180_000);
  }

  test("while first words on their way by a file are not read yet", async () => {
    const world = new CodexWorld();
    try {
      // A tmux that never makes the session: nobody is there to remove the file.
      const words = [...single(world, "worker", "s1"), "--task", "long ".repeat(4000)];
      const done = await struck(world, words, "SIGTERM", { tmux: "new-session", nth: 1, when: "instead" });
      expect(done.stderr).toEndWith("conveyor: it was interrupted: nothing that it had begun runs\n");
      await expectNothingLeft(world);
      const prompts = join(world.stateRoot, "artifacts", "launch-prompts");
      expect(existsSync(prompts) ? readdirSync(prompts) : []).toEqual([]);
    } finally {
      await world.close();
    }
  }, 60_000);

  test("a second request ends it at once: what runs was told, with the command that ends it", async () => {
    const world = new CodexWorld();
    try {
      const begun: Moment = { tmux: "new-session", nth: 1, when: "after" };
      // The pane is never ended: the second signal comes in its place.
      const done = await struck(world, single(world, "worker", "s1"), "SIGTERM", begun, {
        tmux: "if-shell",
        nth: 1,
        when: "instead",
        signal: "SIGINT",
      });
      expect(done).toMatchObject({ signal: "SIGINT", stdout: "" });
      expect(done.stderr).toBe(
        "conveyor: interrupted, ending tmux session codex-s1; interrupted again it leaves that running, to be ended with conveyor stop s1\n",
      );
      expect(agentTerminals(world)).toEqual(["codex-s1"]);
      expect((await world.ok("reconcile")).next_commands).toEqual(["conveyor stop s1"]);
      expect(await world.ok("stop s1 --json")).toMatchObject({ killed_session: true });
      await expectNothingLeft(world);
    } finally {
      await world.close();
    }
  }, 120_000);

  test("a start that is under way is not begun a second time, and ends when it is told to", async () => {
    const world = new CodexWorld(undefined, { trusted: false });
    try {
      // The trust page is not seen, since tmux does not answer for the screen: it waits.
      const first = struck(world, single(world, "worker", "s1"), "SIGTERM", { tmux: "capture-pane", nth: 1, when: "held" });
      await until("the terminal", () => agentTerminals(world).length > 0, 60);
      const second = await world.run(single(world, "worker", "s1"));
      expect(second.stderr).toMatch(
        /is being started already, by process \d+\nhint: wait for it, or have it end what it began: kill \d+\n/,
      );
      process.kill(Number(/kill (\d+)/.exec(second.stderr)![1]), "SIGTERM");
      expect((await first).stderr).toEndWith("conveyor: it was interrupted: tmux session codex-s1 was ended\n");
      await expectNothingLeft(world);
    } finally {
      await world.close();
    }
  }, 120_000);
});
