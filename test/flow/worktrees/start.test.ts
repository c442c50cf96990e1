/** A worker of the real Codex in a git worktree of its own: made for it, and gone again when the start comes to nothing. */
import { afterEach, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { environmentOf } from "../../../src/system/processes/processes.ts";
import { strike, until } from "../../harness.ts";
import { CodexWorld, PlainModel } from "../../codex-world.ts";

let w: CodexWorld;
afterEach(() => w.close());

const git = (folder: string, ...words: string[]): string => {
  const done = Bun.spawnSync(["git", "-C", folder, "-c", "user.name=x", "-c", "user.email=x@y", ...words]);
  if (done.exitCode !== 0) throw new Error(`git ${words.join(" ")}: ${done.stderr.toString()}`);
  return done.stdout.toString().trim();
};

function world(): CodexWorld {
  w = new CodexWorld(new PlainModel().script);
  writeFileSync(join(w.project, "a.txt"), "one\n");
  git(w.project, "add", ".");
  git(w.project, "commit", "-qm", "one");
  return w;
}

const TIMEOUT = ["--timeout-seconds", "30", "--accept-trust"];

test("start-worker --worktree starts in a tree on a branch of its own, after the set-up", async () => {
  world();
  const line = [
    "start-worker",
    "--name",
    "w1",
    "--cwd",
    w.project,
    "--task",
    "hello",
    "--worktree",
    "--setup",
    "cat a.txt > made; echo said",
    ...TIMEOUT,
  ];
  const started = await w.ok(line);
  const path = join(realpathSync(w.stateRoot), ".worktrees", "w1");
  expect(started.worktree).toMatchObject({ path, branch: "conveyor/w1", base: "HEAD", made: true });
  expect(git(path, "symbolic-ref", "HEAD")).toBe("refs/heads/conveyor/w1");
  expect(readFileSync(join(path, "made"), "utf8")).toBe("one\n");
  const [session] = await w.ok("sessions --json");
  expect(session.cwd).toBe(path);
  expect((await w.saidTo(session.codex_session_id))[0]).toContain(`You work in ${path}, a git worktree of your own`);
  const [tree] = await w.ok("worktrees --json");
  expect(tree).toMatchObject({
    worker: "w1",
    branch: "conveyor/w1",
    changed: [],
    untracked: ["made"],
    commits: 0,
    stashes: 0,
    worker_state: "active",
  });
  expect(tree.processes.length).toBeGreaterThan(0);
  const refused = await w.run("worktree-remove w1");
  expect(refused.exit).toBe(1);
  expect(refused.stderr).toContain("1 untracked file: made");
  expect((await w.ok("list --json")).map((each: { name: string }) => each.name)).toEqual(["w1"]);
  // Ended and started again it goes on in the same tree.
  await w.ok("stop w1");
  const again = await w.ok(["start-worker", "--name", "w1", "--cwd", w.project, "--worktree", ...TIMEOUT]);
  expect(again.worktree).toMatchObject({ path, made: false });
  expect(existsSync(join(path, "made"))).toBe(true);
  await w.ok("stop w1");
}, 120_000);

test("what is refused is refused before anything is made", async () => {
  world();
  const start = async (...more: string[]): Promise<string> => {
    const done = await w.run(["start-worker", "--name", "w1", "--cwd", w.project, ...more]);
    expect(done.exit).toBeGreaterThan(0);
    return done.stderr;
  };
  expect(await start("--branch", "x")).toContain("--branch goes with --worktree");
  expect(await start("--worktree", "--cwd", w.work)).toContain("lies in no git repository");
  expect(await start("--worktree", "--base=--output=x")).toContain('"--output=x" names no commit');
  expect(await start("--worktree", "--branch", "a..b")).toContain('"a..b" cannot be the name of a branch');
  expect(await start("--worktree", "--branch=-x")).toContain("cannot be the name of a branch");
  const here = git(w.project, "branch", "--show-current");
  expect(await start("--worktree", "--branch", here)).toContain(`the branch ${here} is checked out in ${realpathSync(w.project)}`);
  git(w.project, "branch", "conveyor");
  expect(await start("--worktree")).toContain("there can be no branch conveyor/w1 beside the branch conveyor");
  git(w.project, "branch", "-m", "conveyor", "conveyor/w1");
  expect(await start("--worktree", "--base", "HEAD")).toContain("the branch conveyor/w1 is there already");
  git(w.work, "init", "-q", "--bare", "bare.git");
  expect(await start("--worktree", "--cwd", join(w.work, "bare.git"))).toContain("is bare");
  git(w.work, "init", "-q", "fresh");
  expect(await start("--worktree", "--cwd", join(w.work, "fresh"))).toContain(`git -C ${join(w.work, "fresh")} commit`);
  // Where a sandboxed worker would leave what is done for it outside, its branch has a link.
  git(w.project, "switch", "-qc", "linked");
  symlinkSync(w.work, join(w.project, ".conveyor"));
  git(w.project, "add", ".conveyor");
  git(w.project, "commit", "-qm", "a link");
  git(w.project, "switch", "-q", here);
  expect(await start("--worktree", "--branch", "linked", "--sandbox", "workspace-write")).toContain(".conveyor is no folder");
  expect(existsSync(join(w.work, ".gitignore"))).toBe(false);
  expect(git(w.project, "worktree", "list").split("\n")).toHaveLength(1);
  expect(w.rows("select * from worktrees")).toEqual([]);
});

test("a set-up that fails ends the start, and nothing is left but what it printed", async () => {
  world();
  const line = ["start-worker", "--name", "w1", "--cwd", w.project, "--worktree", "--setup", "echo out; echo err >&2; exit 3"];
  const { exit, stderr } = await w.run(line);
  expect(exit).toBe(1);
  expect(stderr).toContain("the set-up of the worktree of w1 ended with 3; its last lines:\nout\nerr");
  const [log] = readdirSync(join(w.stateRoot, "artifacts", "worktrees"));
  expect(readFileSync(join(w.stateRoot, "artifacts", "worktrees", log!), "utf8")).toBe("out\nerr\n");
  expect(git(w.project, "worktree", "list").split("\n")).toHaveLength(1);
  expect(git(w.project, "branch", "--list", "conveyor/*")).toBe("");
  expect(existsSync(join(w.stateRoot, ".worktrees"))).toBe(false);
  expect(await w.ok("worktrees --json")).toEqual([]);
});

const program = (...words: string[]) =>
  Bun.spawn([process.execPath, resolve(import.meta.dir, "../../../src/main.ts"), ...words], {
    env: w.env,
    cwd: w.project,
    stdout: "ignore",
    stderr: "pipe",
  });

test("interrupted in its set-up it ends the whole group of it and takes all back; killed, the next start clears up", async () => {
  world();
  const setup = "sleep 613 & sleep 613";
  const running = () =>
    Bun.spawnSync(["pgrep", "-f", "^sleep 613$"])
      .stdout.toString()
      .split("\n")
      .filter((pid) => pid !== "" && environmentOf(Number(pid), "CODEX_HOME") === w.codexHome);
  const first = program("start-worker", "--name", "w1", "--worktree", "--setup", setup);
  await until("the set-up", () => running().length === 2);
  first.kill("SIGINT");
  await first.exited;
  expect(await new Response(first.stderr).text()).toContain("interrupted");
  expect(running()).toEqual([]);
  expect(git(w.project, "worktree", "list").split("\n")).toHaveLength(1);
  expect(git(w.project, "branch", "--list", "conveyor/*")).toBe("");
  const second = program("start-worker", "--name", "w1", "--worktree", "--setup", setup);
  await until("the set-up", () => running().length === 2);
  second.kill("SIGKILL");
  await second.exited;
  strike(...running().map(Number));
  expect((await w.ok("doctor --json", { cwd: w.project })).worktrees_left).toMatchObject([
    { worker: "w1", why: "it was never made whole" },
  ]);
  const started = await w.ok(["start-worker", "--name", "w1", "--cwd", w.project, "--worktree", ...TIMEOUT]);
  expect(started.worktree.made).toBe(true);
  expect(git(w.project, "worktree", "list").split("\n")).toHaveLength(2);
}, 120_000);

test("pair: the worker in a worktree on a branch of the task's name, the manager where it was; revived it goes on there", async () => {
  world();
  const pair = ["pair", "--task", "a task", "--task-goal", "g", "--worker-name", "w1", "--manager-name", "m1", "--cwd", w.project];
  const dry = await w.ok([...pair, "--worktree", "--dry-run"]);
  expect(dry.worker_start.worktree).toMatchObject({ branch: "conveyor/a-task", base: "HEAD", stands: false });
  expect(existsSync(w.dbPath)).toBe(false);
  const { worktree } = await w.ok([
    ...pair,
    "--worktree",
    "--no-dispatch",
    "--sandbox",
    "workspace-write",
    "--task-prompt",
    "hello",
    ...TIMEOUT,
  ]);
  const sessions = await w.ok("sessions --json");
  const of = (name: string) => sessions.find((each: { name: string }) => each.name === name);
  expect(of("w1").cwd).toBe(worktree.path);
  expect(of("m1").cwd).toBe(w.project);
  expect((await w.saidTo(of("w1").codex_session_id))[0]).toContain("Do not commit, switch branches or stash");
  const [tree] = await w.ok("worktrees --json");
  expect(tree).toMatchObject({ task: "a task", branch: "conveyor/a-task", untracked: [] });
  // Its end nobody asked for; the tree stays whatever becomes of sessions and bindings.
  await w.idle(of("w1").codex_session_id);
  Bun.spawnSync(["tmux", "kill-session", "-t", "=codex-w1"], { env: w.env });
  const revived = await until("the worker to be revived", async () => {
    const done = await w.run("revive --json");
    return done.exit === 0 && done.json().revived.length === 1 && done.json();
  });
  expect(revived.failed).toEqual([]);
  expect((await w.ok("sessions --json")).find((each: { name: string }) => each.name === "w1").cwd).toBe(worktree.path);
  for (const line of ["unbind --task 'a task'", "stop w1", "deregister w1", "prune"]) await w.run(line);
  expect(existsSync(join(worktree.path, "a.txt"))).toBe(true);
  const left = (await w.ok("doctor --json", { cwd: w.project })).worktrees_left;
  expect(left).toMatchObject([{ worker: "w1" }]);
  await w.ok("worktree-remove w1");
}, 180_000);
