/** What `land` refuses, and that nothing has moved then. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { alive } from "../../../src/system/processes/processes.ts";
import { until, World } from "../../harness.ts";
import { addWorktree, git, landingWorld, type LandingWorld, leftovers, prove, together } from "../../landing-world.ts";
import { event } from "../../rollout.ts";

let w: World;
let l: LandingWorld;
let main: string;
beforeEach(async () => {
  w = new World();
  w.realTime = true;
  l = await landingWorld(w);
  await Bun.write(join(l.tree, "a.txt"), "one\ntwo\nTHREE\n");
  main = git(w, l.repo, "rev-parse", "main");
});
afterEach(() => w.close());

const head = (): string => git(w, l.repo, "rev-parse", "main");

/** Refused with this in its sentence, and nothing has moved. */
async function refused(line: string, why: string, next = ""): Promise<any> {
  const before = head();
  const status = git(w, l.repo, "status", "--porcelain");
  const done = await w.run(`${line} --json`);
  expect(done.stderr).toContain(why);
  expect(done.exit).toBe(1);
  const said = done.json();
  expect(said).toMatchObject({ landed: false });
  expect(said.refused).toContain(why);
  expect(done.stderr.split("hint: ")[1]).toContain(next);
  expect(head()).toBe(before);
  expect(git(w, l.repo, "status", "--porcelain")).toBe(status);
  expect(leftovers(w, l.repo).filter((each) => each !== "index.lock")).toEqual([]);
  return said;
}

test("an accepted criterion is open", async () => {
  await w.ok('criteria t1 --add --criterion "it works" --source user_requested --status accepted');
  await refused("land t1", "open accepted criteria: #1: it works");
  // Made anywhere else, the proof would be of another tree than the one that lands.
  const { stderr } = await w.run("land t1");
  expect(stderr).toContain(`hint: conveyor evidence run t1 --criterion 1 --cwd ${l.tree} -- COMMAND`);
  const proof = (folder: string) => w.run(["evidence", "run", "t1", "--criterion", "1", "--cwd", folder, "--", "true"]);
  expect((await proof(l.repo)).stderr).toContain(`note: it ran in ${l.repo}, not where w1 works: --cwd ${l.tree} proves that tree`);
  expect((await proof(l.tree)).stderr).toBe("");
});

test("the worker's turn is open, and no longer once it has ended", async () => {
  l.pair.worker.append(event({ type: "task_started", turn_id: "1" }));
  await refused("land t1", 'the turn of worker "w1" is open');
  const hinted = /hint: conveyor (wait .*), or/.exec((await w.run("land t1")).stderr)![1]!;
  expect((await w.run(`${hinted} --timeout 0.1 --json`)).json()).toMatchObject({ timed_out: true });
  l.pair.worker.append(event({ type: "task_complete", turn_id: "1" }, 2));
  expect((await w.ok("land t1 --json")).landed).toBe(true);
});

test("no worktree, no worker, no such branch, the worker's own", async () => {
  await w.ok("tasks --create t2 --goal none");
  const none = await w.run("land t2");
  expect([none.exit, none.stderr]).toEqual([1, expect.stringContaining('task "t2" has no worker')]);
  await refused("land t1 --into nowhere", 'there is no branch "nowhere"');
  await refused("land t1 --into -x", 'there is no branch "-x"');
  await refused("land t1 --into conveyor/w1", "is the worker's own branch");
  w.store().db.run("update worktrees set base_branch = null, base_ref = 'v1'");
  await refused("land t1", "was not made from a branch (v1)");
  w.store().db.run("delete from worktrees");
  await refused("land t1", "has no worktree");
});

test("who may: a person and a manager with operator.land, never the worker or a stranger", async () => {
  const thread = (role: string) => w.rows<{ id: string }>(`select codex_session_id as id from sessions where role = '${role}'`)[0]!.id;
  const as = (id: string) => w.run("land t1 --json", { env: { CODEX_THREAD_ID: id } });
  expect((await as(thread("worker"))).stderr).toContain("a worker does not land its own work");
  expect((await as("99999999-9999-4999-8999-999999999999")).stderr).toContain("an agent that is not on record");
  const { stderr } = await as(thread("manager"));
  expect(stderr).toContain("operator.land is not granted");
  expect(head()).toBe(main);
  await w.ok(/hint: a person grants it: conveyor (.*)/.exec(stderr)![1]!);
  expect((await as(thread("manager"))).json().landed).toBe(true);
});

