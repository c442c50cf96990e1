/** `evidence run` with real commands in real repositories: what is recorded, what counts as proof, and when it goes stale. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { selfArgv } from "../../../src/system/processes/self.ts";
import { until, World } from "../../harness.ts";

let w: World;
beforeEach(async () => {
  w = new World();
  git("init", "-q");
  write("f", "one\n");
  commit();
  await w.ok("tasks --create t1 --goal g");
  await w.ok("criteria t1 --add --criterion works --source user_requested --status accepted");
});
afterEach(() => w.close());

const git = (...words: string[]) => {
  const done = Bun.spawnSync(["git", "-c", "user.name=t", "-c", "user.email=t@t", ...words], { cwd: w.work, env: w.env });
  if (done.exitCode !== 0) throw new Error(done.stderr.toString());
};
const write = (name: string, text: string) => writeFileSync(join(w.work, name), text);
const commit = () => {
  git("add", "-A");
  git("commit", "-qm", "x");
};
const evidence = (command: string[], ...flags: string[]) =>
  w.run(["evidence", "run", "t1", "--criterion", "1", "--json", ...flags, "--", ...command]);
/** Gone, or dead and not yet fetched by its parent. */
const hasEnded = (pid: number): boolean =>
  /^(Z|$)/.test(
    Bun.spawnSync(["ps", "-o", "stat=", "-p", String(pid)])
      .stdout.toString()
      .trim(),
  );
const proof = async () => (await w.ok("criteria t1 --list")).criteria[0].machine_proof;

describe("a run", () => {
  test("that ends with 0 satisfies the criterion and is on record whole", async () => {
    const done = await evidence(["sh", "-c", "echo out; echo err >&2"]);
    expect(done.exit).toBe(0);
    const { criterion, evidence_run: run } = done.json();
    expect(criterion).toMatchObject({
      id: 1,
      status: "satisfied",
      evidence: { machine_proven: true, evidence_run_id: run.id, exit_code: 0 },
    });
    expect(run).toMatchObject({
      command: ["sh", "-c", "echo out; echo err >&2"],
      folder: w.work,
      exit_code: 0,
      output_bytes: 8,
      output_tail: "out\nerr",
      tree: { dirty: false },
      tree_changed: false,
    });
    expect(run.output_sha256).toBe(createHash("sha256").update("out\nerr\n").digest("hex"));
    expect(w.rows("select type from events order by id desc limit 1")).toEqual([{ type: "evidence_run_recorded" }]);
    expect((await w.ok("evidence list t1 --json")).evidence_runs).toEqual([run]);
    expect(await w.ok("evidence list t1")).toContain("sh -c 'echo out; echo err >&2' ended with 0");
  });

  test("gets its words without a shell and nothing on its input", async () => {
    const done = await evidence(["sh", "-c", 'printf "%s|" "$@"; cat', "sh", "$HOME", "a b", "--json"]);
    expect(done.json().evidence_run.output_tail).toBe("$HOME|a b|--json|");
  });

  test("that fails exits 1, and what it says is shown", async () => {
    const done = await w.run(["evidence", "run", "t1", "--criterion", "1", "--", "sh", "-c", "echo broken; exit 3"]);
    expect(done).toMatchObject({ exit: 1 });
    expect(done.stdout).toContain("ended with 3");
    expect(done.stderr).toContain("broken");
    expect(w.rows("select status from acceptance_criteria")).toEqual([{ status: "accepted" }]);
  });

  test("that fails opens a criterion that was satisfied", async () => {
    await evidence(["true"]);
    expect((await evidence(["false"])).json().criterion).toMatchObject({ status: "accepted", evidence: { machine_proven: false } });
    expect(await proof()).toBeNull();
  });

  test("out of time is ended with all that it started", async () => {
    const done = await evidence(["sh", "-c", "sleep 300 & echo $!; wait"], "--timeout", "0.5");
    expect(done.json().evidence_run).toMatchObject({ timed_out: true, exit_code: null });
    const pid = Number(done.json().evidence_run.output_tail);
    await until("the end of what it started", () => hasEnded(pid));
  });

  test("that is interrupted is ended and not recorded", async () => {
    const argv = [...selfArgv(), "evidence", "run", "t1", "--criterion", "1", "--", "sh", "-c", "echo $$ > started; exec sleep 300"];
    const program = Bun.spawn(argv, { cwd: w.work, env: w.env, stdout: "ignore", stderr: "pipe" });
    const pid = Number(
      await until("the command", () => existsSync(join(w.work, "started")) && readFileSync(join(w.work, "started"), "utf8").trim()),
    );
    program.kill("SIGINT");
    expect(await program.exited).toBe(1);
    expect(await new Response(program.stderr).text()).toContain("interrupted");
    await until("the end of the command", () => hasEnded(pid));
    expect(w.rows("select count(*) n from evidence_runs")).toEqual([{ n: 0 }]);
  });

  test("keeps the last lines without secrets, escapes or the rest", async () => {
    const secret = `ghp_${"aB3".repeat(12)}`;
    const done = await evidence(
      ["sh", "-c", `for i in 1 2 3 4 5; do printf '\\033[31mline %s\\033[0m\\n' $i; done; echo ${secret}`],
      "--lines",
      "3",
    );
    expect(done.json().evidence_run.output_tail).toBe("line 4\nline 5\n[REDACTED]");
    expect(
      JSON.stringify(w.rows("select * from evidence_runs")) +
        JSON.stringify(w.rows("select * from events")) +
        JSON.stringify(w.rows("select * from acceptance_criteria")),
    ).not.toContain(secret);
  });

  test("that cannot be started writes nothing", async () => {
    for (const done of [
      await evidence(["no-such-program-here"]),
      await evidence(["true"], "--cwd", "gone"),
      await w.run("evidence run t1 --criterion 9 -- true"),
      await w.run("evidence run ghost --criterion 1 -- true"),
    ]) {
      expect(done.exit).toBe(1);
    }
    expect(w.rows("select count(*) n from evidence_runs")).toEqual([{ n: 0 }]);
  });

  for (const line of [
    "evidence run t1 --criterion 1",
    "evidence run t1 -- true",
    "evidence run t1 --loop-run r --iteration 1 -- true",
    "evidence run t1 --criterion 1 --timeout 0 -- true",
  ]) {
    test(`is a misuse: ${line}`, async () => expect((await w.run(line)).exit).toBe(2));
  }
});

