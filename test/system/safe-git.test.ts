/** Looking at a repository that names programs of its own: none of them runs. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { summariseChanges } from "../../src/system/git/git.ts";
import { treeState } from "../../src/system/git/tree-state.ts";

let dir: string;
let ran: string;
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), "safe-git-")));
  ran = join(dir, "ran");
});
afterEach(() => rmSync(dir, { recursive: true }));

const env = { PATH: process.env.PATH, HOME: "/nowhere", GIT_CONFIG_NOSYSTEM: "1" };

function git(folder: string, ...words: string[]): void {
  const done = Bun.spawnSync(
    ["git", "-C", folder, "-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "protocol.file.allow=always", ...words],
    { env },
  );
  if (done.exitCode !== 0) throw new Error(done.stderr.toString());
}

function repository(name: string): string {
  const folder = join(dir, name);
  git(dir, "init", "-q", name);
  writeFileSync(join(folder, "file"), "one\n");
  git(folder, "add", ".");
  git(folder, "commit", "-q", "-m", "first");
  return folder;
}

/** Every way of naming a program that a look at the changes might run. */
function booby(folder: string): void {
  const trap = `touch '${ran}'; cat`;
  git(folder, "config", "filter.evil.clean", trap);
  git(folder, "config", "filter.evil.required", "true");
  git(folder, "config", "filter.a=b.c d.clean", trap);
  git(folder, "config", "diff.evil.command", trap);
  git(folder, "config", "diff.evil.textconv", trap);
  git(folder, "config", "diff.external", trap);
  git(folder, "config", "core.fsmonitor", `touch '${ran}'`);
  git(folder, "config", "core.pager", trap);
  git(folder, "config", "include.path", "included");
  writeFileSync(join(folder, ".git", "included"), `[filter "hidden"]\n\tclean = "touch '${ran}'; cat"\n`);
  writeFileSync(
    join(folder, ".git", "info", "attributes"),
    "file filter=evil diff=evil\nother filter=a=b.c\\ d\nthird filter=hidden diff=evil\n",
  );
}

test("no filter, difference program or monitor of the repository runs, and the changes are seen", async () => {
  const folder = repository("work");
  for (const name of ["other", "third"]) writeFileSync(join(folder, name), "one\n");
  git(folder, "add", ".");
  git(folder, "commit", "-q", "-m", "more");
  const clean = await treeState(env, folder, []);
  booby(folder);
  for (const name of ["file", "other", "third"]) writeFileSync(join(folder, name), "two\n");
  const state = await treeState(env, folder, []);
  expect([clean?.dirty, state?.dirty, state?.head === clean?.head]).toEqual([false, true, true]);
  expect(await summariseChanges(env, folder)).toMatchObject({ working_tree_diff_name_only: "file\nother\nthird\n", error: null });
  expect(existsSync(ran)).toBe(false);
});

test("nor one of a submodule, of which the commit counts", async () => {
  const inner = repository("inner");
  const folder = repository("outer");
  git(folder, "submodule", "--quiet", "add", inner, "inner");
  git(folder, "commit", "-q", "-m", "with a submodule");
  const below = join(folder, "inner");
  const before = await treeState(env, folder, []);
  git(below, "config", "filter.evil.clean", `touch '${ran}'; cat`);
  writeFileSync(join(below, ".gitattributes"), "* filter=evil\n");
  writeFileSync(join(below, "file"), "two\n");
  expect(await treeState(env, folder, [])).toEqual(before!);
  await summariseChanges(env, folder);
  expect(existsSync(ran)).toBe(false);
  git(below, "-c", "filter.evil.clean=cat", "commit", "-q", "-a", "-m", "second");
  expect((await treeState(env, folder, []))?.dirty).toBe(true);
});

test("what is no repository is none", async () => {
  expect(await treeState(env, dir, [])).toBeNull();
  expect((await summariseChanges(env, dir)).error).toContain("not a git repository");
  expect((await summariseChanges({ PATH: "/nowhere" }, dir)).error).toBe("git is not on PATH");
});
