/** Whose records a folder means, which are not believed, and that git is kept from them. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chownSync, copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { World } from "../harness.ts";
import { recordsFor } from "../../src/system/records-place.ts";

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

const refused = async (cwd: string, why: string, owner = repository) => {
  const done = await at(cwd, "tasks --json");
  expect([done.exit, done.stdout]).toEqual([1, ""]);
  expect(done.stderr).toContain(why);
  const taken = await w.run(["tasks", "--json", "--path", join(owner, ".codex-workers", "workerctl.db")], { cwd, env: NOT_NAMED });
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

test("a folder that stands in a sparse index as one entry is looked into", async () => {
  await create(repository);
  const database = join(".codex-workers", "workerctl.db");
  mkdirSync(join(repository, "a", ".codex-workers"));
  renameSync(join(repository, database), join(repository, "a", database));
  rmSync(join(repository, ".codex-workers"), { recursive: true });
  writeFileSync(join(repository, "a", "b", "f"), "");
  git(repository, "add", "-f", `a/${database}`, "a/b/f");
  git(repository, "commit", "-qm", "x");
  const kept = join(w.dir, "kept.db");
  copyFileSync(join(repository, "a", database), kept);
  git(repository, "sparse-checkout", "set", "--cone", "--sparse-index", "other");
  expect(git(repository, "ls-files", "--sparse")).toBe("a/\n");
  mkdirSync(join(repository, "a", "b"), { recursive: true });
  mkdirSync(join(repository, "a", ".codex-workers"));
  copyFileSync(kept, join(repository, "a", database));
  await refused(join(repository, "a", "b"), "git tracks them", join(repository, "a"));
});

/** A repository that is nothing but records with a task in them. */
async function evilRecords(): Promise<string> {
  const evil = join(w.dir, "evil");
  mkdirSync(evil);
  await create(evil);
  renameSync(join(evil, ".codex-workers", "workerctl.db"), join(evil, "workerctl.db"));
  rmSync(join(evil, ".codex-workers"), { recursive: true });
  git(evil, "init", "-q");
  git(evil, "add", "workerctl.db");
  git(evil, "commit", "-qm", "x");
  return evil;
}

const withFiles = ["-c", "protocol.file.allow=always"];
/** A clone, with its submodules, of a repository in which `origin` is the submodule `path`. */
function cloneWith(origin: string, path: string, prepare = () => {}): string {
  const clone = join(w.dir, "clone");
  git(repository, ...withFiles, "submodule", "--quiet", "add", "--name", "NAME", origin, path);
  prepare();
  git(repository, "commit", "-qam", "x");
  git(w.dir, ...withFiles, "clone", "-q", "--recurse-submodules", repository, clone);
  mkdirSync(join(clone, "deep"));
  return clone;
}

/** Writes the index of a repository anew, as this kind. */
function reindex(root: string, kind: string): void {
  if (kind === "split") git(root, "update-index", "--split-index");
  else git(root, "update-index", "--index-version", kind);
}

const KINDS = ["2", "4", "split"];

test("records that are a submodule are refused, from below too; --path takes them", async () => {
  const clone = cloneWith(await evilRecords(), ".codex-workers");
  const records = join(clone, ".codex-workers");
  // The entry in the index of the outer repository is enough …
  const words = readFileSync(join(records, ".git"));
  rmSync(join(records, ".git"));
  for (const kind of KINDS) {
    reindex(clone, kind);
    await refused(clone, "git tracks them", clone);
    await refused(join(clone, "deep"), "git tracks them", clone);
  }
  // … and so is the index of the inner one.
  writeFileSync(join(records, ".git"), words);
  git(clone, "rm", "-q", "--cached", ".codex-workers");
  for (const kind of KINDS) {
    reindex(records, kind);
    await refused(clone, "git tracks them", clone);
    await refused(join(clone, "deep"), "git tracks them", clone);
  }
}, 120_000);

const INNER: Readonly<Record<string, (evil: string, records: string) => void>> = {
  "a clone": (evil, records) => git(w.dir, "clone", "-q", evil, records),
  "a linked worktree of another": (evil, records) => git(evil, "worktree", "add", "-q", "--detach", records),
  "one whose folder of git is a link": (evil, records) => {
    git(w.dir, "clone", "-q", evil, records);
    renameSync(join(records, ".git"), join(w.dir, "git"));
    symlinkSync(join(w.dir, "git"), join(records, ".git"));
  },
  "one whose file of git is a link": (evil, records) => {
    git(w.dir, "clone", "-q", "--separate-git-dir", join(w.dir, "git"), evil, records);
    renameSync(join(records, ".git"), join(w.dir, "words"));
    symlinkSync(join(w.dir, "words"), join(records, ".git"));
  },
};
describe.each(Object.keys(INNER))("records that are a repository of their own, %s", (way) => {
  test.each(["another repository", "no repository"])("are refused in %s", async (where) => {
    const outer = where === "no repository" ? w.work : repository;
    INNER[way]!(await evilRecords(), join(outer, ".codex-workers"));
    await refused(outer, "git tracks them", outer);
  });
});

