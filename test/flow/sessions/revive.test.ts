/** After a restart: `revive` brings back who ended unasked, on their own conversations, bound as they were, with Dispatch; and nobody else. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ClaudeSuiteWorld } from "../../agent-suite/claude-world.ts";
import { CodexSuiteWorld } from "../../agent-suite/codex-world.ts";
import { describeClaude } from "../../claude-world.ts";
import { CodexWorld, PlainModel } from "../../codex-world.ts";
import { strike, until, type World } from "../../harness.ts";
import { LONG } from "../../long.ts";
import { tmux } from "../../panes.ts";
import { agentProcesses, agentTerminals, type Moment, struck } from "./struck.ts";

const PAIR = (w: { project: string }) =>
  ["pair", "--task", "t1", "--task-goal", "g", "--worker-name", "w1", "--manager-name", "m1"].concat(
    ...["--task-prompt", "Do the work", "--cwd", w.project, "--timeout-seconds", "60"],
  );
const watches = async (w: World) => (await w.ok("dispatch status --json")).dispatchers.filter((each: { alive: boolean }) => each.alive);
const sessions = (w: World) => w.rows<{ name: string; state: string }>("select name, state from sessions order by name");
const threads = (w: World) =>
  w.rows(
    "select name, codex_session_id, launch, permissions_json, model, effort from sessions s join session_agents a on a.session_id = s.id order by name",
  );
const bindings = (w: World) => w.rows("select id, state, ended_at from bindings");
const pids = (w: World) => w.rows<{ pid: number }>("select pid from sessions where state = 'active'").map(({ pid }) => pid);

/** As the machine's restart does: nothing of tmux and of what ran in it is left, nor any Dispatch. */
async function crash(w: World): Promise<void> {
  const [was, dispatching] = [pids(w), (await watches(w)).map((each: { pid: number }) => each.pid)];
  strike(...dispatching);
  tmux(w, "kill-server");
  strike(...was);
  await until(
    "the end of all",
    async () => (await w.ok("reconcile")).dead_pid_sessions.length === was.length && (await watches(w)).length === 0,
  );
  // As on a real machine: the server of tmux is somebody else's, and knows nothing of this home.
  const env = { ...w.env, CODEX_HOME: undefined };
  // The one before may be on its way out.
  await until(
    "another server of tmux",
    () => Bun.spawnSync(["tmux", "new-session", "-d", "-s", "somebody", "cat"], { env }).exitCode === 0,
  );
}

async function endWatches(w: World): Promise<void> {
  strike(...(await watches(w)).map((each: { pid: number }) => each.pid));
}