test("a conflict is named, and nothing is touched", async () => {
  await Bun.write(join(l.repo, "a.txt"), "ONE\ntwo\nthree!\n");
  git(w, l.repo, "commit", "-qam", "another");
  const said = await refused("land t1", 'does not merge into main: "a.txt"');
  expect(said.conflicts).toEqual(["a.txt"]);
  expect((await w.run("land t1 --dry-run")).stderr).toContain("hint: conveyor nudge w1 'Commit your work, merge main into your branch, ");
});

test("the tree that is on BRANCH has changes, something in the way, or something begun", async () => {
  await Bun.write(join(l.repo, "b.txt"), "mine\n");
  await refused("land t1", 'has changes of its own: "b.txt"');
  git(w, l.repo, "add", "b.txt");
  await refused("land t1", 'has changes of its own: "b.txt"');
  git(w, l.repo, "reset", "-q", "--hard");
  await Bun.write(join(l.tree, "c.txt"), "theirs\n");
  await Bun.write(join(l.repo, "c.txt"), "mine\n");
  await refused("land t1", "c.txt");
  expect(await Bun.file(join(l.repo, "c.txt")).text()).toBe("mine\n");
  rmSync(join(l.repo, "c.txt"));
  writeFileSync(join(l.repo, ".git", "MERGE_HEAD"), `${main}\n`);
  await refused("land t1", "is in the middle of a merge");
  rmSync(join(l.repo, ".git", "MERGE_HEAD"));
  writeFileSync(join(l.repo, ".git", "index.lock"), "");
  await refused("land t1", "git is at work in");
  rmSync(join(l.repo, ".git", "index.lock"));
  // Not changed, only touched.
  await Bun.write(join(l.repo, "b.txt"), "b\n");
  expect((await w.ok("land t1 --json")).landed).toBe(true);
});

test("BRANCH is being rebased, or checked out twice", async () => {
  await Bun.write(join(l.repo, "a.txt"), "other\n");
  git(w, l.repo, "commit", "-qam", "on main");
  git(w, l.repo, "switch", "-qc", "side", main);
  await Bun.write(join(l.repo, "a.txt"), "side\n");
  git(w, l.repo, "commit", "-qam", "on side");
  expect(() => git(w, l.repo, "rebase", "main")).toThrow();
  await refused("land t1 --into side", "it is being rebased");
  git(w, l.repo, "rebase", "--abort");
  git(w, l.repo, "worktree", "add", "-qf", join(w.dir, "twice"), "side");
  await refused("land t1 --into side", "is checked out in 2 places");
});

test("a proof that fails on the merge refuses, and leaves the criterion as it was", async () => {
  const id = await prove(w, l.tree, ["sh", "-c", "grep -q TWO b.txt || grep -q TH a.txt"]);
  const other = await prove(w, l.tree, ["grep", "-qx", "b", "b.txt"]);
  await Bun.write(join(l.repo, "b.txt"), "other\n");
  git(w, l.repo, "commit", "-qam", "b is another");
  const ledger = () => w.rows("select * from acceptance_criteria");
  const before = ledger();
  const said = await refused("land t1", `does not hold on the merge: criterion ${other}: grep -qx b b.txt ended with 1`);
  expect(said.proofs.map((each: any) => [each.criterion_id, each.exit_code])).toEqual([
    [id, 0],
    [other, 1],
  ]);
  expect(ledger()).toEqual(before);
  expect(w.rows("select id from evidence_runs where id in (?, ?)", ...said.proofs.map((each: any) => each.evidence_id))).toHaveLength(2);
});

