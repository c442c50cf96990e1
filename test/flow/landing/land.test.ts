/** `land`: what it merges, what it refuses, and what it leaves behind. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { World } from "../../harness.ts";
import { git, landingWorld, type LandingWorld, leftovers, prove, together } from "../../landing-world.ts";

let w: World;
let l: LandingWorld;
beforeEach(async () => {
  w = new World();
  w.realTime = true;
  l = await landingWorld(w);
});
afterEach(() => w.close());

const head = (ref = "main"): string => git(w, l.repo, "rev-parse", ref);
const clean = (): void => {
  expect(together(w, l.repo)).toBe(true);
  expect(leftovers(w, l.repo)).toEqual([]);
};

test("what is not committed is committed on the worker's branch, proven on the merge, and lands", async () => {
  await Bun.write(join(l.tree, "a.txt"), "one\ntwo\nTHREE\n");
  await Bun.write(join(l.tree, "new file.txt"), "new\n");
  const id = await prove(w, l.tree, ["grep", "-q", "THREE", "a.txt"]);
  await Bun.write(join(l.repo, "b.txt"), "moved\n");
  git(w, l.repo, "commit", "-qam", "second");
  const before = head();
  // A trial tells what would be, and leaves no trace.
  const ledger = () => w.rows("select status, evidence_json from acceptance_criteria");
  const criteria = ledger();
  const trial = await w.ok("land t1 --dry-run --json");
  expect(trial).toMatchObject({
    landed: false,
    dry_run: true,
    refused: null,
    before,
    proofs: [{ criterion_id: id, exit_code: 0, evidence_id: null }],
  });
  const { stderr } = await w.run("land t1 --dry-run", { ttyErr: true });
  expect(stderr).toContain("with what is not committed by w1: ");
  expect(stderr).not.toContain(" committed what ");
  expect([head(), head("conveyor/w1"), ledger()]).toEqual([before, l.record.base_commit, criteria]);
  expect(w.rows("select 1 from evidence_runs")).toHaveLength(1);
  clean();
  const done = await w.run("land t1 --json --finish", { ttyErr: true });
  const said = done.json();
  expect(said).toMatchObject({
    task: "t1",
    branch: "conveyor/w1",
    into: "main",
    before,
    landed: true,
    refused: null,
    conflicts: [],
    restarted: false,
    finished: true,
  });
  expect(done.exit).toBe(0);
  expect(said.proofs).toMatchObject([{ criterion_id: id, exit_code: 0, command: ["grep", "-q", "THREE", "a.txt"] }]);
  expect(done.stderr).toContain(`proof of criterion ${id}: grep -q THREE a.txt`);
  expect(said.after).toBe(head());
  expect(git(w, l.repo, "log", "--format=%s|%an", "--first-parent")).toBe("Merge conveyor/w1: t1: Ship it|conveyor\nsecond|Ada\nfirst|Ada");
  expect(git(w, l.repo, "show", "main:new file.txt")).toBe("new");
  expect(together(w, l.tree)).toBe(true);
  clean();
  // The criterion rests on the merge, and is fresh where BRANCH is checked out.
  const [criterion] = await w.ok("criteria t1 --list --json").then((all) => all.criteria ?? all);
  expect(criterion.evidence).toMatchObject({ evidence_run_id: said.proofs[0].evidence_id, git_head: said.after, git_dirty: false });
  expect(criterion.machine_proof).toMatchObject({ state: "fresh", folder: l.repo });
  expect(w.rows("select state from tasks")).toEqual([{ state: "done" }]);
  expect((await w.run("replay t1")).stdout).toContain("Landed conveyor/w1 on main, proven on the merge");
  expect((await w.run("land t1")).stdout).toContain("Nothing to land: main has all of conveyor/w1.");
});

test("a branch that is only ahead moves on, --message makes a merge, --squash one commit, also on a base that moved", async () => {
  const change = (text: string) => Bun.write(join(l.tree, "a.txt"), text);
  await change("1\n");
  expect((await w.ok("land t1 --json")).after).toBe(head("conveyor/w1"));
  await change("2\n");
  await w.ok(["land", "t1", "--message", "By name\n\nand with a body"]);
  expect(git(w, l.repo, "log", "-1", "--format=%P|%s|%b")).toBe(
    `${head("main~1")} ${head("conveyor/w1")}|By name|and with a body\n`.trimEnd(),
  );
  await change("3\n");
  await Bun.write(join(l.repo, "b.txt"), "moved\n");
  git(w, l.repo, "commit", "-qam", "moved");
  await w.ok("land t1 --squash");
  expect(git(w, l.repo, "log", "-1", "--format=%P|%s")).toBe(`${head("main~1")}|t1: Ship it`);
  expect(git(w, l.repo, "show", "main:a.txt")).toBe("3");
  expect((await w.run("land t1 --squash")).stdout).toContain("Nothing to land");
  clean();
  // Into a branch that is checked out nowhere, and from one that is detached elsewhere.
  git(w, l.repo, "branch", "side", "main~2");
  await Bun.write(join(l.tree, "c.txt"), "4\n");
  expect((await w.ok("land t1 --into side --json")).into).toBe("side");
  expect(git(w, l.repo, "show", "side:c.txt")).toBe("4");
  git(w, l.repo, "switch", "-q", "--detach");
  await w.ok("land t1 --into main");
  expect(git(w, l.repo, "show", "main:c.txt")).toBe("4");
  expect(() => git(w, l.repo, "show", "HEAD:c.txt")).toThrow();
  clean();
});

test("names of any bytes, links, modes, a folder in a file's place and line ends land as git would have them", async () => {
  w.close();
  w = new World();
  w.realTime = true;
  l = await landingWorld(w, { init: ["--object-format=sha256"] });
  const name = Buffer.concat([Buffer.from(`${l.tree}/odd \n"ü `), Buffer.from([0xff, 0xfe])]);
  writeFileSync(name, "odd\n");
  writeFileSync(join(l.tree, ":(top)x"), "pathspec\n");
  rmSync(join(l.tree, "b.txt"));
  mkdirSync(join(l.tree, "b.txt"));
  writeFileSync(join(l.tree, "b.txt", "run me"), "#!/bin/sh\n");
  chmodSync(join(l.tree, "b.txt", "run me"), 0o755);
  symlinkSync("a.txt", join(l.tree, "link"));
  writeFileSync(join(l.tree, ".gitattributes"), "*.crlf text\n");
  writeFileSync(join(l.tree, "x.crlf"), "1\r\n2\r\n");
  writeFileSync(join(l.tree, ".gitignore"), "*.log\n");
  writeFileSync(join(l.tree, "out.log"), "ignored\n");
  await w.ok("land t1");
  clean();
  expect(together(w, l.tree)).toBe(true);
  expect(readFileSync(Buffer.concat([Buffer.from(`${l.repo}/odd \n"ü `), Buffer.from([0xff, 0xfe])]), "utf8")).toBe("odd\n");
  expect(git(w, l.repo, "ls-tree", "-r", "main", "link", "b.txt").replace(/ [0-9a-f]{64}/g, "")).toBe(
    "100755 blob\tb.txt/run me\n120000 blob\tlink",
  );
  expect(git(w, l.repo, "cat-file", "blob", "main:x.crlf")).toBe("1\n2");
  expect(existsSync(join(l.repo, "out.log"))).toBe(false);
});

test("a proof runs in its own folder of the merge; what it changes there reaches neither the next nor the repository", async () => {
  mkdirSync(join(l.tree, "sub"));
  await Bun.write(join(l.tree, "sub", "s.txt"), "s\n");
  const log = join(w.dir, "ran");
  await Bun.write(
    join(l.tree, "change.sh"),
    "[ -e .merge ] || exit 0; echo changed > ../a.txt; echo x > ../untracked; git branch -f main HEAD~0; git tag moved; git commit -qam own; exit 0\n",
  );
  await Bun.write(
    join(l.tree, "look.sh"),
    `[ -e .merge ] || exit 0; grep -q one a.txt && ! [ -e untracked ] && git log --oneline main && ! git tag | grep . && pwd > "$LOG"\n`,
  );
  await Bun.write(join(l.tree, ".gitignore"), ".merge\n");
  w.env.LOG = log;
  await prove(w, join(l.tree, "sub"), ["sh", "../change.sh"]);
  await prove(w, l.tree, ["sh", "look.sh"]);
  const done = await w.ok(["land", "t1", "--json", "--setup", "touch .merge sub/.merge"]);
  expect(done).toMatchObject({ landed: true, proofs: [{ exit_code: 0 }, { exit_code: 0 }] });
  expect(readFileSync(log, "utf8").split("\n").at(-2)).toContain("/.worktrees/.landing-");
  expect(git(w, l.repo, "tag")).toBe("");
  // Each is on record for the merge, whatever the one before has committed.
  for (const { evidence_id } of done.proofs)
    expect(w.rows("select git_head from evidence_runs where id = ?", evidence_id)).toEqual([{ git_head: done.after }]);
  expect(readFileSync(join(l.repo, "a.txt"), "utf8")).toBe("one\ntwo\nthree\n");
  expect(
    w
      .rows("select tree_changed from evidence_runs order by rowid desc limit 2")
      .map((row: any) => row.tree_changed)
      .sort(),
  ).toEqual([0, 1]);
  clean();
});

test("the user's hooks run with --hooks alone, and one that refuses keeps all where it was", async () => {
  const canary = join(w.dir, "hooked");
  const hook = join(l.repo, ".git", "hooks", "reference-transaction");
  mkdirSync(join(l.repo, ".git", "hooks"), { recursive: true });
  const write = (end: string) => {
    writeFileSync(
      hook,
      `#!/bin/sh\nread line; case "$1 $line" in "prepared "*" refs/heads/main") echo "$line" >> '${canary}'; ${end} ;; esac\n`,
    );
    chmodSync(hook, 0o755);
  };
  await Bun.write(join(l.tree, "a.txt"), "1\n");
  write("exit 1");
  const before = head();
  const refused = await w.run("land t1 --hooks --json");
  expect([refused.exit, refused.json().refused]).toEqual([1, expect.stringContaining("hook")]);
  expect(existsSync(canary)).toBe(true);
  expect(head()).toBe(before);
  clean();
  rmSync(canary);
  const others = ["pre-merge-commit", "post-merge"].map((name) => join(l.repo, ".git", "hooks", name));
  const say = (end: string) => {
    for (const path of others)
      writeFileSync(path, `#!/bin/sh\necho "\${0##*/} $* $(cat a.txt) $(git rev-parse HEAD)" >> '${canary}'\n${end}\n`);
    for (const path of others) chmodSync(path, 0o755);
  };
  say("echo no; exit 1");
  write("exit 0");
  expect((await w.run("land t1 --hooks --json")).json().refused).toBe("the hook pre-merge-commit ended with 1: no");
  expect(head()).toBe(before);
  say("");
  rmSync(canary);
  await w.ok("land t1");
  expect(existsSync(canary)).toBe(false);
  await Bun.write(join(l.tree, "a.txt"), "2\n");
  const last = head();
  const { after } = await w.ok("land t1 --hooks --json");
  expect(readFileSync(canary, "utf8").split("\n").slice(0, 3)).toEqual([
    `pre-merge-commit  2 ${after}`,
    `${last} ${after} refs/heads/main`,
    `post-merge 0 2 ${after}`,
  ]);
  clean();
});