/** What both agents must do; the world is a real pair whose worker has been in mid-turn, and a third session that was stopped. */
function comesBack(make: () => CodexSuiteWorld | ClaudeSuiteWorld, more: readonly string[]): void {
  let w: CodexSuiteWorld | ClaudeSuiteWorld;
  let before: Record<string, unknown>[] = [];
  let binding: Record<string, unknown>[] = [];
  let thread = "";
  beforeAll(async () => {
    w = make();
    const paired = await w.ok([...PAIR(w), ...more]);
    thread = paired.worker.codex_session_id;
    await w.ok(["start-worker", "--name", "w2", "--cwd", w.project, "--timeout-seconds", "60"]);
    await w.ok("stop w2 --json");
    await w.run("worker-ack t1 --from-stdin --json", { stdin: "{}" });
    await w.idle(thread);
    await w.ok(["session-nudge", "w1", "hold on"]);
    await until("the turn that will be cut off", () => w.model.isHolding("on"));
    [before, binding] = [threads(w), bindings(w)];
  }, 180_000);
  afterAll(async () => {
    await endWatches(w);
    await w.close();
  });

  test("both go on with their conversations as they were started, bound, with Dispatch; who was stopped stays so", async () => {
    await crash(w);
    const stopped = { name: "w2", state: "gone" };
    expect((await w.ok("reconcile")).next_commands).toEqual(["conveyor revive"]);
    expect((await w.ok("db-doctor --live --quick").catch(() => null)) ?? (await w.run("db-doctor --live --quick")).json()).toMatchObject({
      live_reconcile: { next_commands: expect.arrayContaining(["conveyor revive"]) },
    });
    const dry = await w.ok("revive --dry-run --json");
    expect(dry.revived).toMatchObject([{ session: "w1", turn_cut_off: true }, { session: "m1" }]);
    expect(dry).toMatchObject({ dry_run: true, failed: [], dispatch: { ensure: true, started: false, pid: null } });
    const limits = await w.ok("revive --dry-run --json --resume-limits --resume-after 5");
    expect(limits.dispatch.command).toEqual([...dry.dispatch.command, "--resume-limits", "--resume-after", "5"]);
    expect(agentTerminals(w)).toEqual([]);
    expect(sessions(w)).toEqual([{ name: "m1", state: "active" }, { name: "w1", state: "active" }, stopped]);

    const revived = await w.ok("revive --json");
    expect(revived.revived).toMatchObject([
      { session: "w1", role: "worker", task: "t1", codex_session_id: thread, turn_cut_off: true },
      { session: "m1", role: "manager", task: "t1", turn_cut_off: false },
    ]);
    expect(revived).toMatchObject({ failed: [], dispatch: { started: true, pid: expect.any(Number) } });
    expect(sessions(w)).toEqual([{ name: "m1", state: "active" }, { name: "w1", state: "active" }, stopped]);
    expect([threads(w), bindings(w)]).toEqual([before, binding]);
    expect(w.rows("select count(*) as n from task_acknowledgements")).toEqual([{ n: 1 }]);
    await until("Dispatch", async () => (await watches(w)).length === 1);
    // What was cut off is not gone on with by itself: nobody has said anything since.
    expect(w.userTexts(thread).at(-1)).toBe("hold on");
    const cutOff = async () => (await w.ok("attention --json")).items.filter(({ kind }: { kind: string }) => kind === "crashed");
    expect(await cutOff()).toMatchObject([{ weight: "now", session: "w1", text: expect.stringContaining("was cut off") }]);
    expect(await w.ok(["session-nudge", "w1", "after the restart"])).toMatchObject({ proof: "seen" });
    await w.idle(thread);
    expect(w.userTexts(thread).slice(-2)).toEqual(["hold on", "after the restart"]);
    expect(await cutOff()).toEqual([]);
  }, 240_000);

  test("again there is nothing to do", async () => {
    const running = pids(w);
    expect(await w.ok("revive --all --json")).toMatchObject({ revived: [], failed: [], bound: [], dispatch: { started: false } });
    expect((await w.run("revive")).stdout).toBe("nobody is to be revived\n");
    expect(pids(w)).toEqual(running);
  });

  test("also when reconcile has put the records right first: the same binding is active again", async () => {
    await crash(w);
    const applied = await w.ok("reconcile --apply");
    expect(applied.applied).toMatchObject({ sessions_marked_gone: ["w1", "m1"] });
    expect(applied.next_commands).toEqual(["conveyor revive"]);
    expect(w.rows("select state from bindings")).toEqual([{ state: "invalid" }]);
    const done = await w.run("revive t1");
    expect([done.exit, done.stderr]).toEqual([0, ""]);
    expect(done.stdout).toContain("w1 goes on with its conversation, in tmux session ");
    expect(done.stdout).toContain("task t1 is bound again\nDispatch was started (process ");
    expect([threads(w), bindings(w)]).toEqual([before, binding]);
    expect(w.rows("select count(*) as n from events where type = 'binding_revived'")).toEqual([{ n: 1 }]);
    expect(sessions(w).find(({ name }) => name === "w2")).toMatchObject({ state: "gone" });
    expect(await w.ok(["session-nudge", "m1", "and you"])).toMatchObject({ proof: "seen" });
  }, 240_000);
}

describe("a pair of Codex", () =>
  comesBack(() => new CodexSuiteWorld(), ["--sandbox", "read-only", "--ask-for-approval", "never", "--effort", "low"]));
