/** worktree-remove and worktree-restore: what is in the way, what is kept, and that it comes back byte for byte. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { registerSession } from "../../../src/store/sessions/sessions.ts";
import { until } from "../../harness.ts";
import { LONG } from "../../long.ts";
import { git, standing, TreeWorld, write } from "./tree-world.ts";

let w: TreeWorld;
/** A session of which nothing but its process is known. */
const unknown = { codexSessionPath: null, codexSessionId: null, tmuxSession: null };

let path: string;
beforeEach(async () => {
  w = new TreeWorld();
  path = (await w.made("w1")).path;
});
afterEach(() => w.close());

const refused = async (line: string): Promise<string> => {
  const done = await w.run(line);
  expect(done.exit).toBe(1);
  expect(existsSync(path)).toBe(true);
  return done.stderr;
};

describe("what is in the way", () => {
  test("nothing: it goes, its branch stays, git knows of it no more, and another can be made", async () => {
    const removed = await w.ok("worktree-remove w1 --json");
    expect(removed).toMatchObject({ worker: "w1", branch: "conveyor/w1", forced: [] });
    expect(existsSync(path)).toBe(false);
    expect(git(w.repository, "worktree", "list").split("\n")).toHaveLength(1);
    expect(w.refOf("refs/heads/conveyor/w1")).toBe(w.refOf("HEAD"));
    expect(w.refOf(removed.kept_ref)).toBe(removed.kept_commit);
    expect(await w.ok("worktrees --json")).toEqual([]);
    expect((await w.made("w1")).path).toBe(path);
  });

  test("a changed file, an untracked one, a commit, a stash, a process: each is named, and nothing is touched", async () => {
    write(join(path, "a.txt"), "changed\n");
    expect(await refused("worktree-remove w1")).toContain("1 changed file: a.txt");
    git(path, "checkout", "-q", "a.txt");
    write(join(path, "new"), "new\n");
    write(join(path, "x.log"), "ignored");
    expect(await refused("worktree-remove w1")).toContain("1 untracked file: new");
    rmSync(join(path, "new"));
    write(join(path, "a.txt"), "stashed\n");
    git(path, "stash", "-q");
    expect(await refused("worktree-remove w1")).toContain("1 stash of its branch");
    git(path, "stash", "drop", "-q");
    git(path, "commit", "-q", "--allow-empty", "-m", "own");
    expect(await refused("worktree-remove w1")).toContain("1 commit that neither its base nor an upstream has");
    // Another branch that has it is none of those two; the base is.
    git(w.repository, "merge", "-q", "--ff-only", "conveyor/w1");
    const sleeper = Bun.spawn(["sleep", "600"], { cwd: path });
    try {
      const stranger = await refused("worktree-remove w1");
      expect(stranger).toContain(`process ${sleeper.pid} works there`);
      expect(stranger).toContain("hint: conveyor worktree-remove w1 --force");
      // The worker itself is not left in a folder that is gone.
      registerSession(w.store(), { ...unknown, name: "w1", role: "worker", pid: sleeper.pid, cwd: path });
      expect(await refused("worktree-remove w1")).toContain("hint: conveyor stop w1 ");
      await w.ok("deregister w1");
    } finally {
      sleeper.kill();
      await sleeper.exited;
    }
    const [report] = await w.ok("worktrees --json");
    expect(report).toMatchObject({ changed: [], untracked: [], commits: 0, stashes: 0, processes: [], ignored: { files: 1, bytes: 7 } });
    await w.ok("worktree-remove w1");
  });

  test("a file held open from elsewhere counts", async () => {
    const sleeper = Bun.spawn(["sh", "-c", 'exec 3<"$1"; exec sleep 600', "sh", join(path, "a.txt")], { cwd: w.dir });
    try {
      const [report] = await until("the file to be open", async () => {
        const all = await w.ok("worktrees --json");
        return all[0].processes.length > 0 && all;
      });
      expect(report.processes).toEqual([sleeper.pid]);
    } finally {
      sleeper.kill();
      await sleeper.exited;
    }
  });

  test("what the index hides is seen: assumed unchanged, skipped, staged and taken from the disk again", async () => {
    git(path, "update-index", "--assume-unchanged", "a.txt");
    write(join(path, "a.txt"), "hidden\n");
    expect(await refused("worktree-remove w1")).toContain("1 changed file: a.txt");
    git(path, "update-index", "--no-assume-unchanged", "a.txt");
    git(path, "checkout", "-q", "a.txt");
    write(join(path, "staged"), "only in the index\n");
    git(path, "add", "staged");
    rmSync(join(path, "staged"));
    expect(await refused("worktree-remove w1")).toContain("1 changed file: staged");
  });

  test("a repository inside refuses also with --force", async () => {
    git(path, "init", "-q", "inner");
    write(join(path, "inner", "x"), "x");
    expect(await refused("worktree-remove w1 --force")).toContain("inner is a repository of its own");
    expect(existsSync(join(path, "inner", "x"))).toBe(true);
  });

  test("one that changes between the two looks stands where it stood, with its change", async () => {
    const real = Bun.which("git")!;
    write(
      join(w.dir, "bin", "git"),
      `#!/bin/sh\ncase "$GIT_WORK_TREE" in */.removing-*) echo late > "$GIT_WORK_TREE/late" ;; esac\nexec '${real}' "$@"\n`,
    );
    chmodSync(join(w.dir, "bin", "git"), 0o755);
    const done = await w.run("worktree-remove w1 --force", { env: { PATH: `${join(w.dir, "bin")}:${w.env.PATH}` } });
    expect(done.exit).toBe(1);
    expect(done.stderr).toContain("it was changed while it was being removed");
    expect(readFileSync(join(path, "late"), "utf8")).toBe("late\n");
    expect((await w.ok("worktrees --json"))[0]).toMatchObject({ state: "made", untracked: ["late"] });
    const { kept_ref } = await w.ok("worktree-remove w1 --force --json");
    expect(git(w.repository, "show", `${kept_ref}:late`)).toBe("late");
  });

  test("records elsewhere, and a state root behind a link that is not made yet", async () => {
    mkdirSync(join(w.dir, "real"));
    symlinkSync(join(w.dir, "real"), join(w.dir, "link"));
    w.env.WORKERCTL_STATE_ROOT = join(w.dir, "link", "state root");
    const database = join(w.dir, "elsewhere.db");
    const tree = await w.made("w9", {}, database);
    expect(tree.path).toBe(join(realpathSync(w.dir), "real", "state root", ".worktrees", "w9"));
    expect(readFileSync(join(w.dir, "real", "state root", ".gitignore"), "utf8")).toBe("*\n");
    write(join(tree.path, "new"), "x");
    expect((await w.run(["worktree-remove", "w9", "--path", database])).stderr).toContain("1 untracked file: new");
    await w.ok(["worktree-remove", "w9", "--force", "--path", database]);
    expect(existsSync(tree.path)).toBe(false);
  });

  test("an unknown worker, and a second removal at the same time", async () => {
    expect(await refused("worktree-remove w2")).toContain('no worktree of "w2"');
    const lock = join(w.repository, ".git", "conveyor-worktrees.lock");
    const holder = Bun.spawn(["flock", lock, "sh", "-c", "echo held; read x"], { stdin: "pipe", stdout: "pipe" });
    await holder.stdout.getReader().read();
    expect(await refused("worktree-remove w1")).toContain("another process is at the worktrees");
    // The lock of one that was killed is none.
    holder.kill("SIGKILL");
    await holder.exited;
    holder.stdin.end();
  });
});

