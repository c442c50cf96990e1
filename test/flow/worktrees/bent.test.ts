/** A worker that bends git in its worktree gains nothing: no program of its own runs in ours, and nothing is removed on its word. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Worktree } from "../../../src/core/worktree.ts";
import { openErrands } from "../../../src/flow/worktrees/errand.ts";
import { git, standing, TreeWorld, write } from "./tree-world.ts";

let w: TreeWorld;
let tree: Worktree;
/** A program that must never run, and what it would leave. */
let program: string;
let canary: string;
beforeEach(async () => {
  w = new TreeWorld();
  tree = await w.made("w1");
  canary = join(w.dir, "canary");
  program = await w.file("bad", `#!/bin/sh\necho "$0 $*" >> '${canary}'\nexit 0\n`);
  chmodSync(program, 0o755);
});
afterEach(() => w.close());

/** Everything that a worker's git could be made to run, in a configuration. */
const evil = (): string =>
  [
    `[core]\n\tfsmonitor = ${program}\n\thooksPath = ${w.dir}/hooks\n\teditor = ${program}\n\tpager = ${program}\n\tsshCommand = ${program}\n\taskPass = ${program}`,
    `\talternateRefsCommand = ${program}\n\tgitProxy = ${program}\n\tattributesFile = ${w.dir}/attributes\n\tworktree = ${w.dir}/home`,
    `[filter "bad"]\n\tclean = ${program}\n\tsmudge = ${program}\n\tprocess = ${program}\n\trequired = true`,
    `[diff]\n\texternal = ${program}\n[diff "bad"]\n\tcommand = ${program}\n\ttextconv = ${program}\n[merge "bad"]\n\tdriver = ${program}`,
    `[gpg]\n\tprogram = ${program}\n[commit]\n\tgpgSign = true\n[log]\n\tshowSignature = true\n[credential]\n\thelper = ${program}`,
    `[gc]\n\tauto = 1\n[pager]\n\tlog = ${program}\n\tconfig = ${program}\n[sequence]\n\teditor = ${program}\n[alias]\n\trev-parse = !${program}\n\tupdate-ref = !${program}`,
    `[extensions]\n\tworktreeConfig = true\n[uploadpack]\n\tpackObjectsHook = ${program}\n[remote "r"]\n\turl = ext::${program}\n\tuploadpack = ${program}\n\tpromisor = true\n`,
  ].join("\n");

/** Looks, a refused removal, a forced one, and the way back. */
async function everything(): Promise<void> {
  await w.ok("worktrees --json");
  await w.run("worktree-remove w1");
  const before = standing(tree.path);
  const { kept_ref } = await w.ok("worktree-remove w1 --force --json");
  await w.ok(["worktree-restore", kept_ref]);
  expect(standing(tree.path)).toEqual(before);
}

test("configuration, hooks and attributes of the repository and of the worktree run nothing", async () => {
  write(join(tree.path, "x.bad"), "x");
  write(join(tree.path, ".gitattributes"), "* filter=bad diff=bad merge=bad\n");
  const common = join(w.repository, ".git");
  appendFileSync(join(common, "config"), evil());
  writeFileSync(join(tree.gitdir!, "config.worktree"), evil());
  mkdirSync(join(common, "info"), { recursive: true });
  writeFileSync(join(common, "info", "attributes"), "* filter=bad diff=bad merge=bad\n");
  await w.file("attributes", "* filter=bad\n");
  for (const folder of [join(common, "hooks"), join(w.dir, "hooks")])
    for (const hook of [
      "post-checkout",
      "reference-transaction",
      "pre-commit",
      "post-index-change",
      "pre-auto-gc",
      "fsmonitor-watchman",
      "post-commit",
    ]) {
      mkdirSync(folder, { recursive: true });
      cpSync(program, join(folder, hook));
    }
  // The canary sings where it may.
  Bun.spawnSync(["git", "-C", tree.path, "status"], { env: { ...process.env, HOME: w.dir } });
  expect(existsSync(canary)).toBe(true);
  rmSync(canary);
  await everything();
  await w.made("w2");
  expect(existsSync(canary)).toBe(false);
});

test("what surrounds the call, and an index with a monitor and a fake size, count for nothing", async () => {
  write(join(tree.path, "a.txt"), "mod\n");
  git(tree.path, "update-index", "--assume-unchanged", "sub/b.txt");
  git(tree.path, "config", "core.fsmonitor", program);
  git(tree.path, "update-index", "--fsmonitor");
  rmSync(canary, { force: true });
  write(join(tree.path, "sub/b.txt"), "hidden\n");
  Object.assign(w.env, {
    GIT_DIR: "/nowhere",
    GIT_INDEX_FILE: "/nowhere",
    GIT_EXTERNAL_DIFF: program,
    GIT_EDITOR: program,
    GIT_SSH: program,
  });
  Object.assign(w.env, {
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "core.hooksPath",
    GIT_CONFIG_VALUE_0: w.dir,
    GIT_OBJECT_DIRECTORY: "/nowhere",
  });
  const [report] = await w.ok("worktrees --json");
  expect(report.changed).toEqual(["a.txt", "sub/b.txt"]);
  await everything();
  expect(existsSync(canary)).toBe(false);
});

