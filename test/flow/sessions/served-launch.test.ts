/** Sessions with a server of their own, of today's Codex and of the oldest that must work; and why one has none. */
import { afterAll, describe, expect, test } from "bun:test";
import { appendFileSync, chmodSync, existsSync, mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { agents } from "../../../src/core/agent/agents.ts";
import { CodexSuiteWorld, OldestCodexWorld } from "../../agent-suite/codex-world.ts";
import { commandLineOf, environmentOf, listProcesses } from "../../../src/system/processes/processes.ts";
import { capturePane } from "../../../src/system/terminal/panes.ts";
import { CodexWorld, PlainModel } from "../../codex-world.ts";
import { strike, until } from "../../harness.ts";
import { PROBE } from "../../served-world.ts";

const starting = (world: CodexWorld, name: string, ...more: string[]) =>
  world.ok(["start-worker", "--name", name, "--cwd", world.project, "--timeout-seconds", "60", ...more]);

for (const [label, make] of [
  ["Codex", () => new CodexSuiteWorld()],
  ["the oldest Codex", () => new OldestCodexWorld()],
] as const) {
  describe(`${label} by protocol`, () => {
    const world = make();
    afterAll(() => world.close());

    test("started, spoken to idle and working, interrupted, and ended with nothing left", async () => {
      const { codex_session_id: thread, pid } = await starting(world, "w1", "--launch", "protocol");
      await world.idle(thread);
      expect((await world.ok("sessions --name w1"))[0]).toMatchObject({ launch: "protocol", launch_why: null, pid });
      expect(await world.ok("session-nudge w1 idle")).toMatchObject({ transport: "codex_protocol", proof: "seen" });
      await world.idle(thread);
      await world.ok(["session-nudge", "w1", "run sleep 61"]);
      await world.runs("sleep 61");
      const joined = world.ok("session-nudge w1 joined");
      await until("its word", () => world.rows("select 1 from texts_under_way").length > 0);
      expect(await world.ok("session-interrupt w1")).toMatchObject({ sent: true });
      expect(await joined).toMatchObject({ transport: "codex_protocol", proof: "seen" });
      await world.idle(thread);
      expect(world.userTexts(thread).filter((text) => text === "joined")).toHaveLength(1);
      expect(await world.ok("session-interrupt w1")).toMatchObject({ sent: false });
      const idle = await world.run(["interrupt", "w1", "--followup", "and now?"]);
      expect(idle).toMatchObject({ exit: 0, stderr: "note: w1 is idle, no key was pressed; the message was sent all the same\n" });
      expect(await world.saidTo(thread)).toContain("and now?");
      const logs = () => [...new Bun.Glob("artifacts/served/*/server.log").scanSync(world.stateRoot)];
      expect([await world.ok("prune"), logs().length]).toMatchObject([{ server_logs_pruned: 0 }, 1]);
      await world.ok("stop w1 --json");
      expect([await world.ok("prune"), logs().length]).toMatchObject([{ server_logs_pruned: 1 }, 0]);
      const left = (await listProcesses(world.env)) ?? [];
      expect(left.filter((each) => environmentOf(each.pid, "CODEX_HOME") === world.codexHome)).toEqual([]);
    }, 120_000);
  });
}

describe("a server that dies", () => {
  const world = new CodexSuiteWorld();
  afterAll(() => world.close());

  /** Ends the server of this session, the program itself and not the script around it, and gives its pid. */
  const kill = (before: number | null): Promise<number> =>
    until("its server", async () => {
      const own = ((await listProcesses(world.env)) ?? []).filter(({ pid }) => environmentOf(pid, "CODEX_HOME") === world.codexHome);
      for (const { pid } of own.toReversed()) {
        const words = (await commandLineOf(pid, world.env)) ?? [];
        if (pid === before || !words.includes("app-server") || words[0]!.endsWith("node")) continue;
        strike(pid);
        return pid;
      }
    });

  test("is started again three times within a minute; then the pane says so, and is there to be read", async () => {
    const { codex_session_id: thread } = await starting(world, "w1", "--launch", "protocol");
    await world.idle(thread);
    const first = await kill(null);
    expect(await world.ok("session-nudge w1 again")).toMatchObject({ transport: "codex_protocol", proof: "seen" });
    let last = await kill(first);
    for (let more = 0; more < 2; more += 1) last = await kill(last);
    const lines = async () => (await capturePane(world.env, "codex-w1", 0)).split("\n");
    const words = await until("its words", async () => (await lines()).find((line) => line.includes("has died 4 times within a minute")));
    expect(words).toStartWith("the server of this session ");
    const refused = await until("its end", async () => {
      const sent = await world.run("session-nudge w1 never");
      return sent.exit === 1 && sent.stderr.includes("is dead") ? sent : undefined;
    });
    expect(refused.stderr).toContain("reconcile");
    expect(world.userTexts(thread)).not.toContain("never");
    await world.ok("stop w1 --json");
    await starting(world, "w1", "--launch", "protocol");
  }, 120_000);
});

describe("the tools of a session that has a server of its own", () => {
  const model = new PlainModel();
  const world = new CodexWorld(model.script);
  // Codex's sandbox calls a helper below its home, which it does not make when that is a temporary folder (0.171.0).
  world.env.TMPDIR = join(world.dir, "temporary");
  mkdirSync(world.env.TMPDIR);
  const probe = join(world.project, "probe.mjs");
  writeFileSync(probe, PROBE);
  afterAll(() => world.close());

  for (const [sandbox, answer] of [
    ["danger-full-access", "the socket: reached"],
    ["workspace-write", "the socket: refused"],
    ["read-only", "the socket: refused"],
  ] as const) {
    test(`${sandbox}: ${answer}`, async () => {
      const name = `of-${sandbox}`;
      const { codex_session_id: thread } = await starting(world, name, "--sandbox", sandbox);
      await world.idle(thread);
      const [{ launch, socket }] = await world.ok(["sessions", "--name", name]);
      expect(launch).toBe("protocol");
      expect(existsSync(socket)).toBe(true);
      await world.ok(["session-nudge", name, `run ${process.execPath} ${probe} ${realpathSync(socket)}`]);
      await world.turns(thread, 2);
      expect(model.requests.findLast((request) => request.toolOutput !== null)!.toolOutput).toContain(answer);
    }, 120_000);
  }
});

/** A server that greets and tells nothing: the real one always does. */
const CLOSED_SERVER = `
  const socket = process.argv.find((word) => word.startsWith("unix://")).slice("unix://".length);
  const refused = { code: -32600, message: "not told" };
  Bun.serve({
    unix: socket,
    fetch: (request, self) => (self.upgrade(request) ? undefined : new Response(null, { status: 400 })),
    websocket: {
      message(to, data) {
        const { id, method } = JSON.parse(String(data));
        if (id !== undefined) to.send(JSON.stringify(method === "initialize" ? { id, result: {} } : { id, error: refused }));
      },
    },
  });
`;

describe("a session has no server of its own", () => {
  const world = new CodexSuiteWorld();
  afterAll(() => world.close());

  test("where its tools could reach the socket, and says why", async () => {
    appendFileSync(join(world.codexHome, "config.toml"), "\n[sandbox_workspace_write]\nnetwork_access = true\n");
    await starting(world, "w1", "--launch", "protocol", "--sandbox", "workspace-write");
    const [session] = await world.ok("sessions --name w1");
    expect(session).toMatchObject({ launch: "tmux", launch_why: expect.stringContaining("could reach its socket"), socket: null });
    expect(await world.ok("session-nudge w1 idle")).toMatchObject({ transport: "tmux", proof: "seen" });
  }, 120_000);

  test("where the installed Codex takes no socket of ours, and says why", async () => {
    const codex = Bun.which("codex", world.env)!;
    const older = `#!/bin/sh\ncase $* in *--help) ${codex} "$@" | grep -v unix:// ;; *) exec ${codex} "$@" ;; esac\n`;
    chmodSync(await world.file("older/codex", older), 0o755);
    const env = { PATH: `${join(world.dir, "older")}:${world.env.PATH}` };
    const words = ["start-worker", "--name", "w3", "--cwd", world.project, "--timeout-seconds", "60"];
    const why = `Codex ${agents.codex.tested.to} cannot be spoken to by protocol`;
    expect((await world.run(words, { env })).json()).toMatchObject({ launch: "tmux", launch_why: why });
    expect(await world.ok("session-nudge w3 idle")).toMatchObject({ transport: "tmux", proof: "seen" });
  }, 120_000);

  test("where its server does not tell its settings, which may let its tools reach the socket", async () => {
    const codex = Bun.which("codex", world.env)!;
    const server = await world.file("closed/server.ts", CLOSED_SERVER);
    const closed = `#!/bin/sh\ncase $* in *--listen*) exec ${process.execPath} ${server} "$@" ;; *) exec ${codex} "$@" ;; esac\n`;
    chmodSync(await world.file("closed/codex", closed), 0o755);
    const env = { PATH: `${join(world.dir, "closed")}:${world.env.PATH}` };
    const words = ["start-worker", "--name", "w6", "--cwd", world.project, "--timeout-seconds", "60", "--sandbox", "workspace-write"];
    const why = "its server did not tell whether the agent's own tools could reach its socket";
    expect((await world.run(words, { env })).json()).toMatchObject({ launch: "tmux", launch_why: why });
  }, 120_000);

  test("where its server does not greet: the agent has its whole time all the same", async () => {
    const codex = Bun.which("codex", world.env)!;
    const deaf = `#!/bin/sh\ncase $* in *--listen*) echo "I hear nothing"; exec sleep 600 ;; *) exec ${codex} "$@" ;; esac\n`;
    chmodSync(await world.file("deaf/codex", deaf), 0o755);
    const env = { PATH: `${join(world.dir, "deaf")}:${world.env.PATH}` };
    const words = ["start-worker", "--name", "w5", "--cwd", world.project, "--timeout-seconds", "9"];
    const why = "its server gave no answer within 10 s";
    expect((await world.run(words, { env })).json()).toMatchObject({ launch: "tmux", launch_why: why });
  }, 120_000);

  test("where nobody wants it; and a way that is none is refused", async () => {
    await starting(world, "w2", "--launch", "tmux");
    expect((await world.ok("sessions --name w2"))[0]).toMatchObject({ launch: "tmux", launch_why: null });
    const refused = await world.run("start-worker --name w4", { env: { CONVEYOR_LAUNCH: "pigeon" } });
    expect([refused.exit, refused.stderr.includes("CONVEYOR_LAUNCH names no way")]).toEqual([1, true]);
    expect(existsSync(join(world.stateRoot, "artifacts", "served"))).toBe(true);
  }, 120_000);
});
