/** After a restart: the commands that `reconcile --apply` prints, run one after the other, lead back to the conversations as they were begun. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { CodexWorld } from "../../codex-world.ts";
import { strike, until } from "../../harness.ts";
import { tmux } from "../../panes.ts";
import { meta, rollout, THREAD } from "../../rollout.ts";

const MAIN = resolve(import.meta.dir, "../../../src/main.ts");
const world = new CodexWorld();
let thread = "";
beforeAll(async () => {
  chmodSync(await world.file("bin/conveyor", `#!/bin/sh\nexec ${process.execPath} ${MAIN} "$@"\n`), 0o755);
  const limits = ["--sandbox", "read-only", "--ask-for-approval", "never"];
  const started = await world.ok(["start-worker", "--name", "w1", "--cwd", world.project, "--timeout-seconds", "60", ...limits]);
  thread = started.codex_session_id;
  await world.turns(thread, 1);
  const manager = await rollout(world, meta(THREAD.manager), THREAD.manager);
  await world.ok(["register-manager", "--name", "m1", "--pid", String(process.pid), "--codex-session", manager.path, "--cwd", world.work]);
  await world.ok(["tasks", "--create", "t1", "--goal", "g"]);
  await world.ok("bind --task t1 --worker w1 --manager m1");
}, 120_000);
afterAll(() => world.close());

const env = (): Record<string, string | undefined> => ({ ...world.env, PATH: `${world.dir}/bin:${world.env.PATH}` });
const watches = async () => (await world.ok("dispatch status --json")).dispatchers.filter((each: { alive: boolean }) => each.alive);

test("each command succeeds, the worker goes on with its permissions, takes messages, and Dispatch runs", async () => {
  const watch = Bun.spawn([process.execPath, MAIN, "dispatch", "--watch"], { env: world.env, stdout: "ignore", stderr: "ignore" });
  await until("the watch", async () => (await watches()).length === 1);
  watch.kill("SIGKILL");
  await watch.exited;
  const [row] = world.rows<{ pid: number; path: string }>("select pid, codex_session_path as path from sessions where name = 'w1'");
  tmux(world, "kill-server");
  strike(row!.pid);
  await until("the end of the worker", async () => (await world.ok("reconcile")).dead_pid_sessions.length === 1);
  // As on a real machine: the server of tmux is somebody else's, and knows nothing of this home.
  const bare = Bun.spawnSync(["tmux", "new-session", "-d", "-s", "somebody", "cat"], { env: { ...world.env, CODEX_HOME: undefined } });
  expect(bare.exitCode).toBe(0);

  const commands: string[] = (await world.ok("reconcile --apply")).next_commands;
  expect(commands.map((line) => line.split(" ").slice(0, 3).join(" "))).toEqual([
    "conveyor start-worker --name",
    "conveyor bind --task",
    "nohup conveyor dispatch",
  ]);
  for (const line of commands) {
    const done = Bun.spawnSync(["sh", "-c", line], { env: env(), cwd: world.work, stderr: "pipe" });
    expect([line, done.exitCode, done.stderr.toString()]).toEqual([line, 0, ""]);
  }
  expect((await world.ok("sessions --name w1"))[0]).toMatchObject({ launch: "protocol", launch_why: null, codex_session_id: thread });
  const before = readFileSync(row!.path, "utf8").length;
  expect(await world.ok(["session-nudge", "w1", "after the restart"])).toMatchObject({ transport: "codex_protocol", proof: "seen" });
  await world.idle(thread);
  const since = readFileSync(row!.path, "utf8").slice(before);
  expect(since).toContain("after the restart");
  expect(since).toMatch(/"approval_policy":"never"/);
  expect(since).toMatch(/"sandbox_policy":\{"type":"read-only"/);
  await until("Dispatch", async () => (await watches()).length === 1);
}, 180_000);