/** A repository of the worker's own, in which everything is set that could run the canary. */
function theirs(): string {
  const own = join(w.dir, "theirs");
  mkdirSync(own);
  git(own, "init", "-q", "-b", "main");
  git(own, "commit", "-q", "--allow-empty", "-m", "x");
  appendFileSync(join(own, ".git", "config"), evil());
  return join(own, ".git");
}

const bends: Record<string, () => void> = {
  "its .git names another repository": () => writeFileSync(join(tree.path, ".git"), `gitdir: ${theirs()}\n`),
  "its .git is a repository of its own": () => {
    rmSync(join(tree.path, ".git"));
    cpSync(theirs(), join(tree.path, ".git"), { recursive: true });
  },
  "its .git is a link": () => {
    rmSync(join(tree.path, ".git"));
    symlinkSync(theirs(), join(tree.path, ".git"));
  },
  "its .git is a link to the same words": () => {
    renameSync(join(tree.path, ".git"), join(w.dir, "dot-git"));
    symlinkSync(join(w.dir, "dot-git"), join(tree.path, ".git"));
  },
  "its .git is gone": () => rmSync(join(tree.path, ".git")),
  "commondir names another repository": () => writeFileSync(join(tree.gitdir!, "commondir"), `${theirs()}\n`),
  "gitdir names another folder": () => writeFileSync(join(tree.gitdir!, "gitdir"), `${w.repository}/.git\n`),
  "its git folder is a link": () => {
    renameSync(tree.gitdir!, join(w.dir, "moved"));
    symlinkSync(join(w.dir, "moved"), tree.gitdir!);
  },
  "the folder is a link to another": () => {
    renameSync(tree.path, join(w.dir, "elsewhere"));
    symlinkSync(join(w.dir, "elsewhere"), tree.path);
  },
};

for (const [what, bend] of Object.entries(bends))
  test(`${what}: git is not run there, and it is not removed, also not with --force`, async () => {
    bend();
    const [report] = await w.ok("worktrees --json");
    expect(report).toMatchObject({ changed: null, commits: null });
    expect(report.trouble).not.toBeNull();
    const { exit, stderr } = await w.run("worktree-remove w1 --force");
    expect(exit).toBe(1);
    expect(stderr).toContain("is not removed");
    expect(existsSync(tree.path)).toBe(true);
    expect(existsSync(join(tree.path, "a.txt"))).toBe(true);
    expect(existsSync(canary)).toBe(false);
    expect(readFileSync(join(w.repository, "a.txt"), "utf8")).toBe("one\n");
  });

test("a kept commit that somebody made writes nowhere else", async () => {
  const notes = {
    worker: "w1",
    branch: null,
    head: null,
    index: null,
    ignored: false,
    modes: { "../../escaped": 0o777 },
    empty: ["../escaped", "x/../../y"],
  };
  const empty = git(w.repository, "hash-object", "-t", "tree", "-w", "/dev/null");
  const commit = git(w.repository, "commit-tree", empty, "-m", `x\n\nconveyor-kept: ${JSON.stringify(notes)}`);
  git(w.repository, "update-ref", "refs/conveyor/kept/w1/x", commit);
  const { stderr } = await w.run(["worktree-restore", "w1/x", "--into", join(w.dir, "into", "there")], { cwd: w.repository });
  expect(stderr).toContain("leads out of the tree");
  expect(existsSync(join(w.dir, "into", "there"))).toBe(false);
  expect(existsSync(join(w.dir, "into", "escaped"))).toBe(false);
});

test("a worker that lays links where it leaves its errands has nothing written through them", async () => {
  const errands = join(tree.path, ".conveyor");
  openErrands(tree.path);
  expect(readFileSync(join(errands, ".gitignore"), "utf8")).toBe("*\n");
  const mine = await w.file("mine", "mine\n");
  rmSync(join(errands, ".gitignore"));
  symlinkSync(mine, join(errands, ".gitignore"));
  openErrands(tree.path);
  expect(readFileSync(mine, "utf8")).toBe("mine\n");
  rmSync(errands, { recursive: true });
  symlinkSync(w.work, errands);
  expect(() => openErrands(tree.path)).toThrow(".conveyor is no folder");
  expect(existsSync(join(w.work, ".gitignore"))).toBe(false);
});
