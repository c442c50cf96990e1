/** A session of the agent in tmux that is on nobody's record: what `start` and `create` open. */
import type { Context } from "../context.ts";
import type { Agent } from "../core/agent.ts";
import { Failure } from "../core/failure.ts";
import { installedAgent } from "../system/agent-cli.ts";
import { which } from "../system/child.ts";
import { isFolder } from "../system/folders.ts";
import { hasSession, newSession } from "../system/tmux.ts";
import { sessionEnvironment } from "./launch.ts";

/** Refuses, in this order: no agent on PATH, a name with other characters, no such folder, no tmux. */
export function checkPlainSession(cx: Context, agent: Agent, name: string, cwd: string): void {
  if (which(agent.program, cx.env) === null) throw new Failure(`${agent.program} is not on PATH`, { hint: "npm install --global @openai/codex" });
  if (!/^[A-Za-z0-9_-]+$/.test(name)) throw new Failure(`the name ${JSON.stringify(name)} may hold only letters, digits, _ and -`);
  if (!isFolder(cwd)) throw new Failure(`no folder at ${cwd}`);
  if (which("tmux", cx.env) === null) throw new Failure("tmux is not on PATH", { hint: "install tmux (for instance: apt-get install tmux, brew install tmux)" });
}

/** @throws Failure when a tmux session of exactly this name runs */
export async function checkTmuxFree(cx: Context, session: string): Promise<void> {
  if (!(await hasSession(cx.env, session))) return;
  throw new Failure(`a tmux session ${JSON.stringify(session)} exists already`, { hint: `look at it with: tmux attach -t ${session}; end it with: tmux kill-session -t '=${session}'` });
}

/** Starts the agent in a detached tmux session and gives its pane. `flags` are the agent's own. */
export async function openPlainSession(cx: Context, agent: Agent, request: { session: string; cwd: string; flags: readonly string[]; prompt: string | null }): Promise<{ paneId: string; pid: number }> {
  const installed = await installedAgent(agent, cx.env);
  const argv = [installed.path, ...agent.plainArguments(request, installed.features)];
  return newSession(cx.env, { name: request.session, cwd: request.cwd, argv, environment: sessionEnvironment(cx) });
}