test("taken away by hand it goes off the record, and what only git's own folder leads to stays until somebody lets go of it", async () => {
  const { kept_ref } = await w.ok("worktree-remove w1 --json");
  await w.made("w1", { branch: "other" });
  git(path, "checkout", "-q", "--detach");
  git(path, "commit", "-q", "--allow-empty", "-m", "only here");
  const only = git(path, "rev-parse", "HEAD");
  rmSync(path, { recursive: true });
  const gone = await w.run("worktree-remove w1");
  expect(gone.stderr).toContain("was taken away by somebody else, and is off the record now");
  const forget = `git --git-dir '${join(w.repository, ".git")}' worktree remove -f -f ${path}`;
  expect(gone.stderr).toContain(forget);
  await expect(w.made("w1")).rejects.toThrow("git still knows of a worktree");
  const restored = await w.run(["worktree-restore", kept_ref]);
  expect([restored.exit, restored.stderr]).toEqual([1, expect.stringContaining(forget)]);
  expect(git(w.repository, "rev-list", "--all", "--reflog")).toContain(only);
  Bun.spawnSync(["sh", "-c", forget]);
  await w.ok(["worktree-restore", kept_ref]);
  expect(existsSync(join(path, "a.txt"))).toBe(true);
});

describe("a submodule", () => {
  let outer: string;
  beforeEach(async () => {
    const library = join(w.dir, "library");
    mkdirSync(library);
    git(library, "init", "-q", "-b", "main");
    write(join(library, "l"), "l\n");
    git(library, "add", ".");
    git(library, "commit", "-qm", "l");
    git(w.repository, "submodule", "add", "-q", library, "lib");
    git(w.repository, "commit", "-qm", "with a submodule");
    outer = (await w.made("w2")).path;
    git(outer, "submodule", "update", "-q", "--init");
  });

  test("with nothing of its own is in the way of nothing, and its commit is kept", async () => {
    const { kept_ref } = await w.ok("worktree-remove w2 --json");
    expect(git(w.repository, "ls-tree", kept_ref, "lib")).toContain("160000 commit");
    expect(existsSync(outer)).toBe(false);
  });

  test("with changes, or with commits of its own, refuses also with --force", async () => {
    write(join(outer, "lib", "l"), "changed\n");
    const changed = await w.run("worktree-remove w2 --force");
    expect(changed.stderr).toContain("the submodule lib has changes");
    git(join(outer, "lib"), "commit", "-qam", "own");
    const { stderr } = await w.run("worktree-remove w2 --force");
    expect(stderr).toContain("the submodule lib is at another commit");
    expect(stderr).toContain("the submodule lib has commits of its own");
    git(join(outer, "lib"), "checkout", "-q", "HEAD^");
    // Only the log of the submodule leads to it now.
    expect((await w.run("worktree-remove w2 --force")).stderr).toContain("the submodule lib has commits of its own");
    expect(existsSync(outer)).toBe(true);
  });
});

