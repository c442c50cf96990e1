/** Running programs: limits, ends, what is left behind, and what a failure tells. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startCompanion } from "../../../src/system/processes/companion.ts";
import { groupLives } from "../../../src/system/processes/process-group.ts";
import { ProgramFailure, runProgram, runProgramNow, startAndLeave, startProgram } from "../../../src/system/processes/run.ts";
import { until } from "../../harness.ts";

let dir: string;
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), "run-"))));
afterEach(() => rmSync(dir, { recursive: true }));

const env = { PATH: process.env.PATH, BUN_OPTIONS: "--version", BUN_BE_BUN: "1", npm_config_x: "1", KEPT: "yes" };
const sh = (script: string, options: Partial<Parameters<typeof runProgram>[1]> = {}) =>
  runProgram(["sh", "-c", script], { env, cwd: dir, ...options });
const written = (name: string): string | false => existsSync(join(dir, name)) && readFileSync(join(dir, name), "utf8").trim();
const pidIn = async (name: string): Promise<number> => Number(await until(name, () => written(name)));
const running = (pid: number): boolean =>
  /^[^Z]/.test(
    Bun.spawnSync(["ps", "-o", "stat=", "-p", String(pid)])
      .stdout.toString()
      .trim(),
  );

test("gives what it printed and how it ended", async () => {
  expect(await sh("echo out; echo err >&2; exit 3")).toMatchObject({
    code: 3,
    signal: null,
    stdout: "out\n",
    stderr: "err\n",
    timedOut: false,
    missing: false,
  });
  expect(await sh("kill -9 $$")).toMatchObject({ code: null, signal: "SIGKILL" });
  expect(await runProgram(["no-such-program"], { env })).toMatchObject({
    missing: true,
    code: null,
    stderr: "no-such-program is not on PATH",
  });
});

test("input is ended, or what is given", async () => {
  expect((await sh("cat; echo end")).stdout).toBe("end\n");
  expect((await sh("cat", { stdin: "x".repeat(1 << 20) })).stdout).toHaveLength(1 << 20);
  // Nobody reads it.
  expect((await sh("exit 0", { stdin: "x".repeat(1 << 20) })).code).toBe(0);
});

test("nothing that steers Bun or npm reaches it", async () => {
  const { stdout } = await sh("env");
  expect(stdout).toContain("KEPT=yes");
  expect(stdout).not.toMatch(/BUN_OPTIONS|BUN_BE_BUN|npm_config/);
});

test("it leads a group of its own", async () => {
  const { stdout } = await sh("ps -o pgid= -p $$; echo $$");
  const [group, pid] = stdout.trim().split(/\s+/);
  expect(group).toBe(pid!);
});

for (const [what, script] of [
  ["asleep", "exec sleep 300"],
  ["deaf to being asked", "trap '' TERM; while :; do sleep 0.1; done"],
  ["a script around the program", "sleep 300; echo after"],
  ["stopped", "kill -STOP $$"],
] as const) {
  test(`over its time it is ended, ${what}`, async () => {
    const began = performance.now();
    const done = await sh(`echo $$ > pid; sleep 300 & echo $! > below; ${script}`, { timeoutMs: 300, graceMs: 300 });
    expect(done).toMatchObject({ timedOut: true, code: null, missing: false });
    expect(performance.now() - began).toBeLessThan(4000);
    for (const name of ["pid", "below"]) await until(`the end of ${name}`, () => !running(Number(written(name))));
  });
}

test("what was printed before the time was up is kept", async () => {
  expect(await sh("echo early; sleep 300", { timeoutMs: 300, graceMs: 0 })).toMatchObject({ timedOut: true, stdout: "early\n" });
});

test("asked to end, a program may end well, and its own group with it", async () => {
  const program = startProgram(["sh", "-c", "trap 'sleep 0.3; echo well > end; exit 7' TERM; echo x > up; while :; do sleep 0.05; done"], {
    env,
    cwd: dir,
  });
  await until("it runs", () => written("up"));
  expect(await program.end(5000)).toMatchObject({ code: 7 });
  expect(written("end")).toBe("well");
});

test("the end of a script is not the end of what it is around: that keeps its grace", async () => {
  const inner = `trap 'sleep 0.4; echo well > end; exit 0' TERM; echo x > up; while :; do sleep 0.05; done`;
  const program = startProgram(["sh", "-c", `sh -c "$0"; echo after`, inner], { env, cwd: dir });
  await until("it runs", () => written("up"));
  await program.end(5000);
  expect([written("end"), groupLives(program.pid)]).toEqual(["well", false]);
});

test("a grandchild that holds the pipes open is not waited for, and ends unless it is to stay", async () => {
  const began = performance.now();
  expect(await sh("sleep 300 & echo $! > pid; echo said")).toMatchObject({ code: 0, stdout: "said\n" });
  expect(performance.now() - began).toBeLessThan(2000);
  // Killed is not yet gone.
  await until("the end of the grandchild", () => !running(Number(written("pid"))));
  expect(await sh("sleep 300 & echo $! > stays; echo said", { leaveRest: true })).toMatchObject({ code: 0, stdout: "said\n" });
  const pid = Number(written("stays"));
  expect(running(pid)).toBe(true);
  process.kill(pid, "SIGKILL");
});

test("one that left the group and goes on talking is not waited for either", async () => {
  const began = performance.now();
  const away = `import { spawn } from "node:child_process"; spawn("sh", ["-c", "echo $$ > '${dir}/away'; while :; do echo more; sleep 0.01; done"], { detached: true, stdio: "inherit" }).unref();`;
  const done = await runProgram([process.execPath, "-e", away], { env: { PATH: env.PATH }, cwd: dir });
  expect(performance.now() - began).toBeLessThan(4000);
  expect(done.code).toBe(0);
  process.kill(await pidIn("away"), "SIGKILL");
});

describe("run while nothing else happens", () => {
  const now = (script: string, limits: Partial<Parameters<typeof runProgramNow>[1]> = {}) =>
    runProgramNow(["sh", "-c", script], { env, cwd: dir, ...limits });

  test("it gives what it printed and how it ended, and nothing of its environment steers Bun", () => {
    expect(now("echo said; exit 3")).toEqual({ code: 3, stdout: "said\n" });
    expect(now("kill -9 $$")).toEqual({ code: null, stdout: "" });
    expect(now("echo $BUN_OPTIONS$KEPT")).toEqual({ code: 0, stdout: "yes\n" });
    expect(runProgramNow(["no-such-program"], { env, cwd: dir })).toEqual({ code: null, stdout: "" });
  });

  test("an answer that a grandchild holds open is cut at the limit, told so, and the grandchild ends", async () => {
    expect(now("sleep 300 & echo $! > below; echo said; exit 0", { timeoutMs: 500 })).toEqual({ code: null, stdout: "said\n" });
    const below = await pidIn("below");
    await until("the end of the grandchild", () => !running(below));
  });

  test("a grandchild that is deaf to being asked, below one that is itself too slow, ends too", async () => {
    const script = "(trap '' TERM HUP INT; echo $(exec sh -c 'echo $PPID') > below; while :; do sleep 0.1; done) & sleep 300";
    expect(now(script, { timeoutMs: 500 })).toEqual({ code: null, stdout: "" });
    const below = await pidIn("below");
    await until("the end of the grandchild", () => !running(below));
  });

  test("what it left running without holding anything ends with it, and the answer is whole", async () => {
    expect(now("sleep 300 > away 2>&1 & echo $! > below; echo said")).toEqual({ code: 0, stdout: "said\n" });
    const below = await pidIn("below");
    await until("the end of the grandchild", () => !running(below));
  });

  test("more than allowed is cut and told so, also when another than itself prints it", async () => {
    for (const script of ["exec yes", "yes & echo $! > below; exit 0"]) expect(now(script, { mostBytes: 1 << 16 }).code).toBeNull();
    const below = await pidIn("below");
    await until("the end of the grandchild", () => !running(below));
  });
});

test("more output than allowed ends it", async () => {
  expect(await runProgram(["yes"], { env, mostBytes: 1 << 20 })).toMatchObject({ flooded: true, timedOut: false, code: null });
});

test("bytes that are no text can be told apart", async () => {
  expect((await sh("printf '\\377\\376'", { encoding: "latin1" })).stdout).toBe("\xff\xfe");
});

test("a failure tells command, folder, exit status, signal and duration", () => {
  const failure = (() => {
    try {
      return startProgram(["no-such-program", "word"], { env, cwd: dir });
    } catch (error) {
      return error as ProgramFailure;
    }
  })();
  expect(failure).toBeInstanceOf(ProgramFailure);
  expect(failure).toMatchObject({ command: ["no-such-program", "word"], folder: dir, code: null, signal: null, durationMs: 0 });
});

test("what is started and left is watched for a moment, and goes on", async () => {
  expect(await startAndLeave(["sh", "-c", "exit 4"], env, 5000)).toBe(4);
  expect(await startAndLeave(["sh", "-c", `echo $$ > '${dir}/left'; exec sleep 300`], env, 300)).toBeNull();
  const pid = Number(written("left"));
  expect(running(pid)).toBe(true);
  process.kill(pid, "SIGKILL");
  await expect(startAndLeave(["no-such-program"], env, 100)).rejects.toThrow("not on PATH");
});

test("a companion is asked once, and waited for as long as it may take", async () => {
  const script = "trap 'echo asked >> end; sleep 0.5; echo well >> end; exit 0' TERM INT; echo x > up; while :; do sleep 0.05; done";
  let told = 0;
  const companion = startCompanion(["sh", "-c", script], { env, cwd: dir }, 10_000, () => told++)!;
  await until("it runs", () => written("up"));
  await companion.end();
  expect([written("end"), told, running(companion.pid)]).toEqual(["asked\nwell", 0, false]);
  expect(startCompanion(["no-such-program"], { env, cwd: dir }, 1000, () => {})).toBeNull();
});
