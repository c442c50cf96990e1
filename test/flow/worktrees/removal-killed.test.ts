/** A removal killed at any step, before and after each call of git and each commit: nothing that was in the worktree is out of reach. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { until } from "../../harness.ts";
import { LONG } from "../../long.ts";
import { git, standing, TreeWorld, write } from "./tree-world.ts";

const CHILD = resolve(import.meta.dir, "removal-child.ts");

let w: TreeWorld;
let path: string;
/** What stands in the worktree, and what its index and HEAD hold. */
let before: Record<string, string>;
let staged: string;
beforeEach(async () => {
  w = new TreeWorld();
  path = (await w.made("w1")).path;
  git(path, "commit", "-q", "--allow-empty", "-m", "own");
  write(join(path, "a.txt"), "staged\n");
  git(path, "add", "a.txt");
  write(join(path, "a.txt"), "changed\n");
  rmSync(join(path, "sub/b.txt"));
  write(join(path, "new/x"), "new\n");
  symlinkSync("nowhere", join(path, "link"));
  mkdirSync(join(path, "empty"));
  before = standing(path);
  staged = git(path, "ls-files", "--stage");
  mkdirSync(join(w.dir, "bin"));
});
afterEach(() => w.close());

/** A git that kills whoever calls it for the Nth time, before or after it has done what it was called for. */
function killer(at: number, when: string): Record<string, string> {
  const counter = join(w.dir, "calls");
  writeFileSync(counter, "");
  const real = Bun.which("git")!;
  const body = when === "before" ? "kill -9 $PPID" : `'${real}' "$@"; kill -9 $PPID`;
  const script = `#!/bin/sh\necho x >> '${counter}'\n[ "$(wc -l < '${counter}')" -eq ${at} ] || exec '${real}' "$@"\n${body}\n`;
  writeFileSync(join(w.dir, "bin", "git"), script);
  chmodSync(join(w.dir, "bin", "git"), 0o755);
  return { PATH: `${join(w.dir, "bin")}:${w.env.PATH}` };
}
const calls = (): number => readFileSync(join(w.dir, "calls"), "utf8").length / 2;

const child = (words: readonly string[], env: Record<string, string> = {}) =>
  Bun.spawn([process.execPath, CHILD, ...words, "worktree-remove", "w1", "--force"], {
    env: { ...w.env, ...env },
    cwd: w.work,
    stdout: "ignore",
    stderr: "ignore",
  });

/** The promise, right after the death, and once somebody has gone on from there. */
async function account(): Promise<void> {
  const kept = git(w.repository, "for-each-ref", "--format=%(refname)", "refs/conveyor/kept").split("\n").filter(Boolean);
  const there = [path, ...readdirSync(w.trees).flatMap((name) => (name.startsWith(".") ? [join(w.trees, name)] : []))];
  const whole = there.some((folder) => existsSync(folder) && Bun.deepEquals(standing(folder), before));
  if (!whole) {
    const into = join(w.dir, "seen");
    await w.ok(["worktree-restore", kept.at(-1)!, "--into", into]);
    expect(standing(into)).toEqual(before);
    rmSync(into, { recursive: true });
  }
  if ((await w.ok("worktrees --json")).length > 0)
    // A git that outlived its caller may still hold a name.
    await until("the removal to come to its end", async () => (await w.run("worktree-remove w1 --force")).exit === 0);
  expect(existsSync(path)).toBe(false);
  expect(readdirSync(w.trees)).toEqual([]);
  expect(git(w.repository, "worktree", "list").split("\n")).toHaveLength(1);
  const [removed] = w.rows<{ kept_ref: string }>("select kept_ref from worktrees order by rowid desc limit 1");
  await w.ok(["worktree-restore", removed!.kept_ref]);
  expect(standing(path)).toEqual(before);
  expect(git(path, "ls-files", "--stage")).toBe(staged);
}

test("before and after each commit, and each call of git", async () => {
  let died = 0;
  for (const when of LONG === null ? ["after"] : ["before", "after"])
    for (let commit = 1; ; commit += 1) {
      // No call kills it, and all are counted: the last time is the whole of it.
      const done = child([String(commit), when], killer(1_000_000, "after"));
      await done.exited;
      if (done.signalCode === "SIGKILL") died += 1;
      await account();
      if (done.signalCode === null) break;
    }
  expect(died).toBeGreaterThanOrEqual(LONG === null ? 2 : 4);
  const all = calls();
  expect(all).toBeGreaterThan(10);
  const some = LONG === null ? [Math.floor((all * 2) / 3)] : Array.from({ length: all }, (_, at) => at + 1);
  died = 0;
  for (const at of some)
    for (const when of LONG === null ? ["after"] : ["before", "after"]) {
      const done = child(["0", "never"], killer(at, when));
      await done.exited;
      if (done.signalCode === "SIGKILL") died += 1;
      await account();
    }
  // How many there are depends on what was there to be kept.
  expect(died).toBeGreaterThanOrEqual(some.length - 5);
  expect(died).toBeGreaterThan(0);
}, 1_800_000);

test.if(LONG !== null)(
  "at any moment",
  async () => {
    const begin = performance.now();
    await child(["0", "never"]).exited;
    const takes = performance.now() - begin;
    await account();
    for (let round = 0; round < 60; round += 1) {
      const done = child(["0", "never"]);
      await Bun.sleep(takes * Math.random());
      done.kill("SIGKILL");
      await done.exited;
      await account();
    }
  },
  1_800_000,
);
