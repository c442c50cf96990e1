/** Every way in which a session by protocol ends: no process of it is left, and no socket, ours or Codex's own. */
import { afterAll, describe, test } from "bun:test";
import { tmuxResult } from "../../../src/system/terminal/tmux.ts";
import { alive } from "../../../src/system/processes/processes.ts";
import type { CodexSuiteWorld } from "../../agent-suite/codex-world.ts";
import { strike, until } from "../../harness.ts";
import { boundTask, nothingLeft, running, servedWorker, socketsOf, VERSIONS } from "../../served-world.ts";
import { LONG } from "../../long.ts";

const pidOf = (world: CodexSuiteWorld): number => world.rows<{ pid: number }>("select pid from sessions where name = 'w1'")[0]!.pid;

async function kill(pids: readonly number[]): Promise<void> {
  strike(...pids);
  await until("their ends", () => !pids.some(alive));
}

/** How it ends; `stop` afterwards, where nobody else is left who could put the rest away. */
const ENDS: Readonly<Record<string, (world: CodexSuiteWorld) => Promise<unknown>>> = {
  stop: (world) => world.ok("stop w1 --json"),
  "stop after a server that died and was started again": async (world) => {
    const before = await running(world, "app-server");
    await kill(before);
    await world.ok("session-nudge w1 after-its-death");
    await world.ok("stop w1 --json");
  },
  "the end of its tmux session": (world) => tmuxResult(world.env, ["kill-session", "-t", "=codex-w1"]),
  "the end of its host by SIGTERM": async (world) => process.kill(pidOf(world), "SIGTERM"),
  "the end of its host by SIGKILL, and stop": async (world) => {
    await kill([pidOf(world)]);
    await world.ok("stop w1 --json");
  },
  "the end of what draws it": async (world) => kill(await running(world, "--remote")),
  "the end of all of it by SIGKILL, and stop": async (world) => {
    await kill(await running(world));
    await world.ok("stop w1 --json");
  },
  "a server that dies again and again": async (world) => {
    const host = pidOf(world);
    await until(
      "that the host gives up",
      async () => {
        strike(...(await running(world, "app-server")));
        return !alive(host);
      },
      60,
    );
    // Its pane stays, to be read.
    await world.ok("stop w1 --json");
  },
  "finish-task": (world) => world.ok("finish-task t1 --stop-worker --reason done --json"),
};

/** What npm test makes of them. In the long run each version makes all, idle where the other makes it while a command runs. */
const SHORT: Readonly<Record<string, readonly string[]>> = {
  Codex: ["the end of its tmux session, while a command runs", "the end of its host by SIGKILL, and stop, idle", "finish-task, idle"],
  "the oldest Codex": ["the end of what draws it, idle", "a server that dies again and again, while a command runs"],
};

for (const [label, make] of VERSIONS)
  describe(label, () => {
    const world = make();
    afterAll(() => world.close());
    let serial = 600;
    for (const [index, [how, end]] of Object.entries(ENDS).entries()) {
      const finishing = how === "finish-task";
      for (const busy of [false, true]) {
        const name = `${how}, ${busy ? "while a command runs" : "idle"}`;
        if (LONG ? busy !== ((index % 2 === 0) === (label === "Codex")) : !SHORT[label]!.includes(name)) continue;
        test(
          name,
          async () => {
            await servedWorker(world, "w1");
            if (finishing) await boundTask(world);
            const sockets = socketsOf(world, "w1");
            if (busy) {
              const command = `sleep ${++serial}`;
              await world.ok(["session-nudge", "w1", `run ${command}`]);
              await world.runs(command);
            }
            await end(world);
            await nothingLeft(world, sockets);
            if ((await world.ok("sessions --name w1")).length > 0) await world.ok("stop w1 --json");
          },
          120_000,
        );
      }
    }
  });
