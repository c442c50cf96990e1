/**
 * Threads that a server shared by several sessions writes for a client: the client holds nothing open, so they are told by folder and time.
 */
import type { Context } from "../../context.ts";
import type { Agent } from "../../core/agent/agent.ts";
import { instant } from "../../core/time.ts";
import { homeOfAgent, machineOf } from "../../system/agent/agents.ts";
import { realPath } from "../../system/files/folders.ts";
import { isShared, sessionFamily } from "../../system/agent/kinship.ts";
import { environmentOf, executableOf, folderOf, listProcesses, startedAt } from "../../system/processes/processes.ts";
import { firstPrompt, transcriptHeadSoFar } from "../../system/agent/transcript.ts";

export interface ServedThread {
  readonly threadId: string;
  readonly rolloutPath: string;
  readonly cwd: string;
  readonly startedAt: string | null;
  /** How its first prompt begins. */
  readonly firstWords: string;
}

export interface ServedThreads {
  /** Folder of the client. */
  readonly folder: string;
  /** Living threads of that folder, youngest first. */
  readonly candidates: readonly ServedThread[];
  /** The one that can only be this client's: it began after it, no other did, and no other client runs in the folder. */
  readonly certain: ServedThread | null;
}

const WORDS = 60;
/** Start times are told to the second. */
const SLACK_MS = 1000;

/** What a shared server may be writing for the client in this process tree; null when there is no client of one in it. */
export async function servedThreads(cx: Context, agent: Agent, pid: number): Promise<ServedThreads | null> {
  const processes = (await listProcesses(cx.env)) ?? [];
  const clients: number[] = [];
  for (const member of await sessionFamily(pid, processes, cx.env)) if (await isClient(cx, agent, member)) clients.push(member);
  const [client] = clients;
  const folder = client === undefined ? null : await folderOf(client, cx.env);
  if (client === undefined || folder === null) return null;
  const home = environmentOf(client, agent.home.variable) ?? homeOfAgent(agent, cx.env);
  const candidates = await candidatesOf(cx, agent, home, folder);
  const since = await startedAt(client, cx.env);
  const fitting = since === null ? [] : candidates.filter((each) => (instant(each.startedAt) ?? 0) >= since - SLACK_MS);
  let alone = true;
  for (const each of processes)
    if (!clients.includes(each.pid) && (await isClient(cx, agent, each.pid)) && (await folderOf(each.pid, cx.env)) === folder)
      alone = false;
  return { folder, candidates, certain: alone && fitting.length === 1 ? fitting[0]! : null };
}

async function isClient(cx: Context, agent: Agent, pid: number): Promise<boolean> {
  return agent.isExecutable((await executableOf(pid, cx.env)) ?? "") && !(await isShared(pid, cx.env));
}

async function candidatesOf(cx: Context, agent: Agent, home: string, folder: string): Promise<ServedThread[]> {
  const found: ServedThread[] = [];
  for (const [threadId, writer] of machineOf(agent).written(home)) {
    // Where the system does not tell who writes, it may be a server.
    if (writer !== null && !(await isShared(writer, cx.env))) continue;
    const rolloutPath = machineOf(agent).transcriptOf(home, threadId);
    const meta = rolloutPath === null ? null : transcriptHeadSoFar(agent, rolloutPath);
    if (rolloutPath === null || meta?.cwd == null || realPath(meta.cwd) !== folder) continue;
    found.push({
      threadId,
      rolloutPath,
      cwd: meta.cwd,
      startedAt: meta.timestamp,
      firstWords: (firstPrompt(agent, rolloutPath) ?? "").slice(0, WORDS),
    });
  }
  return found.sort((a, b) => (instant(b.startedAt) ?? 0) - (instant(a.startedAt) ?? 0));
}