describe("forced and restored", () => {
  const roundTrip = async (more = ""): Promise<string> => {
    const before = standing(path);
    const status = git(path, "status", "--porcelain=v1", "--ignored");
    const { kept_ref } = await w.ok(`worktree-remove w1 --force --json ${more}`);
    expect(existsSync(path)).toBe(false);
    const files = join(w.dir, "files");
    await w.ok(["worktree-restore", kept_ref, "--into", files]);
    expect(standing(files)).toEqual(before);
    await w.ok(["worktree-restore", kept_ref]);
    expect(standing(path)).toEqual(before);
    expect(git(path, "status", "--porcelain=v1", "--ignored")).toBe(status);
    return kept_ref;
  };

  test("changed, untracked, staged, deleted, ignored, odd names and rights, links, empty folders: all comes back", async () => {
    write(join(path, "a.txt"), "staged\n");
    git(path, "add", "a.txt");
    write(join(path, "a.txt"), "and changed\n");
    rmSync(join(path, "sub"), { recursive: true });
    for (const name of ["-rf", "--force", ":(top)x", "a\nb", " ", "ü", "*", "git~1", ".gitmodules", "deep/er/x"])
      write(join(path, name), name);
    writeFileSync(Buffer.concat([Buffer.from(`${path}/`), Buffer.from([0xff, 0xfe])]), "no UTF-8");
    write(join(path, "secret"), "0600");
    chmodSync(join(path, "secret"), 0o600);
    write(join(path, "tool"), "#!/bin/sh\n");
    chmodSync(join(path, "tool"), 0o755);
    symlinkSync("../../../nowhere", join(path, "link"));
    symlinkSync("/etc", join(path, "out-link"));
    mkdirSync(join(path, "empty/of/all"), { recursive: true });
    write(join(path, "out/x"), "ignored");
    write(join(path, "big.log"), new Uint8Array(100_000));
    write(join(path, "large"), new Uint8Array(9 << 20).fill(7));
    await roundTrip("--keep-ignored");
    expect(git(path, "symbolic-ref", "HEAD")).toBe("refs/heads/conveyor/w1");
    expect(git(path, "show", ":a.txt")).toBe("staged");
  });

  test("what is ignored is named, and goes", async () => {
    write(join(path, "out/x"), "ignored");
    const { dropped } = await w.ok("worktree-remove w1 --json");
    expect(dropped).toEqual({ files: 1, bytes: 7, names: ["out/"] });
  });

  test("bytes as on disk: line ends, encodings, keywords, and filters that never run", async () => {
    const canary = join(w.dir, "canary");
    git(w.repository, "config", "core.autocrlf", "true");
    for (const what of ["clean", "smudge", "process"]) git(w.repository, "config", `filter.bad.${what}`, `touch ${canary}; cat`);
    git(w.repository, "config", "filter.bad.required", "true");
    write(join(path, ".gitattributes"), "*.u16 working-tree-encoding=UTF-16\n*.id ident\n*.f filter=bad\n*.t text eol=lf\n");
    write(join(path, "x.u16"), Buffer.from("\ufeffhello\r\n", "utf16le"));
    write(join(path, "x.id"), "$Id$ and $Id: not mine $\n");
    write(join(path, "x.f"), "filtered?");
    write(join(path, "x.t"), "a\r\nb\nc\r\n");
    write(join(path, "mixed.txt"), "a\r\nb\n");
    const before = standing(path);
    const { kept_ref } = await w.ok("worktree-remove w1 --force --json");
    await w.ok(["worktree-restore", kept_ref]);
    expect(standing(path)).toEqual(before);
    expect(existsSync(canary)).toBe(false);
  });

  test("a detached HEAD, with commits that nothing else leads to, and a commit that only its log names", async () => {
    git(path, "commit", "-q", "--allow-empty", "-m", "to be amended");
    const amended = git(path, "rev-parse", "HEAD");
    git(path, "checkout", "-q", "--detach");
    git(path, "commit", "-q", "--amend", "--allow-empty", "-m", "amended");
    git(path, "branch", "-qf", "conveyor/w1", "main");
    const head = git(path, "rev-parse", "HEAD");
    const kept = await roundTrip();
    expect(git(path, "rev-parse", "HEAD")).toBe(head);
    const reach = git(w.repository, "rev-list", kept).split("\n");
    expect(reach).toContain(head);
    expect(reach).toContain(amended);
  });

  test("an unborn branch, and a merge that stands in conflict", async () => {
    git(path, "checkout", "-q", "--orphan", "fresh");
    await roundTrip();
    expect(git(path, "symbolic-ref", "HEAD")).toBe("refs/heads/fresh");
    git(path, "checkout", "-qf", "conveyor/w1");
    write(join(path, "a.txt"), "mine\n");
    git(path, "commit", "-qam", "mine");
    w.put("a.txt", "theirs\n");
    git(w.repository, "commit", "-qam", "theirs");
    expect(() => git(path, "merge", "main")).toThrow();
    await w.ok("worktree-remove w1 --force --json").then(({ kept_ref }) => w.ok(["worktree-restore", kept_ref]));
    expect(git(path, "ls-files", "--unmerged").split("\n")).toHaveLength(3);
    expect(readFileSync(join(path, "a.txt"), "utf8")).toContain("<<<<<<<");
  });

  test("names of objects of 64 digits", async () => {
    w.close();
    w = new TreeWorld({ sha256: true });
    path = (await w.made("w1")).path;
    write(join(path, "new"), "new\n");
    await roundTrip();
  });

  test("many files: ten thousand in the long run", async () => {
    const many = LONG === null ? 300 : 10_000;
    for (let at = 0; at < many; at += 1) write(join(path, `many/${at % 100}/${at}`), `file ${at}`);
    expect((await w.ok("worktrees --json"))[0].untracked).toHaveLength(many);
    await roundTrip();
  });

  test("a place that is taken, and a name that keeps nothing", async () => {
    const { kept_ref } = await w.ok("worktree-remove w1 --json");
    await w.made("w1");
    expect(await refused(`worktree-restore ${kept_ref}`)).toContain("is taken: w1 has a worktree");
    expect(await refused(`worktree-restore ${kept_ref} --into ${w.work}/../home/..`)).toContain("is no empty folder");
    expect(await refused("worktree-restore w1/nothing")).toContain("nothing is kept as w1/nothing");
    expect(await refused("worktree-restore -- --output=x")).toContain("nothing is kept");
    const hint = async (name: string) => (await w.run(["worktree-restore", name], { cwd: w.repository })).stderr.split("hint: ")[1];
    expect(await hint("w1")).toBe(`what was kept last of it: conveyor worktree-restore ${kept_ref.replace("refs/conveyor/kept/", "")}\n`);
    expect(await hint("w2")).toBe(`what is kept: git --git-dir '${w.repository}/.git' for-each-ref refs/conveyor/kept/\n`);
  });
});
