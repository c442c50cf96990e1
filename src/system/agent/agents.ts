/** The port of an agent, its machine half: where its files are, who writes them, its own queue. One entry per agent. */
import { homedir } from "node:os";
import { join } from "node:path";
import type { Agent } from "../../core/agent/agent.ts";
import type { AgentKey } from "../../core/agent/agents.ts";
import type { AgentMachine } from "../../core/agent/machine.ts";
import { claudeMachine } from "../claude/machine.ts";
import { codexMachine } from "../codex/machine.ts";
import type { Env } from "../processes/environment.ts";

const machines: Readonly<Record<AgentKey, AgentMachine>> = { codex: codexMachine, claude: claudeMachine };

export const machineOf = (agent: Agent): AgentMachine => machines[agent.key as AgentKey];

/** Where the agent keeps its things in this environment. */
export const homeOfAgent = (agent: Agent, env: Env): string => env[agent.home.variable] || join(env.HOME || homedir(), agent.home.folder);
