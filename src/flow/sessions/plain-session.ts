/** A session of the agent in tmux that is on nobody's record: what `start` and `create` open. */
import type { Context } from "../../context.ts";
import type { Agent } from "../../core/agent/agent.ts";
import { Failure } from "../../core/failure.ts";
import { needPlainName } from "../../core/sessions/session.ts";
import { installedAgent, needAgent } from "../../system/agent-cli.ts";
import { isFolder } from "../../system/files/folders.ts";
import { newSession } from "../../system/terminal/sessions.ts";
import { needTmux } from "../../system/terminal/tmux.ts";
import { sessionEnvironment } from "./launch.ts";

/** Refuses, in this order: no agent on PATH, a name with other characters, no such folder, no tmux. */
export function checkPlainSession(cx: Context, agent: Agent, name: string, cwd: string): void {
  needAgent(agent, cx.env);
  needPlainName(name);
  if (!isFolder(cwd)) throw new Failure(`no folder at ${cwd}`);
  needTmux(cx.env);
}

/** Starts the agent in a detached tmux session and gives its pane. `flags` are the agent's own. */
export async function openPlainSession(
  cx: Context,
  agent: Agent,
  request: { session: string; cwd: string; flags: readonly string[]; prompt: string | null },
): Promise<{ paneId: string; pid: number }> {
  const installed = await installedAgent(agent, cx.env);
  const argv = [installed.path, ...agent.plainArguments(request, installed.features)];
  return newSession(cx.env, { name: request.session, cwd: request.cwd, argv, environment: sessionEnvironment(cx) });
}