describe("the proof", () => {
  const state = async () => (await proof())?.state;

  test("is fresh while the tree stays, whatever our own records in it do", async () => {
    const inside = join(w.work, ".codex-workers");
    const here = { env: { WORKERCTL_STATE_ROOT: inside } };
    await w.ok("tasks --create t2 --goal g", here);
    await w.ok("criteria t2 --add --criterion c --source user_requested", here);
    await w.ok("evidence run t2 --criterion 1 --json -- true", here);
    expect((await w.ok("criteria t2 --list", here)).criteria[0].machine_proof).toMatchObject({ state: "fresh", reason: null });
  });

  for (const [what, change] of [
    ["a tracked file changes", () => write("f", "two\n")],
    ["a new file appears", () => write("new", "x")],
    ["something is staged", () => (write("f", "two\n"), git("add", "f"))],
    ["HEAD moves", () => (write("f", "two\n"), commit())],
  ] as const) {
    test(`is stale when ${what}`, async () => {
      await evidence(["true"]);
      expect(await state()).toBe("fresh");
      change();
      expect(await state()).toBe("stale");
    });
  }

  test("is fresh again when the change is taken back, and of a dirty tree holds for that tree", async () => {
    write("f", "two\n");
    await evidence(["true"]);
    expect(await state()).toBe("fresh");
    write("f", "three\n");
    expect(await proof()).toMatchObject({ state: "stale", reason: "the working tree has changed since" });
    write("f", "two\n");
    expect(await state()).toBe("fresh");
  });

  test("is stale from the start when the command changes the tree", async () => {
    const done = await evidence(["sh", "-c", "echo more >> f"]);
    expect(done.stderr).toContain("stale already");
    expect(await proof()).toMatchObject({ state: "stale", reason: "the tree changed while the command ran" });
  });

  test("cannot be told where there is no repository or it is gone", async () => {
    mkdirSync(join(w.dir, "plain"));
    await evidence(["true"], "--cwd", join(w.dir, "plain"));
    expect(await proof()).toMatchObject({ state: "unknown" });
    await evidence(["true"]);
    rmSync(w.work, { recursive: true });
    expect((await w.ok("criteria t1 --list", { cwd: w.dir })).criteria[0].machine_proof).toMatchObject({ state: "unknown" });
  });

  test("cannot be claimed by writing evidence", async () => {
    await w.ok([
      "criteria",
      "t1",
      "--satisfy",
      "1",
      "--evidence-json",
      JSON.stringify({ machine_proven: true, evidence_run_id: "evidence-made-up" }),
    ]);
    expect(await proof()).toBeNull();
    await w.ok("criteria t1 --add --criterion other --source user_requested");
    await evidence(["true"]);
    const { evidence_run_id: id } = await proof();
    await w.ok(["criteria", "t1", "--satisfy", "2", "--evidence-json", JSON.stringify({ evidence_run_id: id })]);
    expect((await w.ok("criteria t1 --list")).criteria[1].machine_proof).toBeNull();
  });

  test("is told to the manager at every cycle", async () => {
    await w.ok("create-disposable-binding t1 --json");
    await evidence(["true"]);
    write("f", "two\n");
    const { manager_context: context } = await w.ok("cycle t1");
    expect(context.acceptance_criteria.machine_proofs).toMatchObject([{ criterion_id: 1, state: "stale" }]);
  });

  test("is required fresh by finish-task: none, stale and fresh", async () => {
    const finish = () => w.run("finish-task t1 --require-fresh-proof --reason done");
    expect((await finish()).stderr).toContain('no criterion of task "t1" is machine-proven');
    await evidence(["true"]);
    write("f", "two\n");
    const stale = await finish();
    expect(stale.stderr).toContain("criterion 1 is stale (the working tree has changed since)");
    expect(stale.stderr).toContain("conveyor evidence run t1 --criterion 1");
    expect(w.rows("select state from tasks")).toEqual([{ state: "candidate" }]);
    write("f", "one\n");
    expect((await finish()).exit).toBe(0);
    expect(w.rows("select state from tasks")).toEqual([{ state: "done" }]);
  });
});

