/** Which agents are installed on this machine. */
import type { Context } from "../../context.ts";
import { allAgents } from "../../core/agent/agents.ts";
import { type AgentReport, agentReport } from "../../core/agent/installed.ts";
import { installedAgent } from "../../system/agent/cli.ts";
import { which } from "../../system/processes/environment.ts";

/** One report for every agent that this version knows, in the order of their list. */
export const installedAgents = (cx: Context): Promise<AgentReport[]> =>
  Promise.all(
    allAgents.map(async (agent) => agentReport(agent, which(agent.program, cx.env) === null ? null : await installedAgent(agent, cx.env))),
  );