test("a proof that was stored masked, or names a path outside, is named", async () => {
  const folder = join(w.dir, "elsewhere");
  mkdirSync(folder);
  writeFileSync(join(folder, "x"), "");
  const masked = await prove(w, l.tree, ["sh", "-c", "true", "password=hunter2hunter2"]);
  await refused(
    "land t1",
    `criterion ${masked} cannot be made on the merge, since it was stored with a secret masked`,
    "-- COMMAND, with the secret in its environment",
  );
  w.store().db.run("delete from acceptance_criteria");
  const outside = await prove(w, l.tree, ["test", "-e", join(folder, "x")]);
  await refused(
    "land t1",
    `the proof of criterion ${outside} cannot be made on the merge, since it names ${join(folder, "x")}`,
    "with paths",
  );
  w.store().db.run("delete from acceptance_criteria");
  await prove(w, folder, ["true"]);
  await refused("land t1", "lies outside of the repository", "run in the worktree");
  w.store().db.run("delete from acceptance_criteria");
  await prove(w, l.tree, [Bun.which("sh")!, "-c", "grep -q TH a.txt 2>/dev/null && ! grep -q /no/such/ a.txt"]);
  expect((await w.ok("land t1 --json")).landed).toBe(true);
});

test("a setup that fails, and a proof that hangs", async () => {
  w.store().db.query("update worktrees set setup = ?").run("echo broken; exit 3");
  await refused("land t1", "the setup of the merge ended with 3: broken");
  await refused("land t1 --setup 'exit 4'", "the setup of the merge ended with 4, and printed nothing");
  const gone = join(w.dir, "pid");
  await Bun.write(join(l.tree, "wait.sh"), `[ -e .stop ] || exit 0; sleep 1000 & echo $! > '${gone}'; wait\n`);
  await prove(w, l.tree, ["sh", "wait.sh"]);
  await refused("land t1 --setup 'touch .stop' --timeout 0.5", "ran out of time");
  await until("the end of what it had started", () => !alive(Number(readFileSync(gone, "utf8"))));
});

test("a sparse worktree's missing files are no removals, and a branch whose tree leads elsewhere is not moved without it", async () => {
  git(w, l.repo, "worktree", "add", "-q", "-b", "side", join(w.dir, "side"), "main");
  const dotGit = join(w.dir, "side", ".git");
  const said = readFileSync(dotGit, "utf8");
  writeFileSync(dotGit, `gitdir: ${join(w.dir, "nowhere")}\n`);
  await refused("land t1 --into side", "which cannot be moved with it");
  writeFileSync(dotGit, said);
  git(w, l.repo, "config", "extensions.worktreeConfig", "true");
  git(w, l.tree, "sparse-checkout", "set", "--no-cone", "a.txt", "new.txt");
  expect(existsSync(join(l.tree, "b.txt"))).toBe(false);
  await Bun.write(join(l.tree, "new.txt"), "new\n");
  expect((await w.ok("land t1 --json")).landed).toBe(true);
  expect(git(w, l.repo, "ls-tree", "--name-only", "main")).toBe("a.txt\nb.txt\nnew.txt");
  expect(together(w, l.repo)).toBe(true);
});

test("where BRANCH is checked out sparsely, only what is there is written", async () => {
  git(w, l.repo, "sparse-checkout", "set", "--no-cone", "a.txt");
  await Bun.write(join(l.tree, "b.txt"), "changed\n");
  await Bun.write(join(l.tree, "c.txt"), "c\n");
  expect((await w.ok("land t1 --json")).landed).toBe(true);
  expect([existsSync(join(l.repo, "b.txt")), existsSync(join(l.repo, "c.txt"))]).toEqual([false, false]);
  expect(await Bun.file(join(l.repo, "a.txt")).text()).toContain("THREE");
  expect(together(w, l.repo)).toBe(true);
});

test("a submodule that moved, a nested repository and a filtered file are not committed in their place", async () => {
  const nested = join(l.tree, "nested");
  git(w, l.tree, "init", "-q", nested);
  git(w, nested, "commit", "-q", "--allow-empty", "-m", "x");
  await refused("land t1", '"nested/" is a repository of its own');
  rmSync(nested, { recursive: true });
  git(w, l.repo, "config", "filter.x.clean", `touch '${join(w.dir, "canary")}'; cat`);
  await Bun.write(join(l.tree, ".gitattributes"), "*.bin filter=x\n");
  await Bun.write(join(l.tree, "p.bin"), "1\n");
  await refused("land t1", '"p.bin" would have to pass a filter program');
  expect(existsSync(join(w.dir, "canary"))).toBe(false);
});

test("a worktree that is bent, or not on its branch, is not touched", async () => {
  git(w, l.tree, "switch", "-q", "--detach");
  await refused("land t1", "is not on its branch conveyor/w1 but on no branch");
  git(w, l.tree, "switch", "-q", "conveyor/w1");
  const fake = join(w.dir, "fake");
  git(w, w.dir, "init", "-q", fake);
  writeFileSync(join(l.tree, ".git"), `gitdir: ${join(fake, ".git")}\n`);
  await refused("land t1", "somebody has changed it since it was made");
});

