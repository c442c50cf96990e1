/**
 * Which processes belong to one session: down from its pane, up from a command. A server that several sessions share ends both ways, since
 * it was started by one of them and works for all: what it holds, and what runs below it, says nothing about that one.
 */
import type { Agent } from "../../core/agent/agent.ts";
import { allAgents } from "../../core/agent/agents.ts";
import type { Env } from "../processes/environment.ts";
import { commandLineOf, executableOf, type Process } from "../processes/processes.ts";

/** The agent that a process is; null for anything else. */
export async function agentOfProcess(pid: number, env: Env): Promise<Agent | null> {
  const path = (await executableOf(pid, env)) ?? "";
  return allAgents.find((agent) => agent.isExecutable(path)) ?? null;
}

/** Whether the process is a server of some agent's that sessions share. */
export async function isShared(pid: number, env: Env): Promise<boolean> {
  const agent = await agentOfProcess(pid, env);
  return agent !== null && agent.isSharedServer((await commandLineOf(pid, env)) ?? []);
}

/**
 * `pid` and everything below it, breadth first, without shared servers and what they run. A server that is asked for by its own pid counts.
 */
export async function sessionFamily(pid: number, processes: readonly Process[], env: Env): Promise<number[]> {
  const family = [pid];
  for (const member of family) {
    for (const each of processes) {
      if (each.parent === member && !family.includes(each.pid) && !(await isShared(each.pid, env))) family.push(each.pid);
    }
  }
  return family;
}

/** `pid` and its parents, nearest first; a shared server is the last of them. */
export async function sessionLine(pid: number, processes: readonly Process[], env: Env): Promise<number[]> {
  const parents = new Map(processes.map((each) => [each.pid, each.parent]));
  const line = [pid];
  for (const member of line) {
    if (await isShared(member, env)) break;
    const parent = parents.get(member);
    if (parent !== undefined && parent > 0 && !line.includes(parent)) line.push(parent);
  }
  return line;
}
