/** Asks an installed agent what it is and what it can do. */
import type { Agent, AgentFeatures } from "../../core/agent/agent.ts";
import { allAgents } from "../../core/agent/agents.ts";
import { type AgentReport, agentReport } from "../../core/agent/installed.ts";
import { Failure } from "../../core/failure.ts";
import { type Env, which } from "../processes/environment.ts";
import { runProgram } from "../processes/run.ts";

export interface InstalledAgent {
  readonly path: string;
  /** What `--version` printed, trimmed; null when it failed. */
  readonly versionText: string | null;
  readonly features: AgentFeatures;
}

/** What one executable answered, remembered for as long as this program runs. */
const asked = new Map<string, Promise<InstalledAgent>>();

/** Where the agent's program lies. @throws Failure when it is not on PATH */
export function needAgent(agent: Agent, env: Env): string {
  const path = which(agent.program, env);
  if (path === null) throw new Failure(`${agent.program} is not on PATH`, { hint: agent.install });
  return path;
}

/**
 * The agent on PATH. `--version` is asked once; pages of help, all at a time, only where the version says that there may be something in them.
 * @throws Failure when it is not on PATH
 */
export function installedAgent(agent: Agent, env: Env): Promise<InstalledAgent> {
  const path = needAgent(agent, env);
  const known = asked.get(path);
  if (known) return known;
  const answer = ask(agent, path, env);
  asked.set(path, answer);
  return answer;
}

/** The same for a command that is only told of: an agent that is not here goes by its name, and can what the least of its versions can. */
export const agentHereOrNot = async (agent: Agent, env: Env): Promise<InstalledAgent> =>
  which(agent.program, env) === null
    ? { path: agent.program, versionText: null, features: agent.features(null, "") }
    : installedAgent(agent, env);

/** Another agent than this one that is installed here; null: there is none. */
export const otherInstalled = (agent: Agent, env: Env): Agent | null =>
  allAgents.find((each) => each !== agent && which(each.program, env) !== null) ?? null;

/** What is told of every agent on this machine, each asked itself. */
export const agentReports = (env: Env): Promise<AgentReport[]> =>
  Promise.all(
    allAgents.map(async (agent) => agentReport(agent, which(agent.program, env) === null ? null : await installedAgent(agent, env))),
  );

async function ask(agent: Agent, path: string, env: Env): Promise<InstalledAgent> {
  const result = await runProgram([path, "--version"], { env, timeoutMs: 15_000 });
  const versionText = result.code === 0 ? result.stdout.trim().split("\n")[0] || null : null;
  const version = /\d+\.\d+\S*/.exec(versionText ?? "")?.[0] ?? null;
  const pages = agent.helpPages(version).map(async (words) => (await runProgram([path, ...words], { env, timeoutMs: 15_000 })).stdout);
  return { path, versionText, features: agent.features(version, (await Promise.all(pages)).join("\n")) };
}
