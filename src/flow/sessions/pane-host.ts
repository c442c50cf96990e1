/**
 * The process in the pane of a session that is spoken to by protocol: parent of a server of its own and of the program that draws it. What
 * ends one of them ends all; only a server that dies by itself is started again, on its socket, where the other finds it again.
 */
import { closeSync, openSync } from "node:fs";
import type { Context } from "../../context.ts";
import { agentOf } from "../../core/agent/agents.ts";
import type { Agent } from "../../core/agent/agent.ts";
import type { ServedLine } from "../../core/agent/protocol.ts";
import { Failure } from "../../core/failure.ts";
import { machineOf } from "../../system/agent/agents.ts";
import { alive, groupMates } from "../../system/processes/processes.ts";
import { keepDeadPane } from "../../system/terminal/sessions.ts";
import { endProcesses } from "../../system/processes/end-processes.ts";
import { guardGroup, type JoinedProgram, startJoined } from "../../system/processes/joined.ts";
import { onStop } from "../../system/processes/this-process.ts";
import { clearPlace, GREET_MS, type ServedPlace, servedPlace, type ServedStart, takeStart, writeOutcome } from "./served-place.ts";

/** A server that dies this often within {@link DEATHS_MS} has something that starting it again does not mend. */
const DEATHS = 3;
const DEATHS_MS = 60_000;
/** What stands from the cursor on goes (ECMA-48, ED): here what is left of the agent's composer. */
const CLEAR_BELOW = "\x1b[J";
/** Of a session that was asked to end. */
const ENDED = 1;

interface HostScene {
  readonly cx: Context;
  readonly agent: Agent;
  readonly place: ServedPlace;
  readonly start: ServedStart;
  /** Ends all else that runs in this pane: programs may be scripts around others, and what is left of one has no parent any more. */
  endMates(): Promise<unknown>;
}

/**
 * Runs the session to its end and gives its exit status.
 * @throws Failure when nothing was left to start at `folder`
 */
export async function hostPane(cx: Context, folder: string): Promise<number> {
  // At the end all of its group is ended: that must be a group of its own.
  if ((await groupMates(cx.env)) === null)
    throw new Failure("codex-pane is what the pane of a session runs", { hint: `${cx.program} start-worker starts a session` });
  const place = servedPlace(folder);
  const start = takeStart(place);
  if (start === null) throw new Failure(`nothing is to be started at ${folder}`, { hint: `${cx.program} start-worker starts a session` });
  const guard = guardGroup(cx.env);
  const mates = async () => ((await groupMates(cx.env)) ?? []).filter((pid) => pid !== guard.pid).map((pid) => ({ pid }));
  const endMates = () => endProcesses(mates, { atOnce: true });
  const scene: HostScene = { cx, agent: agentOf({ name: folder, agent: start.agent }), place, start, endMates };
  // A terminal that goes away tells only the first process of it: the end is passed on below.
  let ask = (): void => {};
  const asked = new Promise<null>((resolve) => (ask = () => resolve(null)));
  const deaf = onStop(ask, { patient: true });
  const log = openSync(place.log, "a", 0o600);
  try {
    return (await Promise.race([runSession(scene, log), asked])) ?? ENDED;
  } finally {
    closeSync(log);
    await endMates();
    await guard.dismiss();
    clearPlace(scene.agent, place);
    deaf();
  }
}

async function runSession(scene: HostScene, log: number): Promise<number> {
  const { cx, place, start, endMates } = scene;
  const serve = (): JoinedProgram => startJoined(start.server, { env: cx.env, output: log });
  let server = serve();
  const { why, line } = await readyServer(scene, server);
  if (why !== null) {
    line?.close();
    await endMates();
    writeOutcome(place, { launch: "tmux", why });
    return startJoined(start.alone, { env: cx.env, output: "terminal" }).exited;
  }
  writeOutcome(place, { launch: "protocol", why: null });
  const client = startJoined(start.client, { env: cx.env, output: "terminal" });
  const deaths: number[] = [];
  for (;;) {
    const first = await Promise.race([client.exited, server.exited.then(() => null)]);
    if (first !== null) return first;
    if (!alive(client.pid)) return client.exited;
    deaths.push(performance.now());
    if (deaths.filter((at) => performance.now() - at < DEATHS_MS).length > DEATHS) {
      await endMates();
      // To be read by whoever comes to look: of itself the pane would go with its program.
      if (cx.env.TMUX_PANE) await keepDeadPane(cx.env, cx.env.TMUX_PANE, true).catch(() => {});
      cx.outside.write("err", `\r${CLEAR_BELOW}`);
      cx.err(`the server of this session has died ${deaths.length} times within a minute: what it printed is in ${place.log}`);
      return 1;
    }
    server = serve();
  }
}

interface Ready {
  /** Why the session cannot be spoken to by protocol; null when it can. */
  readonly why: string | null;
  /** What keeps a conversation that was taken up loaded until it is drawn; it ends with the server. */
  readonly line?: ServedLine;
}

async function readyServer({ agent, place, start }: HostScene, server: JoinedProgram): Promise<Ready> {
  const { served } = machineOf(agent);
  if (served === null) return { why: `${agent.label} has no protocol of its own` };
  let died = false;
  void server.exited.then(() => (died = true));
  for (const end = performance.now() + GREET_MS; !died && performance.now() < end; await Bun.sleep(20)) {
    const line = await served.connect(place.socket, end - performance.now()).catch(() => null);
    if (line === null) continue;
    const reachable = await line.reachableFromTools(start.cwd, start.sandbox).catch(() => null);
    // Settings that are not told may allow it.
    const why =
      reachable === null
        ? "its server did not tell whether the agent's own tools could reach its socket"
        : reachable
          ? "the agent's own tools could reach its socket: its sandbox allows the network"
          : null;
    if (why === null && start.resume !== null) return { why: await takenUp(line, start.resume), line };
    line.close();
    return { why };
  }
  return { why: died ? `its server ended at once: ${place.log} tells why` : `its server gave no answer within ${GREET_MS / 1000} s` };
}

/** Why the conversation cannot be gone on with by its server; null: it is there, as it was to be. */
const takenUp = (line: ServedLine, resume: NonNullable<ServedStart["resume"]>): Promise<string | null> =>
  line.takeUp(resume.threadId, resume).catch((error: Error) => `its server did not take up the conversation: ${error.message}`);
