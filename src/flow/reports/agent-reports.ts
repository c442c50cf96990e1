/** What is told of each agent that this version knows, as it is installed here. */
import type { Context } from "../../context.ts";
import { allAgents } from "../../core/agent/agents.ts";
import { type AgentReport, agentReport } from "../../core/agent/installed.ts";
import { installedAgent } from "../../system/agent/cli.ts";
import { which } from "../../system/processes/environment.ts";

/** Asks the programs on PATH for their version and help; nothing else is started. */
export const agentReports = (cx: Context): Promise<AgentReport[]> =>
  Promise.all(
    allAgents.map(async (agent) => agentReport(agent, which(agent.program, cx.env) === null ? null : await installedAgent(agent, cx.env))),
  );
