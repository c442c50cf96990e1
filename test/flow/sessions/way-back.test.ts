/** Each printed way on leads on: what a refusal names, run as it is printed, brings back what was ended, or says what runs. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync } from "node:fs";
import { resolve } from "node:path";
import { CodexWorld } from "../../codex-world.ts";
import { until } from "../../harness.ts";
import { meta, rollout, THREAD } from "../../rollout.ts";

const MAIN = resolve(import.meta.dir, "../../../src/main.ts");
const world = new CodexWorld();
const RIGHTS = ["--sandbox", "read-only", "--ask-for-approval", "on-request", "--effort", "low"];
const PAIR = ["pair", "--task", "t1", "--worker-name", "w1", "--manager-name", "m1", "--no-dispatch"];
beforeAll(async () => {
  chmodSync(await world.file("bin/conveyor", `#!/bin/sh\nexec ${process.execPath} ${MAIN} "$@"\n`), 0o755);
  await world.ok(["start-worker", "--name", "w1", "--cwd", world.project, "--timeout-seconds", "60", ...RIGHTS]);
  const manager = await rollout(world, meta(THREAD.manager), THREAD.manager);
  await world.ok(["register-manager", "--name", "m1", "--pid", String(process.pid), "--codex-session", manager.path, "--cwd", world.work]);
  await world.ok(["tasks", "--create", "t1", "--goal", "g"]);
  await world.ok("bind --task t1 --worker w1 --manager m1");
}, 120_000);
afterAll(() => world.close());

/** Runs a command as it was printed. */
function follow(line: string): string {
  const env = { ...world.env, PATH: `${world.dir}/bin:${world.env.PATH}` };
  const done = Bun.spawnSync(["sh", "-c", line], { env, cwd: world.work, stderr: "pipe" });
  expect([line, done.exitCode, done.stderr.toString()]).toEqual([line, 0, ""]);
  return done.stdout.toString();
}
const hintOf = async (line: string | string[]): Promise<string> => {
  const done = await world.run(line);
  expect([done.exit, done.stdout]).toEqual([1, ""]);
  return /^hint: (.*)$/m.exec(done.stderr)![1]!;
};
/** The first command in a hint. */
const commandIn = (hint: string): string => /conveyor [^;]*/.exec(hint)![0];
const running = () => world.rows<{ pid: number }>("select pid from sessions where name = 'w1' and state = 'active'")[0]?.pid;

test("a pair asked for again is told what runs, also by --dry-run", async () => {
  for (const words of [PAIR, [...PAIR, "--dry-run"]]) {
    const done = await world.run(words);
    expect([done.exit, done.stdout]).toEqual([1, ""]);
    expect(done.stderr).toContain("w1 works on it for m1, and both run");
    const hint = /^hint: (.*)$/m.exec(done.stderr)![1]!;
    expect(JSON.parse(follow(commandIn(hint)))).toMatchObject({ worker_session: "w1", worker_alive: true });
    expect(hint.indexOf("unbind")).toBeGreaterThan(hint.indexOf("open-worker t1"));
  }
});

test("after stop, who speaks to it or looks at it is told how it is started, and that starts it", async () => {
  for (const line of ["session-nudge w1 hello", "session-interrupt w1", "cycle t1"]) {
    await world.ok("stop w1");
    expect(running()).toBeUndefined();
    const hint = await hintOf(line);
    expect(hint).toContain("with a new conversation");
    follow(commandIn(hint));
    expect(running()).toBeNumber();
    // With the rights that it had, and no more.
    expect(world.rows("select permissions_json, effort from session_agents where launch <> 'registered'")).toEqual([
      { permissions_json: '{"ask_for_approval":"on-request","sandbox":"read-only"}', effort: "low" },
    ]);
  }
  expect(await world.ok("session-nudge w1 hello")).toMatchObject({ proof: "seen" });
}, 180_000);

test("after stop and reconcile, what that prints brings worker and binding back", async () => {
  await world.ok("stop w1");
  const again = await hintOf(PAIR);
  const { next_commands } = JSON.parse(follow(commandIn(again).replace(/ tells.*/, "")));
  expect(next_commands.at(-1)).toStartWith("conveyor bind --task t1");
  expect(await hintOf(next_commands.at(-1).split(" ").slice(1))).toContain("conveyor start-worker --name w1 --cwd");
  for (const line of next_commands) follow(line);
  expect(running()).toBeNumber();
  expect(await world.ok("cycle t1")).toMatchObject({ worker_session: "w1", worker_alive: true });
  await until("it is heard", async () => (await world.run("session-nudge w1 hello")).exit === 0);
}, 180_000);

test("a dry run refuses names that are taken, as the pair would, and where no records are it makes none", async () => {
  const other = ["pair", "--task", "t2", "--task-goal", "g", "--worker-name", "w1", "--manager-name", "m2", "--no-dispatch"];
  const [dry, real] = [await world.run([...other, "--dry-run"]), await world.run(other)];
  expect(dry).toMatchObject({ exit: 1, stdout: "", stderr: real.stderr });
  expect(dry.stderr).toContain("is registered already");
  const unknown = [...PAIR.map((word) => (word === "t1" ? "nobody" : word)), "--dry-run"];
  expect((await world.run(unknown)).stderr).toContain('unknown task "nobody"');
  const env = { WORKERCTL_STATE_ROOT: `${world.dir}/none` };
  expect((await world.run(unknown, { env })).exit).toBe(0);
  expect(await Bun.file(`${env.WORKERCTL_STATE_ROOT}/workerctl.db`).exists()).toBe(false);
});
