/** What counts as the same tree: nothing that the repository's index or configuration says may make a change unseen or unnamed. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { treeState } from "../../src/system/git/tree-state.ts";

let dir: string;
let work: string;
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), "tree-state-")));
  work = join(dir, "work");
  mkdirSync(work);
  git("init", "-q");
  write("src/a.ts", "one\n");
  write("b.txt", "bee\n");
  write(".gitignore", "dist/\n*.log\n");
  git("add", "-A");
  git("commit", "-qm", "first");
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const env = { PATH: process.env.PATH, HOME: "/nowhere", GIT_CONFIG_NOSYSTEM: "1" };
function gitIn(folder: string, ...words: string[]): void {
  const settings = ["user.name=t", "user.email=t@t", "protocol.file.allow=always", "init.defaultBranch=main"].flatMap((each) => [
    "-c",
    each,
  ]);
  const done = Bun.spawnSync(["git", ...settings, ...words], { cwd: folder, env });
  if (done.exitCode !== 0) throw new Error(done.stderr.toString());
}
const git = (...words: string[]) => gitIn(work, ...words);
function write(name: string, text: string): void {
  mkdirSync(dirname(join(work, name)), { recursive: true });
  writeFileSync(join(work, name), text);
}
const look = async (folder = work) => (await treeState(env, folder, []))!;
const digest = async () => (await look()).diff_sha256;
const named = async () => (await look()).not_seen.named;

describe("a change is seen", () => {
  for (const [what, bend, change] of [
    [
      "in a file that the index calls unchanged",
      () => git("update-index", "--assume-unchanged", "src/a.ts"),
      () => write("src/a.ts", "two\n"),
    ],
    ["in a file that the index skips", () => git("update-index", "--skip-worktree", "src/a.ts"), () => write("src/a.ts", "two\n")],
    ["in a file of the same size and times", () => {}, () => (write("src/a.ts", "two\n"), utimesSync(join(work, "src/a.ts"), 1, 1))],
    ["in a new file that info/exclude hides", () => write(".git/info/exclude", "*\n"), () => write("evil.ts", "x")],
    [
      "in a new file that core.excludesFile hides",
      () => (write(".git/hide", "*\n"), git("config", "core.excludesFile", join(work, ".git/hide"))),
      () => write("evil.ts", "x"),
    ],
    [
      "in a file whose filter says otherwise",
      () => (git("config", "filter.f.clean", "echo one"), write(".git/info/attributes", "* filter=f\n")),
      () => write("src/a.ts", "two\n"),
    ],
    [
      "in a file that .gitattributes filters",
      () => (write(".gitattributes", "* filter=f\n"), git("config", "filter.f.clean", "echo one")),
      () => write("src/a.ts", "two\n"),
    ],
    ["in a file outside of a sparse checkout", () => git("sparse-checkout", "set", "--no-cone", "b.txt"), () => write("src/a.ts", "two\n")],
    [
      "behind a monitor that saw nothing",
      () => (git("config", "core.fsmonitor", "true"), git("update-index", "--untracked-cache")),
      () => write("src/new.ts", "x"),
    ],
    [
      "with settings that trust no time, size or mode",
      () => (
        git("config", "core.fileMode", "false"),
        git("config", "core.trustctime", "false"),
        git("config", "core.checkStat", "minimal")
      ),
      () => chmodSync(join(work, "src/a.ts"), 0o755),
    ],
    [
      "when core.worktree points to a copy",
      () => (
        mkdirSync(join(dir, "copy")),
        gitIn(work, "--work-tree", join(dir, "copy"), "checkout", "-q", "-f", "HEAD"),
        git("config", "core.worktree", join(dir, "copy"))
      ),
      () => write("src/a.ts", "two\n"),
    ],
    [
      "in a folder that was made a repository of its own",
      () => (write("vendor/x.js", "one"), gitIn(join(work, "vendor"), "init", "-q")),
      () => write("vendor/x.js", "two"),
    ],
    [
      "in a folder with a .git that is none",
      () => (write("vendor/x.js", "one"), write("vendor/.git", "gitdir: /nowhere\n")),
      () => write("vendor/x.js", "two"),
    ],
    ["when status shows no untracked files", () => git("config", "status.showUntrackedFiles", "no"), () => write("evil.ts", "x")],
    [
      "in a tracked file that is ignored",
      () => (write("dist/kept.js", "one"), git("add", "-f", "dist/kept.js"), git("commit", "-qm", "x")),
      () => write("dist/kept.js", "two"),
    ],
    [
      "in an ignored file that a replaced tree no longer has",
      () => (write("dist/kept.js", "one"), git("add", "-f", "dist/kept.js"), git("commit", "-qm", "x"), git("replace", "HEAD", "HEAD~1")),
      () => write("dist/kept.js", "two"),
    ],
    [
      "in a name that is no text",
      () => writeFileSync(Buffer.concat([Buffer.from(`${work}/n`), Buffer.from([0xff])]), "one"),
      () => writeFileSync(Buffer.concat([Buffer.from(`${work}/n`), Buffer.from([0xff])]), "two"),
    ],
    ["in a name that looks like a pattern", () => write(":(glob)*", "one"), () => write(":(glob)*", "two")],
    ["in a name with a newline", () => write("a\nb", "one"), () => write("a\nb", "two")],
    [
      "in where a link leads",
      () => symlinkSync("b.txt", join(work, "link")),
      () => (unlinkSync(join(work, "link")), symlinkSync("src/a.ts", join(work, "link"))),
    ],
    [
      "when a folder becomes a link to another",
      () => {},
      () => (renameSync(join(work, "src"), join(dir, "elsewhere")), symlinkSync(join(dir, "elsewhere"), join(work, "src"))),
    ],
    ["in a file that is gone", () => {}, () => unlinkSync(join(work, "b.txt"))],
    ["in what is ignored itself", () => {}, () => appendFileSync(join(work, ".gitignore"), "b*\n")],
    [
      "in a large file, by its time",
      () => (write("big", ""), truncateSync(join(work, "big"), 65 << 20)),
      () => appendFileSync(join(work, "big"), "") ?? utimesSync(join(work, "big"), 5, 5),
    ],
  ] as const) {
    test(what, async () => {
      bend();
      const before = await digest();
      expect(await digest()).toBe(before);
      change();
      expect(await digest()).not.toBe(before);
    });
  }

  test("in a submodule, whatever the settings ignore of it", async () => {
    gitIn(dir, "init", "-q", "inner");
    writeFileSync(join(dir, "inner", "x.js"), "one");
    gitIn(join(dir, "inner"), "add", "-A");
    gitIn(join(dir, "inner"), "commit", "-qm", "x");
    git("submodule", "--quiet", "add", join(dir, "inner"), "sub");
    git("config", "submodule.sub.ignore", "all");
    git("commit", "-qam", "sub");
    const before = await look();
    expect(before.dirty).toBe(false);
    write("sub/x.js", "two");
    expect(await digest()).not.toBe(before.diff_sha256);
  });
});

describe("what is not seen is named", () => {
  test("ignored files, once for a whole folder", async () => {
    write("dist/out.js", "x");
    write("dist/more.js", "x");
    write("src/run.log", "x");
    expect(await named()).toEqual([
      { path: "dist/", why: "ignored" },
      { path: "src/run.log", why: "ignored" },
    ]);
    const before = await digest();
    write("dist/out.js", "y");
    expect(await digest()).toBe(before);
  });

  test("a folder that ignores itself", async () => {
    write("hidden/.gitignore", "*\n");
    write("hidden/evil.ts", "x");
    expect((await named()).map(({ path }) => path)).toEqual(["hidden/.gitignore", "hidden/evil.ts"]);
  });

  test("a large file", async () => {
    write("big", "");
    truncateSync(join(work, "big"), 65 << 20);
    expect(await named()).toEqual([{ path: "big", why: "large" }]);
  });

  test("links that lead out of the tree, or into the repository's own folder", async () => {
    symlinkSync("/etc/hosts", join(work, "out"));
    symlinkSync(".git/config", join(work, "in"));
    symlinkSync("src/a.ts", join(work, "fine"));
    symlinkSync("../nothing", join(work, "gone"));
    expect((await named()).map(({ path, why }) => `${path} ${why}`).sort()).toEqual(["gone leads out", "in leads out", "out leads out"]);
  });

  test("our own records, and only those", async () => {
    write("records/db", "x");
    const state = await treeState(env, work, [join(work, "records")]);
    expect(state?.not_seen.named).toEqual([{ path: "records", why: "our own records" }]);
    expect(state?.dirty).toBe(false);
  });

  test("at most fifty by name, all by number", async () => {
    for (let n = 0; n < 60; n++) write(`${n}.log`, "x");
    const { not_seen } = await look();
    expect([not_seen.count, not_seen.named.length]).toEqual([60, 50]);
  });
});

describe("the tree", () => {
  test("is the same from every folder in it, and clean when nothing differs", async () => {
    const whole = await look();
    expect(whole).toEqual(await look(join(work, "src")));
    expect([whole.dirty, whole.not_seen.count]).toEqual([false, 0]);
  });

  test("is clean when git writes other line ends", async () => {
    write(".gitattributes", "*.txt text eol=crlf\n");
    git("add", "-A");
    git("commit", "-qm", "x");
    unlinkSync(join(work, "b.txt"));
    git("checkout", "b.txt");
    expect((await look()).dirty).toBe(false);
    write("b.txt", "other\r\n");
    expect((await look()).dirty).toBe(true);
  });

  test("is read where objects have longer names, in a linked worktree and with a split index", async () => {
    mkdirSync(join(dir, "long"));
    gitIn(join(dir, "long"), "init", "-q", "--object-format=sha256");
    writeFileSync(join(dir, "long", "f"), "x");
    gitIn(join(dir, "long"), "add", "-A");
    gitIn(join(dir, "long"), "commit", "-qm", "x");
    expect(await look(join(dir, "long"))).toMatchObject({ dirty: false });
    git("worktree", "add", "-q", join(dir, "linked"));
    expect((await look(join(dir, "linked"))).diff_sha256).toBe(await digest());
    git("update-index", "--split-index");
    expect(await look()).toMatchObject({ dirty: false });
  });

  test("without a commit has all its files, and a .git that is none has none", async () => {
    mkdirSync(join(dir, "new"));
    gitIn(join(dir, "new"), "init", "-q");
    writeFileSync(join(dir, "new", "f"), "x");
    expect(await look(join(dir, "new"))).toMatchObject({ head: null, dirty: true });
    mkdirSync(join(work, "src", ".git"));
    expect(await treeState(env, join(work, "src"), [])).toBeNull();
  });

  test("does not wait for a pipe", async () => {
    Bun.spawnSync(["mkfifo", join(work, "pipe")]);
    expect((await look()).dirty).toBe(true);
  });
});

test("a change is seen wherever the repository lies", async () => {
  for (const name of ["wörk", "日本", "a'b", "new\nline", "-x"]) {
    work = join(dir, name);
    mkdirSync(work);
    git("init", "-q");
    write("src/a.ts", "one\n");
    git("add", "-A");
    git("commit", "-qm", "first");
    const before = await look();
    expect(before).toMatchObject({ dirty: false, not_seen: { count: 0 } });
    write("src/a.ts", "two\n");
    const after = await look();
    expect(after.dirty).toBe(true);
    expect(after.diff_sha256).not.toBe(before.diff_sha256);
  }
});