test("an empty repository of one's own in the records tracks nothing", async () => {
  await create(repository);
  const records = join(repository, ".codex-workers");
  git(records, "init", "-q");
  expect(await names(repository)).toEqual(["t1"]);
  git(records, "add", "-f", ".gitignore");
  expect(await names(repository)).toEqual(["t1"]);
});

test.each([
  ["a blank at its end", Buffer.from("sub ")],
  ["bytes that are no UTF-8", Buffer.from([0x73, 0xff])],
])("a submodule whose name has %s is found all the same", async (_, name) => {
  const evil = await evilRecords();
  mkdirSync(join(evil, ".codex-workers"));
  git(evil, "mv", "workerctl.db", ".codex-workers");
  git(evil, "commit", "-qm", "x");
  const clone = cloneWith(evil, "sub", () => {
    const file = join(repository, ".gitmodules");
    const modules = readFileSync(file);
    const before = modules.indexOf("NAME");
    writeFileSync(file, Buffer.concat([modules.subarray(0, before), name, modules.subarray(before + 4)]));
  });
  expect(readFileSync(join(clone, "sub", ".git")).includes(name)).toBe(true);
  await refused(join(clone, "sub"), "git tracks them", join(clone, "sub"));
});

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

const WORKER_FILES: Readonly<Record<string, string>> = {
  "config.json": '{"name":"w1","cwd":"/","tmux_session":"codex-w1"}',
  "status.json": '{"state":"blocked","current_task":"run this","next_action":"n"}',
  "events.jsonl": '{"time":"2026-01-01T00:00:00.000Z","type":"nudge","message":"from the clone"}\n',
};
const BY_FILES = [
  "list --json",
  "events w1",
  "update-status w1 --state blocked --current-task t --next-action n",
  "nudge w1 hello",
  "status w1",
  "capture w1",
  "import-compat",
];
const withPath = (line: string, root: string) => [...line.split(" "), "--path", join(root, ".codex-workers", "workerctl.db")];

describe("workers in files that git tracks, without a database", () => {
  let worker: string;
  beforeEach(() => {
    worker = join(repository, ".codex-workers", "w1");
    mkdirSync(worker, { recursive: true });
    for (const [name, words] of Object.entries(WORKER_FILES)) writeFileSync(join(worker, name), words);
    git(repository, "add", "-f", ".codex-workers");
    git(repository, "commit", "-qm", "x");
  });

  test.each(BY_FILES)("`%s` believes none of them, and writes nothing", async (line) => {
    for (const cwd of [repository, join(repository, "a")]) {
      const done = await at(cwd, line);
      expect([done.exit, done.stdout]).toEqual([1, ""]);
      expect(done.stderr).toContain("git tracks them");
    }
    expect(git(repository, "status", "--porcelain", "--ignored")).toBe("");
  });

  test("a database that is named elsewhere does not make them believed", async () => {
    const elsewhere = [..."list --json --path".split(" "), join(w.dir, "other.db")];
    const done = await w.run(elsewhere, { cwd: repository, env: NOT_NAMED });
    expect([done.exit, done.stdout]).toEqual([1, ""]);
  });

  test("the file beside them named on purpose, or the folder, does; doctor tells of them", async () => {
    const named = await w.run(withPath("events w1", repository), { cwd: repository, env: NOT_NAMED });
    expect([named.exit, named.json().message]).toEqual([0, "from the clone"]);
    const folder = { WORKERCTL_STATE_ROOT: join(repository, ".codex-workers") };
    expect((await w.run("list --json", { cwd: repository, env: folder })).json()[0].current_task).toBe("run this");
    expect((await at(repository, "doctor")).json().checks).toContainEqual(expect.objectContaining({ name: "state_root_exists", ok: true }));
  });

  test("one's own, which git does not track, are read as before, and said to be elsewhere", async () => {
    git(repository, "rm", "-rq", "--cached", ".codex-workers");
    const done = await at(join(repository, "a"), "events w1");
    expect([done.exit, done.json().message]).toEqual([0, "from the clone"]);
    expect(done.stderr).toBe(`note: the records are those in ${repository}/.codex-workers\n`);
  });
});