describeClaude("a pair of Claude Code", () => comesBack(() => new ClaudeSuiteWorld(), ["--permission-mode", "acceptEdits"]));

describe("revive", () => {
  let w: CodexWorld;
  const model = new PlainModel();
  beforeEach(async () => {
    w = new CodexWorld(model.script);
    const { worker, manager } = await w.ok([...PAIR(w), "--no-dispatch"]);
    await w.idle(worker.codex_session_id);
    await w.idle(manager.codex_session_id);
    await crash(w);
  }, 120_000);
  afterEach(async () => {
    await endWatches(w);
    await w.close();
  });

  const bothBack = async (): Promise<void> => {
    expect(agentTerminals(w)).toEqual(["codex-m1", "codex-w1"]);
    expect(w.rollouts().size).toBe(2);
    expect(sessions(w)).toEqual([
      { name: "m1", state: "active" },
      { name: "w1", state: "active" },
    ]);
    expect(w.rows("select state from bindings")).toEqual([{ state: "active" }]);
    expect(w.rows("select name from unfinished_starts")).toEqual([]);
    expect((await w.ok("reconcile")).dead_pid_sessions).toEqual([]);
  };

  const MOMENTS: readonly [NodeJS.Signals, Moment][] = [
    ["SIGKILL", { records: "select 1 from sessions where state = 'gone'" }],
    ["SIGINT", { records: "select 1 from sessions where state = 'gone'" }],
    ["SIGHUP", { tmux: "new-session", nth: 1, when: "after" }],
    ["SIGKILL", { records: "select 1 from unfinished_starts where session_id is not null" }],
    ["SIGTERM", { tmux: "remain-on-exit off", nth: 2, when: "after" }],
    ["SIGKILL", { tmux: "new-session", nth: 2, when: "before" }],
  ];
  // Two of them; all in the long run.
  for (const [at, [signal, moment]] of MOMENTS.filter((_, index) => LONG !== null || index % 4 === 1).entries()) {
    test(`struck by ${signal} (${at + 1}), the same command goes on, and starts nobody twice`, async () => {
      const done = await struck(w, ["revive", "--json"], signal, moment);
      if (signal === "SIGKILL") expect([done.signal, done.stdout]).toEqual(["SIGKILL", ""]);
      else {
        expect([done.exit, done.stdout]).toEqual([1, ""]);
        expect(done.stderr).toMatch(/it was interrupted(: .*(ended|runs)| between two .*)\nhint: it goes on from here: conveyor revive\n$/);
      }
      expect((await w.ok("revive --json")).failed).toEqual([]);
      await bothBack();
    }, 180_000);
  }

  test("two at once start nobody twice", async () => {
    const both = await Promise.all([w.run("revive --json"), w.run("revive --json")]);
    const revived = both.flatMap((each) => each.json().revived.map((one: { session: string }) => one.session));
    expect(revived.sort()).toEqual(["m1", "w1"]);
    await bothBack();
  }, 180_000);

  test("one that cannot be revived keeps no other from it, and is told with the next command", async () => {
    w.store().db.run(
      'update session_agents set permissions_json = \'{"sandbox":"--yolo","ask_for_approval":"never"}\' where session_id = (select id from sessions where name = \'w1\')',
    );
    const done = await w.run("revive --json");
    expect([done.exit, done.stderr]).toEqual([1, ""]);
    expect(done.json()).toMatchObject({
      revived: [{ session: "m1" }],
      failed: [{ session: "w1", reason: 'Codex knows no --sandbox "--yolo"', next: expect.any(String) }],
      bound: [],
      dispatch: { ensure: false, started: false },
    });
    expect(agentTerminals(w)).toEqual(["codex-m1"]);
    w.store().db.run('update session_agents set permissions_json = \'{"sandbox":"read-only","ask_for_approval":"never"}\'');
    rmSync(w.project, { recursive: true });
    const gone = await w.run("revive");
    expect([gone.exit, gone.stdout]).toEqual([1, `w1 was not revived: no folder at ${w.project}\n  next: conveyor revive\n`]);
    for (const path of w.rows<{ path: string }>("select codex_session_path as path from sessions where name = 'w1'")) rmSync(path.path);
    const lost = (await w.run("revive --json")).json();
    expect(lost.failed).toMatchObject([{ session: "w1", reason: expect.stringContaining("is nowhere any more") }]);
    expect(lost.failed[0].next).toContain("begin a new one: conveyor start-worker --name w1");
  }, 180_000);

  test("a home that lies beside the records came with them: no agent is started in it, unless a person names it", async () => {
    const [clone, home] = [join(w.dir, "clone"), join(w.dir, "clone/home")];
    cpSync(w.codexHome, home, { recursive: true });
    writeFileSync(join(home, "config.toml"), `\n[mcp_servers.x]\ncommand = "touch"\nargs = [${JSON.stringify(join(w.dir, "ran"))}]\n`, {
      flag: "a",
    });
    w.store().db.run("update sessions set codex_session_path = replace(codex_session_path, ?, ?)", [w.codexHome, home]);
    w.store().db.run("pragma wal_checkpoint(truncate)");
    await w.file("clone/.codex-workers/workerctl.db", readFileSync(w.dbPath));
    const env = { WORKERCTL_STATE_ROOT: undefined };
    const refused = (await w.run("revive --json", { cwd: clone, env })).json();
    expect(refused).toMatchObject({ revived: [], failed: [{ session: "w1" }, { session: "m1" }], dispatch: { started: false } });
    expect(refused.failed[0].reason).toContain(`lies in ${home}, beside these records`);
    expect(refused.failed[0].next).toContain(`CODEX_HOME=${home} conveyor revive`);
    // A path that leads elsewhere from every folder is nobody's.
    w.store().db.run("update sessions set codex_session_path = replace(codex_session_path, ?, 'home')", [home]);
    w.store().db.run("pragma wal_checkpoint(truncate)");
    await w.file("clone/.codex-workers/workerctl.db", readFileSync(w.dbPath));
    const nowhere = (await w.run("revive --json", { cwd: clone, env })).json();
    expect(nowhere.failed[0].reason).toContain("is nowhere any more");
    expect([agentTerminals(w), existsSync(join(w.dir, "ran"))]).toEqual([[], false]);
  }, 120_000);

  test("one whose conversation a person has taken up by hand is left to them", async () => {
    const [row] = w.rows<{ id: string; path: string }>(
      "select codex_session_id as id, codex_session_path as path from sessions where name = 'w1'",
    );
    tmux(
      w,
      "new-session",
      "-d",
      "-s",
      "mine",
      "-x",
      "120",
      "-y",
      "40",
      "-c",
      w.project,
      "-e",
      `CODEX_HOME=${w.codexHome}`,
      "codex",
      "--no-daemon",
      "resume",
      row!.id,
    );
    await until("the person's Codex", async () => (await agentProcesses(w)).length > 0 && readFileSync(row!.path, "utf8").length > 0);
    await until("its lock", async () =>
      (await w.run(["start-worker", "--name", "w9", "--cwd", w.project, "--resume", row!.id])).stderr.includes("is written by"),
    );
    const { failed, revived } = (await w.run("revive --json")).json();
    expect([failed.length, revived.length]).toEqual([1, 1]);
    expect(failed[0]).toMatchObject({ session: "w1", reason: expect.stringContaining("is written by process") });
    expect(failed[0].next).toContain("register-worker --name w1 --codex-session");
  }, 180_000);

  test("what was stopped, or taken off the record, since it was found dead is no concern of its", async () => {
    await w.ok("reconcile --apply");
    await w.ok("deregister m1");
    expect(await w.ok("revive --dry-run --json")).toMatchObject({ revived: [{ session: "w1" }], dispatch: { ensure: false } });
    await w.run("stop w1 --json");
    expect((await w.run("revive --all --json")).json()).toMatchObject({ revived: [], failed: [] });
    expect(agentTerminals(w)).toEqual([]);
  }, 60_000);
});
