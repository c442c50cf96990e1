/** start, create, start-test and the doctors, with the real Codex where one is needed. */
import { afterEach, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startCommands } from "../../src/core/agent/start-prompt.ts";
import { CodexWorld } from "../codex-world.ts";
import { until, World } from "../harness.ts";

let w: CodexWorld | World;
afterEach(() => w.close());

const program = (name: string) => `${process.execPath} ${join(import.meta.dir, "..", "..", "src", "main.ts")} ${name}`;

test("create: ready, told its rules, verified by the report it makes itself, taken over with a new token", async () => {
  // The scripted worker does what its contract says: it runs update-status.
  const world = new CodexWorld((request) =>
    request.toolOutput !== null || !(request.userTexts.at(-1) ?? "").includes("update-status")
      ? [{ say: "done" }]
      : [{ run: `${program("update-status")} w1 --state done --current-task t --next-action none` }],
  );
  w = world;
  // create passes no sandbox flags, and Codex refuses its own sandbox for a home below /tmp.
  const config = join(world.codexHome, "config.toml");
  writeFileSync(config, `sandbox_mode = "danger-full-access"\napproval_policy = "never"\n${readFileSync(config, "utf8")}`);
  const made = await world.run("create w1 --wait-ready --verify --accept-trust --task look", { cwd: world.project });
  expect(made).toMatchObject({ exit: 0, stderr: "" });
  expect(made.stdout).toMatch(/startup: (ready|working) /);
  expect(made.stdout).toContain("verification: ok");
  expect(made.stdout).toContain("attach: tmux attach -t codex-w1");
  expect(world.rows("select state, tmux_pane_id is not null as pane from workers")).toEqual([{ state: "active", pane: 1 }]);
  expect(world.rows("select type from events order by id").map((row) => row.type)).toEqual([
    "worker_create_recorded",
    "worker_tmux_started",
    "status_updated",
  ]);
  expect(readFileSync(join(world.stateRoot, "w1", "contract.txt"), "utf8")).toContain("Your task: look");
  const token = world.rows<{ t: string }>("select identity_token as t from workers")[0]!.t;

  expect((await world.run("create w1 --reuse", { cwd: world.project })).stderr).toContain('"codex-w1" exists already');
  Bun.spawnSync(["tmux", "kill-session", "-t", "=codex-w1"], { env: world.env });
  const again = await world.ok("create w1 --reuse --no-initial-prompt --stop-after --json", { cwd: world.project });
  expect(again).toMatchObject({
    name: "w1",
    startup: "launched",
    verification: null,
    attach_command: "tmux attach -t codex-w1",
    stop_command: "conveyor stop w1",
    stopped: true,
  });
  const [row] = world.rows<{ t: string; state: string }>("select identity_token as t, state from workers");
  expect(row!.t).not.toBe(token);
  expect(row!.state).toBe("stopped");
  expect(JSON.parse(readFileSync(join(world.stateRoot, "w1", "config.json"), "utf8")).identity_token).toBe(row!.t);
});

test("create names an untrusted folder instead of pressing anything", async () => {
  const world = new CodexWorld(undefined, { trusted: false });
  w = world;
  const made = await world.run("create w1 --wait-ready", { cwd: world.project });
  expect(made.stdout).toContain("startup: needs_trust");
  const trusted = await world.run("create w2 --wait-ready --accept-trust", { cwd: world.project });
  expect(trusted.stdout).toMatch(/startup: (ready|working)/);
});

test("start: Codex gets the prompt that is on file, and its own flags; nothing goes on record", async () => {
  const world = new CodexWorld();
  w = world;
  const started = await world.ok(["start", "raw-1", "--cwd", world.project, "--sandbox", "danger-full-access"]);
  const prompt = readFileSync(started.start_prompt_path, "utf8").trimEnd();
  expect(started).toMatchObject({ session: "raw-1", cwd: world.project, start_prompt_sent: true });
  expect(started.start_manager_command_template).toContain("--sandbox danger-full-access");
  const rollouts = await until(
    "its rollout",
    () => existsSync(join(world.codexHome, "sessions")) && world.rollouts().size > 0 && world.rollouts(),
  );
  const [thread] = [...rollouts.keys()];
  expect(await world.saidTo(thread!)).toEqual([prompt]);
  expect(existsSync(world.dbPath)).toBe(false);
});

test("the templates of start keep names as they are and leave gaps to fill in", () => {
  const commands = startCommands("conveyor", "s 1", "/a b", ["--sandbox=read-only", "--model", "x"]);
  expect(commands.registerWorker).toBe("conveyor register-worker --name <worker> --self --tmux-session 's 1'");
  expect(commands.startManager).toBe(
    "conveyor start-manager --name <manager> --task <task> --worker <worker> --cwd '/a b' --sandbox read-only",
  );
});

test("doctor says what Codex can do, which records nobody knows, and survives a broken status.json", async () => {
  w = new World();
  await w.file("state/old/config.json", '{"name":"old"}');
  await w.file("state/old/status.json", "{");
  const first = await w.run("doctor");
  expect(first.exit).toBe(0);
  expect(first.json()).toMatchObject({
    ok: true,
    codex: {
      version: "0.171.0",
      in_range: true,
      warning: null,
      features: { shared_daemon: true, thread_queue: true, daemon_running: false },
    },
    workers: [{ name: "old", status: null, status_error: expect.stringContaining("status.json") }],
    unknown_records: [],
  });
  const bare = await w.run("doctor --cwd nowhere", { env: { PATH: "/nonexistent" } });
  expect(bare.exit).toBe(1);
  expect(
    bare
      .json()
      .checks.filter((check: { ok: boolean }) => !check.ok)
      .map((check: { name: string }) => check.name),
  ).toEqual(["tmux", "codex", "target_cwd_exists"]);
});

test("doctor-self does not believe a TMUX that belongs to somebody else", async () => {
  w = new World();
  Bun.spawnSync(["tmux", "new-session", "-d", "-s", "other", "cat"], { env: w.env });
  const [socket] = Bun.spawnSync(["tmux", "display-message", "-p", "-t", "=other:", "#{socket_path}"], { env: w.env })
    .stdout.toString()
    .trim()
    .split("\n");
  const report = await w.run("doctor-self", { env: { TMUX: `${socket},1,0`, TMUX_PANE: "%0" } });
  expect(report.exit).toBe(1);
  expect(report.json()).toMatchObject({ supported: false, current_session: null, tmux_believed: false, self: { ok: false } });
});
