/** From argv to exit code: what is printed where, and that nothing escapes. */
import { Database } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { programName } from "../src/context.ts";
import { VERSION } from "../src/version.ts";
import { FIXTURES, World } from "./harness.ts";

let w: World;
beforeEach(() => {
  w = new World();
});
afterEach(() => w.close());

test("no words and --help print the same page on stdout", async () => {
  const page = await w.run([]);
  expect(page).toMatchObject({ exit: 0, stderr: "" });
  expect(page.stdout).toStartWith("usage: conveyor ");
  expect((await w.run("--help")).stdout).toBe(page.stdout);
  expect((await w.run("-h")).stdout).toBe(page.stdout);
});

test("help is --help, of all, of a command, of a group and of an action", async () => {
  for (const [words, same] of [
    ["help", "--help"],
    ["help all", "--help"],
    ["help --help", "--help"],
    ["help cycle", "cycle --help"],
    ["help telemetry", "telemetry --help"],
    ["help telemetry failures", "telemetry failures --help"],
  ] as const) {
    const page = await w.run(same);
    expect(page.stdout).toStartWith("usage: conveyor ");
    expect(await w.run(words)).toMatchObject({ exit: 0, stdout: page.stdout, stderr: "" });
  }
  expect(await w.run("help taks")).toMatchObject({ exit: 2, stdout: "" });
  expect((await w.run("help taks")).stderr).toContain("Did you mean tasks?");
  expect((await w.run("__complete help cy")).stdout).toBe("cycle\n");
});

test("tasks of one name stand with their ids", async () => {
  for (const name of ["one", "two", "two"]) await w.ok(["tasks", "--create", name, "--goal", "g"]);
  const ids = w.rows<{ id: string }>("select id from tasks where name = 'two' order by rowid").map(({ id }) => id);
  const { stdout } = await w.run("tasks");
  expect(stdout.trimEnd().split("\n")).toEqual(["one\tcandidate\tg", ...ids.map((id) => `two\tcandidate\tg\t${id}`)]);
});

test("--version", async () => {
  expect((await w.run("--version")).stdout).toBe(`${VERSION}\n`);
});

test("unknown commands are usage errors with a likely spelling, also before --help", async () => {
  const typo = await w.run("taks --help");
  expect(typo).toMatchObject({ exit: 2, stdout: "" });
  expect(typo.stderr).toMatch(/^usage: conveyor /);
  expect(typo.stderr).toContain('unknown command "taks". Did you mean tasks?');
  expect((await w.run("--jsno")).stderr).toContain("--jsno");
  expect((await w.run(["constructor"])).exit).toBe(2);
  expect((await w.run(["loop-evidence add"])).exit).toBe(2);
});

test("a usage error creates nothing", async () => {
  const done = await w.run("tasks --create x");
  expect(done).toMatchObject({ exit: 2, stdout: "" });
  expect(done.stderr).toStartWith("usage: conveyor tasks ");
  expect(existsSync(w.stateRoot)).toBe(false);
});

test("a refusal is one prefixed sentence with a hint", async () => {
  const done = await w.run("unbind --task ghost");
  expect(done).toMatchObject({ exit: 1, stdout: "" });
  expect(done.stderr).toBe('conveyor: unknown task "ghost"\nhint: conveyor tasks\n');
  const other = await w.run("unbind --task ghost", { env: { CONVEYOR_CLI_PROG: "workerctl" } });
  expect(other.stderr).toBe('workerctl: unknown task "ghost"\nhint: workerctl tasks\n');
});

test("what SQLite refuses becomes one line, never a stack", async () => {
  await w.file("state/workerctl.db", await Bun.file(join(FIXTURES, "databases", "v22.db")).bytes());
  // As after its longest wait for the other one.
  w.keepOpen().db.run("pragma busy_timeout = 0");
  using other = new Database(w.dbPath);
  other.run("begin immediate");
  const done = await w.run("tasks --create x --goal y");
  expect(done).toMatchObject({ exit: 1, stdout: "" });
  expect(done.stderr.split("\n")[0]).toMatch(/^conveyor: .*locked/i);
  expect(done.stderr).not.toContain("    at ");
});

test("the program's name", () => {
  expect(programName({}, "/usr/bin/workerctl")).toBe("workerctl");
  expect(programName({}, "./conveyor-linux-x64")).toBe("conveyor");
  expect(programName({ CONVEYOR_CLI_PROG: "workerctl" }, "conveyor")).toBe("workerctl");
  expect(programName({ CONVEYOR_CLI_PROG: "rm -rf" }, "workerctl")).toBe("workerctl");
});

test("state root: variable, else below the working directory; --path expands ~", async () => {
  await w.ok("tasks --create a --goal b", { env: { WORKERCTL_STATE_ROOT: "" } });
  expect(existsSync(join(w.work, ".codex-workers", "workerctl.db"))).toBe(true);
  await w.ok("tasks --create a --goal b --path ~/x/y.db");
  expect(existsSync(join(w.dir, "home", "x", "y.db"))).toBe(true);
  expect((await w.run(["tasks", "--path", ""])).exit).toBe(2);
});

test("what others wrote commands no terminal and breaks no line", async () => {
  const evil = "x\u001b[31m\u0007\n\ty\u009b";
  await w.ok(["tasks", "--create", evil, "--goal", evil]);
  expect((await w.run("tasks")).stdout).toBe("x[31m y\tcandidate\tx[31m y\n");
  expect((await w.run(["criteria", evil, "--satisfy", "1"])).stderr).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
  await w.ok(["criteria", evil, "--add", "--criterion", evil, "--source", "worker_proposed", "--status", "accepted"]);
  expect((await w.run(["finish-task", evil, "--require-criteria-audit"])).stderr).toContain("#1: x[31m y\n");
});

test("JSON that is nested beyond what SQLite keeps is refused in one sentence", async () => {
  await w.ok("tasks --create t --goal g");
  for (const levels of [2000, 20_000]) {
    const done = await w.run(["handoff", "t", "--summary", "s", "--payload-json", `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`]);
    expect([done.exit, done.stderr.split("\n")[0]]).toEqual([1, "conveyor: a JSON value is nested too deeply to be stored"]);
  }
  expect(w.rows("select 1 from worker_handoffs")).toEqual([]);
});

test("stdin that is a terminal is refused instead of waited for", () => {
  expect(() => w.context({ tty: true }).stdin()).toThrow("terminal");
  expect(() => w.context({ stdin: "x".repeat(20) }).stdin({ limitBytes: 10 })).toThrow("10 bytes");
});

test("the commands of a hint name the database that the call named, where they know the flag", async () => {
  const file = join(w.dir, "other.db");
  await w.ok(["tasks", "--create", "t1", "--goal", "g", "--path", file]);
  const unbound = await w.run(["cycle", "t1", "--path", file]);
  expect(unbound.stderr).toEndWith(`hint: conveyor bind --path ${file} --task t1 --worker NAME --manager NAME\n`);
  const unpermitted = await w.run(["manager-permission", "t1", "worker_session.compact", "--require", "--require-handoff", "--path", file]);
  expect(unpermitted.stderr).toContain(`conveyor manager-config --path ${file} t1`);
  expect(unpermitted.stderr).toContain(`conveyor handoff --path ${file} t1 --summary TEXT`);
  expect((await w.run("cycle t1")).stderr).not.toContain("--path");
});
