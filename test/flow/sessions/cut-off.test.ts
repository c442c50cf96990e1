/** `pair` killed where nothing can be done any more: what runs is told, and the same command goes on from there. */
import { describe, expect, test } from "bun:test";
import { CodexWorld } from "../../codex-world.ts";
import { until } from "../../harness.ts";
import { LONG } from "../../long.ts";
import { agentProcesses, agentTerminals, type Moment, PAIR, struck } from "./struck.ts";

/** What is there when the signal has come: the tmux sessions, and which of them the records tell as what. */
interface Left {
  readonly terminals: readonly string[];
  readonly sessions: readonly string[];
  readonly strays: readonly string[];
}

const NOTHING: Left = { terminals: [], sessions: [], strays: [] };
const WORKER_RUNS: Left = { terminals: ["codex-w1"], sessions: [], strays: ["w1"] };
const WORKER: Left = { terminals: ["codex-w1"], sessions: ["w1"], strays: [] };
const MANAGER_RUNS: Left = { terminals: ["codex-m1", "codex-w1"], sessions: ["w1"], strays: ["m1"] };
const BOTH: Left = { terminals: ["codex-m1", "codex-w1"], sessions: ["m1", "w1"], strays: [] };

const MOMENTS: Readonly<Record<string, readonly [Moment, Left]>> = {
  "the task is on record": [{ records: "select 1 from tasks" }, NOTHING],
  "the worker's start is on record": [{ records: "select 1 from unfinished_starts where role = 'worker'" }, NOTHING],
  "tmux is about to make the worker's session": [{ tmux: "new-session", nth: 1, when: "before" }, WORKER_RUNS],
  "tmux has made the worker's session": [{ tmux: "new-session", nth: 1, when: "after" }, WORKER_RUNS],
  "the worker is found": [{ tmux: "remain-on-exit off", nth: 1, when: "before" }, WORKER_RUNS],
  "the worker is registered": [{ records: "select 1 from sessions where role = 'worker'" }, WORKER],
  "tmux is about to make the manager's session": [{ tmux: "new-session", nth: 2, when: "before" }, MANAGER_RUNS],
  "the manager is found": [{ tmux: "remain-on-exit off", nth: 2, when: "after" }, MANAGER_RUNS],
  "the manager is registered": [{ records: "select 1 from sessions where role = 'manager'" }, BOTH],
  "both are bound": [{ records: "select 1 from bindings" }, BOTH],
};

const told = async (w: CodexWorld): Promise<Left> => ({
  terminals: agentTerminals(w),
  sessions: (await w.ok<{ name: string }[]>("sessions")).map(({ name }) => name).sort(),
  strays: (await w.ok("reconcile")).unfinished_starts.map((each: { name: string }) => each.name),
});

describe("pair killed", () => {
  // Every other one; all of them in the long run.
  const moments = Object.entries(MOMENTS).filter((_, index) => LONG !== null || index % 2 === 0);
  for (const [moment, [when, left]] of moments) {
    test(`when ${moment}`, async () => {
      const w = new CodexWorld();
      try {
        expect(await struck(w, PAIR(w), "SIGKILL", when)).toMatchObject({ signal: "SIGKILL", stdout: "" });
        // What tmux was told it does, whatever became of who told it.
        await until("the terminals", () => agentTerminals(w).length === left.terminals.length);
        expect(await told(w)).toEqual(left);
        const before = await agentProcesses(w);
        const { task, worker, manager, dispatch, ...paired } = await w.ok(PAIR(w));
        process.kill(dispatch.pid, "SIGTERM");
        expect({ task: task.name, worker: worker.name, manager: manager.name }).toEqual({ task: "t1", worker: "w1", manager: "m1" });
        // Whoever ran goes on, and nobody was started twice.
        const after = await agentProcesses(w);
        expect(before.filter((pid) => !after.includes(pid))).toEqual([]);
        expect(agentTerminals(w)).toEqual(["codex-m1", "codex-w1"]);
        await w.saidTo(worker.codex_session_id);
        await w.saidTo(manager.codex_session_id);
        expect(w.rollouts().size).toBe(2);
        expect(w.rows("select b.id as binding, r.id as run from bindings b join runs r on r.task_id = b.task_id")).toEqual([
          { binding: paired.binding_id, run: paired.run_id },
        ]);
        expect(w.rows("select name, state from tasks")).toEqual([{ name: "t1", state: "candidate" }]);
        expect(w.rows("select name from unfinished_starts")).toEqual([]);
        expect((await w.run(PAIR(w))).stderr).toContain("already bound");
      } finally {
        await w.close();
      }
    }, 180_000);
  }

  test("create, too, is on record before its terminal is: reconcile tells of it, stop ends it, and the same command works", async () => {
    const w = new CodexWorld();
    try {
      const create = ["create", "c1", "--cwd", w.project, "--wait-ready", "--json"];
      const kill = (moment: Moment, ...more: string[]) => struck(w, [...create, ...more], "SIGKILL", moment);
      expect(await kill({ records: "select 1 from workers" })).toMatchObject({ signal: "SIGKILL" });
      expect(await told(w)).toEqual(NOTHING);
      for (const when of ["before", "after"] as const) {
        // What was stopped is on record as a worker, and is taken over as any.
        await kill({ tmux: "new-session", nth: 1, when }, ...(when === "after" ? ["--reuse"] : []));
        await until("the terminal", () => agentTerminals(w).length === 1);
        expect(await told(w)).toEqual({ terminals: ["codex-c1"], sessions: [], strays: ["c1"] });
        expect((await w.ok("reconcile")).next_commands).toEqual(["conveyor stop c1"]);
        const refused = await w.run(create);
        expect([refused.exit, refused.stderr]).toEqual([
          1,
          'conveyor: tmux session "codex-c1" was left by a start of "c1" that was cut off\nhint: end it first: conveyor stop c1\n',
        ]);
        expect(await w.ok("stop c1 --json")).toMatchObject({ killed_session: true });
        expect([agentTerminals(w), await agentProcesses(w), (await told(w)).strays]).toEqual([[], [], []]);
      }
      await kill({ records: "select 1 from unfinished_starts" }, "--reuse");
      expect(await w.ok(create)).toMatchObject({ name: "c1", tmux_session: "codex-c1" });
      expect(w.rows("select name from unfinished_starts")).toEqual([]);
      await w.ok("stop c1");
    } finally {
      await w.close();
    }
  }, 180_000);

  test("another command than the same is refused with the one that clears it", async () => {
    const w = new CodexWorld();
    try {
      const other = PAIR(w).map((word) => (word === "Do the work" ? "Do something else" : word));
      await struck(w, PAIR(w), "SIGKILL", { tmux: "new-session", nth: 1, when: "after" });
      const refused = await w.run(other);
      expect(refused).toMatchObject({ exit: 1, stdout: "" });
      expect(refused.stderr).toBe(
        'conveyor: tmux session "codex-w1" was left by a start of "w1" that was cut off, and asked for something else\n' +
          "hint: end it first: conveyor stop w1\n",
      );
      expect(await w.ok("stop w1 --json")).toMatchObject({ killed_session: true, tmux_session: "codex-w1" });
      expect([agentTerminals(w), await agentProcesses(w)]).toEqual([[], []]);
      const { dispatch, worker } = await w.ok(other);
      process.kill(dispatch.pid, "SIGTERM");
      expect((await w.saidTo(worker.codex_session_id))[0]).toStartWith("Do something else");
    } finally {
      await w.close();
    }
  }, 180_000);
});
