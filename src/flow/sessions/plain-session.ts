/** A session of the agent in tmux that is on nobody's record: what `start` and `create` open. */
import type { Context } from "../../context.ts";
import type { Agent, ModelChoice } from "../../core/agent/agent.ts";
import { checkModelChoice } from "../../core/agent/agents.ts";
import { Failure } from "../../core/failure.ts";
import { needPlainName, type StartFacts } from "../../core/sessions/session.ts";
import { installedAgent, needAgent } from "../../system/agent/cli.ts";
import { isFolder } from "../../system/files/folders.ts";
import { alive } from "../../system/processes/processes.ts";
import { newSession } from "../../system/terminal/sessions.ts";
import { needTmux } from "../../system/terminal/tmux.ts";
import { noMarks, sessionEnvironment } from "./begin-terminal.ts";
import { startFacts } from "./launch.ts";
import { GREET_MS } from "./served-place.ts";
import type { BegunTerminal, Undertaking } from "./undertaking.ts";
import { filesOf, isDecided, type LaunchWish, outcomeOf, wayOfLaunch } from "./way-of-launch.ts";

/** Between two looks whether the process in the pane has decided. */
const LOOK_MS = 50;

interface PlainSession extends ModelChoice {
  readonly session: string;
  readonly cwd: string;
  /** The agent's own, passed on as they are. */
  readonly flags: readonly string[];
  readonly prompt: string | null;
  readonly wish: LaunchWish;
}

/**
 * Refuses, in this order: no agent on PATH, a name with other characters, no such folder, no tmux, a model or effort that it cannot take.
 */
export function checkPlainSession(cx: Context, agent: Agent, name: string, cwd: string, choice: ModelChoice): void {
  needAgent(agent, cx.env);
  needPlainName(name);
  if (!isFolder(cwd)) throw new Failure(`no folder at ${cwd}`);
  needTmux(cx.env);
  checkModelChoice(agent, choice);
}

/**
 * Starts the agent in a detached tmux session and gives its pane, with what there is to record of the start, once it is known how it was
 * started.
 * @param terminal as it was begun
 */
export async function openPlainSession(
  cx: Context,
  under: Undertaking,
  agent: Agent,
  request: PlainSession,
  terminal: BegunTerminal,
): Promise<{ paneId: string; pid: number; started: StartFacts }> {
  const installed = await installedAgent(agent, cx.env);
  const way = wayOfLaunch(
    cx,
    {
      ...request,
      agent,
      name: request.session,
      resume: null,
      alone: agent.plainArguments(request, installed.features),
      client: (served, socket) => served.plainClient(request, socket),
    },
    installed,
  );
  for (const file of filesOf(way)) under.leavesFile(file);
  under.check();
  const pane = await newSession(cx.env, {
    name: request.session,
    cwd: request.cwd,
    argv: way.argv,
    environment: { ...noMarks(), ...sessionEnvironment(cx, agent) },
    mark: terminal.mark,
  });
  terminal.seen = { ...pane, at: cx.now() };
  const end = performance.now() + 2 * GREET_MS;
  while (!isDecided(way) && alive(pane.pid) && performance.now() < end) await under.pause(LOOK_MS);
  const outcome = await outcomeOf(cx, way, pane.pid);
  const words = [installed.path, ...agent.plainArguments({ ...request, prompt: null }, installed.features)];
  return { ...pane, started: startFacts(cx, agent, installed, { ...request, ...outcome, argv: words, permissions: {} }) };
}