test("a branch that is another name for one is that one, with the tree that is on it", async () => {
  git(w, l.repo, "symbolic-ref", "refs/heads/alias", "refs/heads/main");
  await Bun.write(join(l.tree, "new.txt"), "new\n");
  expect(await w.ok("land t1 --into alias --json")).toMatchObject({ landed: true, into: "main", after: head() });
  expect(existsSync(join(l.repo, "new.txt"))).toBe(true);
  expect(git(w, l.repo, "symbolic-ref", "refs/heads/alias")).toBe("refs/heads/main");
  clean();
  git(w, l.repo, "symbolic-ref", "refs/heads/tag", "refs/tags/t");
  git(w, l.repo, "tag", "t");
  const refused = await w.run("land t1 --into tag");
  expect([refused.exit, refused.stderr]).toEqual([1, expect.stringContaining('no branch "refs/tags/t"')]);
});

test("a folder that has become a link lands as one, and a link as a folder again", async () => {
  await Bun.write(join(l.tree, "d/e/f"), "f\n");
  await w.ok("land t1");
  rmSync(join(l.tree, "d"), { recursive: true });
  symlinkSync(w.dir, join(l.tree, "d"));
  await w.ok("land t1");
  expect(git(w, l.repo, "ls-tree", "-r", "--name-only", "main").split("\n")).toEqual(["a.txt", "b.txt", "d"]);
  clean();
  rmSync(join(l.tree, "d"));
  await Bun.write(join(l.tree, "d/e/f"), "f\n");
  await w.ok("land t1");
  expect(existsSync(join(l.repo, "d/e/f"))).toBe(true);
  expect(existsSync(join(w.dir, "e"))).toBe(false);
  clean();
});
