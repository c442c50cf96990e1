/** Whose records a folder means, which are not believed, and that git is kept from them. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { World } from "../../harness.ts";
import { recordsFor } from "../../../src/system/files/records-place.ts";

let w: World;
let repository: string;
beforeEach(() => {
  w = new World();
  repository = join(w.dir, "repository");
  mkdirSync(join(repository, "a", "b"), { recursive: true });
  git(repository, "init", "-q");
});
afterEach(() => w.close());

const NOT_NAMED = { WORKERCTL_STATE_ROOT: undefined };
const git = (cwd: string, ...words: string[]) => {
  const done = Bun.spawnSync(["git", "-c", "user.name=t", "-c", "user.email=t@t", ...words], { cwd, env: w.env });
  if (done.exitCode !== 0) throw new Error(done.stderr.toString());
  return done.stdout.toString();
};
const at = (cwd: string, line: string) => w.run(line, { cwd, env: NOT_NAMED });
const create = (cwd: string) => at(cwd, "tasks --create t1 --goal g");
const names = async (cwd: string) => (await at(cwd, "tasks --json")).json().map((task: { name: string }) => task.name);

test("the nearest up to the repository's root is meant, and said on stderr when it is not here", async () => {
  expect((await create(repository)).stderr).toBe("");
  const below = await at(join(repository, "a", "b"), "tasks --json");
  expect([below.json().length, below.stderr]).toEqual([1, `note: the records are those in ${repository}/.codex-workers\n`]);
  expect(existsSync(join(repository, "a", "b", ".codex-workers"))).toBe(false);
  mkdirSync(join(repository, "a", ".codex-workers"));
  expect(recordsFor(join(repository, "a", "b"))).toBe(join(repository, "a", ".codex-workers"));
  expect((await at(join(repository, "a", "b"), "tasks --json")).json()).toEqual([]);
});

test("never beyond the root, and without a repository only here", async () => {
  mkdirSync(join(w.dir, ".codex-workers"));
  expect(recordsFor(join(repository, "a"))).toBe(join(repository, "a", ".codex-workers"));
  expect(recordsFor(w.work)).toBe(join(w.work, ".codex-workers"));
});

test("a linked worktree means the main one's, its own where it has some; a submodule is a repository of its own", async () => {
  await create(repository);
  git(repository, "commit", "-q", "--allow-empty", "-m", "x");
  const linked = join(w.dir, "linked");
  git(repository, "worktree", "add", "-q", linked);
  mkdirSync(join(linked, "deep"));
  expect(await names(join(linked, "deep"))).toEqual(["t1"]);
  mkdirSync(join(linked, ".codex-workers"));
  expect(recordsFor(join(linked, "deep"))).toBe(join(linked, ".codex-workers"));
  const sub = join(repository, "sub");
  mkdirSync(sub);
  writeFileSync(join(sub, ".git"), "gitdir: ../.git/modules/sub\n");
  expect(recordsFor(sub)).toBe(join(sub, ".codex-workers"));
});

const refused = async (cwd: string, why: string) => {
  const done = await at(cwd, "tasks --json");
  expect([done.exit, done.stdout]).toEqual([1, ""]);
  expect(done.stderr).toContain(why);
  const taken = await w.run(["tasks", "--json", "--path", join(repository, ".codex-workers", "workerctl.db")], { cwd, env: NOT_NAMED });
  expect([taken.exit, taken.json().length]).toEqual([0, 1]);
};

test.each(["2", "3", "4", "split"])(
  "records that git tracks are refused, from below too; --path takes them (index %s)",
  async (version) => {
    await create(repository);
    if (version === "split") git(repository, "update-index", "--split-index");
    else git(repository, "config", "index.version", version);
    git(repository, "add", "-f", ".codex-workers/workerctl.db");
    git(repository, "commit", "-qm", "x");
    await refused(repository, "git tracks them");
    await refused(join(repository, "a"), "git tracks them");
  },
);

test("a tracked .gitignore, and records of another folder, are no records here", async () => {
  await create(repository);
  mkdirSync(join(repository, "a", "x.codex-workers"));
  writeFileSync(join(repository, "a", "x.codex-workers", "f"), "");
  git(repository, "add", "-f", ".codex-workers/.gitignore", "a/x.codex-workers/f");
  expect(await names(repository)).toEqual(["t1"]);
});

test("records behind a link are refused, be it the folder or the file", async () => {
  await create(repository);
  const [folder, elsewhere] = [join(repository, ".codex-workers"), join(w.dir, "elsewhere")];
  renameSync(folder, elsewhere);
  symlinkSync(elsewhere, folder);
  await refused(repository, "is a link");
  Bun.spawnSync(["rm", folder]);
  mkdirSync(folder);
  symlinkSync(join(elsewhere, "workerctl.db"), join(folder, "workerctl.db"));
  await refused(repository, "is a link");
});

test.skipIf(process.getuid?.() !== 0)("records of another user are refused", async () => {
  await create(repository);
  chownSync(join(repository, ".codex-workers"), 1234, 1234);
  await refused(repository, "belongs to another user");
});

test("the folder holds a .gitignore, also one that is there already; a named folder with other things in it does not", async () => {
  await create(repository);
  expect(readFileSync(join(repository, ".codex-workers", ".gitignore"), "utf8")).toBe("*\n");
  expect(git(repository, "status", "--porcelain")).toBe("");
  mkdirSync(w.stateRoot);
  await w.ok("tasks --json");
  expect(existsSync(join(w.stateRoot, ".gitignore"))).toBe(false);
});
