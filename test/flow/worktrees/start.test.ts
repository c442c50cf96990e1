/** A worker of the real Codex in a git worktree of its own: made for it, and gone again when the start comes to nothing. */
import { afterEach, expect, test } from "bun:test";
import { existsSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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
