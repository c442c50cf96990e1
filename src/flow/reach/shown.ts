/** Which conversations a pane may have in front now, told from the writer locks, the processes below the pane and the files they hold. */
import type { Context } from "../../context.ts";
import type { Agent } from "../../core/agent/agent.ts";
import { machineOf } from "../../system/agent/agents.ts";
import { sessionFamily } from "../../system/agent/kinship.ts";
import { transcriptHeadSoFar } from "../../system/agent/transcript.ts";
import { executableOf, listProcesses, openFiles } from "../../system/processes/processes.ts";
import type { Pane } from "../../system/terminal/panes.ts";

export interface Shown {
  /** The program of the pane and what runs below it. */
  readonly family: readonly number[];
  /** Those of them that are the agent. */
  readonly agents: readonly number[];
  /** Files that the agents hold open. */
  readonly held: ReadonlySet<string>;
  /** Every thread of the home that is being written, with its writer where the system tells. */
  readonly written: ReadonlyMap<string, number | null>;
  /** Threads that the agents write and a person may have in front. One that was only just begun has no rollout yet, and counts. */
  readonly conversations: readonly string[];
}

/** Looks. @param home the home of the agent whose threads are asked about; null: none */
export async function shownIn(cx: Context, agent: Agent, pane: Pane, home: string | null): Promise<Shown> {
  const family = await sessionFamily(pane.pid, (await listProcesses(cx.env)) ?? [], cx.env);
  const agents: number[] = [];
  for (const pid of family) if (agent.isExecutable((await executableOf(pid, cx.env)) ?? "")) agents.push(pid);
  const held = new Set<string>();
  for (const pid of agents) for (const file of (await openFiles(pid, cx.env)) ?? []) held.add(file);
  const written = home === null ? new Map<string, number | null>() : machineOf(agent).written(home);
  // Where the system does not tell who holds a lock, it tells who has its file open.
  const own = [...written].filter(([thread, pid]) =>
    pid === null ? held.has(machineOf(agent).writerFile(home!, thread)) : family.includes(pid),
  );
  return {
    family,
    agents,
    held,
    written,
    conversations: own.flatMap(([thread]) => (isConversation(agent, home!, thread) ? [thread] : [])),
  };
}

/**
 * Whether a look now would show the same as `seen`, told from the locks alone: a conversation cannot change hands without them. False also
 * where the system does not tell who holds a lock, or nothing is locked. That the pane still runs the same program is not looked at.
 */
export function isAsShown(agent: Agent, home: string | null, { written: seen }: Shown): boolean {
  if (home === null || seen.size === 0 || [...seen.values()].includes(null)) return false;
  const now = machineOf(agent).written(home);
  return now.size === seen.size && [...seen].every(([thread, pid]) => now.get(thread) === pid);
}

/** Whether a thread is led by a person or by us, and is no helper that the agent started for itself. */
export function isConversation(agent: Agent, home: string, thread: string): boolean {
  const path = machineOf(agent).transcriptOf(home, thread);
  return path === null || transcriptHeadSoFar(agent, path)?.conversation !== false;
}