test("a worker that bends hooks, settings, attributes and the index runs nothing", async () => {
  const canary = join(w.dir, "canary");
  const program = join(w.dir, "canary.sh");
  writeFileSync(program, `#!/bin/sh\necho "$0 $*" >> '${canary}'\ncat\nexit 0\n`);
  chmodSync(program, 0o755);
  const common = join(l.repo, ".git");
  mkdirSync(join(common, "hooks"), { recursive: true });
  for (const hook of [
    "pre-commit",
    "commit-msg",
    "post-commit",
    "post-merge",
    "pre-merge-commit",
    "post-checkout",
    "reference-transaction",
    "post-index-change",
    "fsmonitor-watchman",
    "pre-auto-gc",
    "post-rewrite",
  ])
    symlinkSync(program, join(common, "hooks", hook));
  await prove(w, l.tree, ["grep", "-q", "TH", "a.txt"]);
  const settings = [
    "core.fsmonitor",
    "core.sshCommand",
    "core.editor",
    "core.pager",
    "diff.external",
    "diff.x.command",
    "diff.x.textconv",
    "merge.x.driver",
    "gpg.program",
    "core.alternateRefsCommand",
    "credential.helper",
    "filter.other.smudge",
    "filter.other.clean",
  ];
  for (const name of settings) git(w, l.repo, "config", name, program);
  git(w, l.repo, "config", "commit.gpgSign", "true");
  git(w, l.repo, "config", "core.hooksPath", join(common, "hooks"));
  writeFileSync(join(common, "info", "attributes"), "* diff=x merge=x\n");
  writeFileSync(join(l.tree, ".gitattributes"), "* diff=x merge=x\n");
  rmSync(canary, { force: true });
  await Bun.write(join(l.repo, "b.txt"), "moved\n");
  const env = {
    GIT_CONFIG_COUNT: "2",
    GIT_CONFIG_KEY_0: "core.hooksPath",
    GIT_CONFIG_VALUE_0: "/dev/null",
    GIT_CONFIG_KEY_1: "core.fsmonitor",
    GIT_CONFIG_VALUE_1: "false",
  };
  Object.assign(w.env, env);
  git(w, l.repo, "-c", "commit.gpgSign=false", "commit", "-qam", "second");
  git(w, l.repo, "update-index", "--assume-unchanged", "a.txt");
  git(w, l.tree, "update-index", "--skip-worktree", "a.txt");
  for (const name of Object.keys(env)) delete w.env[name];
  rmSync(canary, { force: true });
  const done = await w.run("land t1 --json");
  expect(done.stderr).toBe("");
  expect(done.json().landed).toBe(true);
  expect(existsSync(canary) ? await Bun.file(canary).text() : "").toBe("");
  expect(git(w, l.repo, "cat-file", "blob", "main:a.txt")).toContain("THREE");
});

test("a second worktree's branch of another worker is none of this task's", async () => {
  addWorktree(w, l.repo, "w2");
  expect((await w.ok("land t1 --json")).branch).toBe("conveyor/w1");
  expect(together(w, l.repo)).toBe(true);
});

test("a proof that takes the tree of the merge away, or lays a link there: the next is not made, and nothing behind the link is touched", async () => {
  const other = join(w.dir, "other");
  await Bun.write(join(other, "precious"), "x");
  await Bun.write(join(l.tree, "p.sh"), "true\n");
  await prove(w, l.tree, ["sh", "p.sh"]);
  await prove(w, l.tree, ["test", "-e", "a.txt"]);
  for (const then of ["true", `ln -s '${other}' "$t"`]) {
    await Bun.write(join(l.tree, "p.sh"), `case "$PWD" in *landing*) t=$PWD; cd /; rm -rf "$t"; ${then} ;; esac\n`);
    const refused = await w.run("land t1 --json");
    expect(refused.exit).toBe(1);
    expect(refused.json().refused).toContain("the tree of the merge was taken away");
    expect(readdirSync(other)).toEqual(["precious"]);
    expect(leftovers(w, l.repo)).toEqual([]);
  }
});