describe("for a loop", () => {
  beforeEach(() => w.ok("create-disposable-binding t1 --template build_then_clear --run-name r1 --json"));
  const loop = (type: string, ...command: string[]) =>
    w.run(["evidence", "run", "t1", "--loop-run", "r1", "--iteration", "1", "--type", type, "--json", "--", ...command]);
  const missing = async () => (await w.ok("loop-status t1 --run r1 --json")).policy.missing_evidence;

  test("a success is a receipt that opens the gate, a failure shuts it again", async () => {
    expect((await loop("build_passed", "true")).json().criterion.evidence).toMatchObject({
      evidence_type: "build_passed",
      iteration: 1,
      machine_proven: true,
      status: "pass",
    });
    expect(await missing()).toEqual(["cleanup"]);
    expect((await loop("build_passed", "false")).exit).toBe(1);
    expect(await missing()).toEqual(["build_passed", "cleanup"]);
  });

  test("a criterion of one's own counts for the loop too", async () => {
    await w.ok("evidence run t1 --criterion 1 --loop-run r1 --iteration 1 --type cleanup --json -- true");
    expect(await missing()).toEqual(["build_passed"]);
    expect(await proof()).toMatchObject({ state: "fresh" });
  });

  test("stale evidence is named by the status", async () => {
    await loop("build_passed", "true");
    expect((await w.ok("loop-status t1 --run r1 --json")).evidence).toMatchObject({ machine_proven: ["build_passed"], stale: [] });
    write("f", "two\n");
    expect((await w.ok("loop-status t1 --run r1 --json")).evidence).toMatchObject({
      machine_proven: ["build_passed"],
      stale: ["build_passed"],
    });
    expect(await w.ok("loop-status t1 --run r1")).toContain("stale evidence: build_passed");
  });

  test("a command alone does not disprove anything", async () => {
    expect((await loop("adversarial_check", "true")).exit).toBe(1);
  });
});
