/** A session of the agent in tmux that is on nobody's record: what `start` and `create` open. */
import type { Context } from "../../context.ts";
import type { Agent, ModelChoice } from "../../core/agent/agent.ts";
import { checkModelChoice } from "../../core/agent/agents.ts";
import { Failure } from "../../core/failure.ts";
import { needPlainName, type StartFacts } from "../../core/sessions/session.ts";
import { installedAgent, needAgent } from "../../system/agent/cli.ts";
import { isFolder } from "../../system/files/folders.ts";
import { newSession } from "../../system/terminal/sessions.ts";
import { needTmux } from "../../system/terminal/tmux.ts";
import { noMarks, sessionEnvironment } from "./begin-terminal.ts";
import { startFacts } from "./launch.ts";
import type { BegunTerminal, Undertaking } from "./undertaking.ts";

interface PlainSession extends ModelChoice {
  readonly session: string;
  readonly cwd: string;
  /** The agent's own, passed on as they are. */
  readonly flags: readonly string[];
  readonly prompt: string | null;
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
 * Starts the agent in a detached tmux session and gives its pane, with what there is to record of the start.
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
  const argv = [installed.path, ...agent.plainArguments(request, installed.features)];
  under.check();
  const pane = await newSession(cx.env, {
    name: request.session,
    cwd: request.cwd,
    argv,
    environment: { ...noMarks(), ...sessionEnvironment(cx, agent) },
    mark: terminal.mark,
  });
  terminal.seen = { ...pane, at: cx.now() };
  const words = [installed.path, ...agent.plainArguments({ ...request, prompt: null }, installed.features)];
  return {
    ...pane,
    started: startFacts(cx, agent, installed, { ...request, argv: words, permissions: {}, launch: "tmux", socket: null, launchWhy: null }),
  };
}
