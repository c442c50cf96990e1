/** The port of an agent, its half of the records: the index that the agent itself keeps of its sessions. One entry per agent. */
import type { Agent } from "../core/agent/agent.ts";
import type { AgentKey } from "../core/agent/agents.ts";
import type { IndexedThread } from "../core/agent/machine.ts";
import { indexedThreads } from "./codex-index.ts";

type Index = (home: string, since: number) => IndexedThread[] | null;

const indexes: Readonly<Record<AgentKey, Index>> = { codex: indexedThreads, claude: () => null };

/**
 * The sessions of this home that were created at `since` (milliseconds) or later, youngest first. Null when the agent keeps no index, or
 * one of another shape than the one known.
 */
export const indexedSessions = (agent: Agent, home: string, since: number): IndexedThread[] | null =>
  indexes[agent.key as AgentKey](home, since);
