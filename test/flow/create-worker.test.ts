/** start, create, start-test and the doctors, with the real Codex where one is needed. */
import { afterEach, expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { agents } from "../../src/core/agent/agents.ts";
import { startCommands } from "../../src/core/agent/start-prompt.ts";
import { alive, environmentOf, listProcesses } from "../../src/system/processes/processes.ts";
import { CodexWorld } from "../codex-world.ts";
import { until, World } from "../harness.ts";

let w: CodexWorld | World;
afterEach(() => w.close());

const program = (name: string) => `${process.execPath} ${join(import.meta.dir, "..", "..", "src", "main.ts")} ${name}`;

/** Waits until nothing of this world's agents runs. */
const nothingRuns = (world: CodexWorld) =>
  until("the end of all its processes", async () =>
    ((await listProcesses(world.env)) ?? []).every(({ pid }) => environmentOf(pid, "CODEX_HOME") !== world.codexHome || !alive(pid)),
  );

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
  expect(made.stdout).toContain("launch: protocol\n");
  expect(world.rows("select launch, socket is not null as served from session_agents join session_sockets using (session_id)")).toEqual([
    { launch: "protocol", served: 1 },
  ]);
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
  await world.ok("nudge w1 hello --json");
  expect(world.rows("select transport, state from deliveries")).toEqual([{ transport: "tmux", state: "delivered" }]);
  Bun.spawnSync(["tmux", "kill-session", "-t", "=codex-w1"], { env: world.env });
  await nothingRuns(world);
  const again = await world.ok("create w1 --reuse --no-initial-prompt --stop-after --json", { cwd: world.project });
  expect(again).toMatchObject({
    name: "w1",
    startup: "launched",
    launch: "protocol",
    launch_why: null,
    verification: null,
    attach_command: "tmux attach -t codex-w1",
    stop_command: "conveyor stop w1",
    stopped: true,
  });
  await nothingRuns(world);
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
  const trusted = await world.run("create w2 --launch tmux --wait-ready --accept-trust", { cwd: world.project });
  expect(trusted.stdout).toContain("launch: tmux\n");
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
  expect(started).toMatchObject({ launch: "protocol", launch_why: null });
});

test("start, then register: what was started with a server of its own is found with it, whoever names it", async () => {
  const registering = ["register-worker", "--name", "own", "--self", "--tmux-session", "raw-own"].join(" ");
  const world = new CodexWorld((request) =>
    request.toolOutput === null && (request.userTexts.at(-1) ?? "").includes("raw-own")
      ? [{ run: `${program(registering)}` }]
      : [{ say: "done" }],
  );
  w = world;
  await world.ok("sessions");
  const yolo = ["--sandbox", "danger-full-access", "--ask-for-approval", "never"];
  await world.ok(["start", "raw-own", "--cwd", world.project, ...yolo]);
  const own = await until("its registration", () => world.rows<{ thread: string }>("select codex_session_id as thread from sessions")[0]);
  await world.idle(own.thread);
  const paneOf = (session: string): number =>
    Number(Bun.spawnSync(["tmux", "list-panes", "-t", `=${session}`, "-F", "#{pane_pid}"], { env: world.env }).stdout.toString());
  expect(await world.ok("sessions")).toMatchObject([{ name: "own", launch: "protocol", launch_why: null, pid: paneOf("raw-own") }]);
  expect(await world.ok("session-nudge own hello")).toMatchObject({ transport: "codex_protocol", proof: "seen" });
  // Told by its process, and again by its thread: it stays what it was started as.
  await world.ok(["start", "raw-pid", "--cwd", world.project, ...yolo]);
  const named = ["register-worker", "--name", "by-pid", "--pid", String(paneOf("raw-pid")), "--tmux-session", "raw-pid"];
  const first = await until("its thread", async () => {
    const done = await world.run(named);
    return done.exit === 0 ? done.json() : undefined;
  });
  expect(first).toMatchObject({ launch: "protocol", pid: paneOf("raw-pid") });
  const again = ["register-worker", "--name", "by-pid", "--codex-session", first.codex_session_id, "--tmux-session", "raw-pid"];
  expect(await world.ok(again)).toMatchObject({ launch: "protocol", pid: paneOf("raw-pid") });
  expect(await world.ok("session-nudge by-pid hello")).toMatchObject({ transport: "codex_protocol", proof: "seen" });
  // A flag that Codex takes only without a server of its own.
  const alone = await world.ok(["start", "raw-alone", "--cwd", world.project, "--no-start-prompt", "--search"]);
  expect(alone).toMatchObject({ launch: "tmux", launch_why: "Codex is not known to take --search beside a server of its own" });
  await world.ok("stop own --json");
  await world.ok("stop by-pid --json");
});

test("the templates of start keep names as they are and leave gaps to fill in", () => {
  const place = { session: "s 1", cwd: "/a b" };
  const commands = startCommands("conveyor", { ...place, agent: null, flags: ["--sandbox=read-only", "--model", "x"] });
  expect(commands.registerWorker).toBe("conveyor register-worker --name <worker> --self --tmux-session 's 1'");
  expect(commands.startManager).toBe(
    "conveyor start-manager --name <manager> --task <task> --worker <worker> --cwd '/a b' --sandbox read-only",
  );
  expect(startCommands("conveyor", { ...place, agent: "claude", flags: ["--permission-mode", "plan"] }).startManager).toBe(
    "conveyor start-manager --name <manager> --task <task> --worker <worker> --cwd '/a b' --agent claude --permission-mode plan",
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

test("doctor says of each agent in a line what agents says, and needs the one that is started unless somebody says otherwise", async () => {
  w = new World();
  // Only a script can be of a version that nobody has tested.
  const claude = await w.file("bin/claude", "#!/bin/sh\necho '9.9.9 (Claude Code)'\n");
  chmodSync(claude, 0o755);
  symlinkSync(Bun.which("tmux", { PATH: w.env.PATH! })!, join(dirname(claude), "tmux"));
  const at = async (CONVEYOR_AGENT: string) => w.run("doctor", { env: { CONVEYOR_AGENT, PATH: dirname(claude) } });
  const { from, to } = agents.claude.tested;
  const [codexLine, claudeLine, ...more]: string[] = (await at("codex")).json().agents;
  expect([codexLine, more]).toEqual(["codex: not on PATH: npm install --global @openai/codex", []]);
  expect(claudeLine).toBe(
    `claude: 9.9.9 at ${claude}; tested ${from} to ${to}; 9.9.9 is newer than any version that the tests know (${from} to ${to})`,
  );
  expect((await at("codex")).exit).toBe(1);
  const chosen = await at("claude");
  expect(chosen.exit).toBe(0);
  expect(chosen.json().checks).toContainEqual({ name: "claude", ok: true, path: claude });
  expect((await w.run("doctor-self", { env: { CONVEYOR_AGENT: "claude" } })).json().agent).toBe("claude");
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
