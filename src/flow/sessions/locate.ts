/**
 * Finds the thread of a session that was just launched: as its agent lists it, else by the id that it was given, else by what its process
 * holds open, else by folder, start and whole first prompt.
 */
import type { Context } from "../../context.ts";
import type { Agent } from "../../core/agent/agent.ts";
import type { SessionList } from "../../core/agent/machine.ts";
import { sameText } from "../../core/delivery/same-text.ts";
import { instant } from "../../core/time.ts";
import { indexedSessions } from "../../store/agent-index.ts";
import type { Store } from "../../store/store.ts";
import { threadIsRegistered } from "../../store/sessions/sessions.ts";
import { homeOfAgent, machineOf } from "../../system/agent/agents.ts";
import { realPath } from "../../system/files/folders.ts";
import { sessionFamily } from "../../system/agent/kinship.ts";
import { executableOf, listProcesses, openFiles } from "../../system/processes/processes.ts";
import { firstPrompt, transcriptHeadSoFar } from "../../system/agent/transcript.ts";

interface LaunchFacts {
  /** Process of the pane. */
  readonly pid: number;
  readonly cwd: string;
  readonly prompt: string | null;
  /** The id that it was given; null: it chose its own, or was given one by a start that was cut off. */
  readonly sessionId: string | null;
  /** The thread that it goes on with; null: a new one. */
  readonly resume: string | null;
  /** Milliseconds; nothing older is ours. */
  readonly launchedAt: number;
}

export interface LocatedThread {
  readonly pid: number;
  readonly rolloutPath: string;
  readonly threadId: string;
  readonly cwd: string | null;
}

/** What was found: the thread, or why not (yet). */
type Location = { readonly found: LocatedThread } | { readonly found: null; readonly reason: string };

const none = (reason: string): Location => ({ found: null, reason });

/** One look. */
export async function locate(cx: Context, store: Store, agent: Agent, facts: LaunchFacts): Promise<Location> {
  const processes = await listProcesses(cx.env);
  if (processes === null) return none("the processes of this machine cannot be listed");
  const family = await sessionFamily(facts.pid, processes, cx.env);
  if (facts.resume !== null) return takenUp(cx, agent, facts.resume, family);
  const { list } = machineOf(agent);
  if (list !== null) return listed(cx, agent, list, { family, facts });
  if (facts.sessionId !== null) return given(cx, agent, facts.sessionId, { family, facts });
  const held = await heldRollout(cx, agent, family, facts.launchedAt);
  if (held !== null) return { found: held };
  if (facts.prompt === null) return none(`no process in the pane holds a rollout open that began after the launch`);
  const candidates = fitting(cx, store, agent, facts as LaunchFacts & { prompt: string });
  if (candidates.length > 1)
    return none(`${candidates.length} threads began with this prompt in this folder: ${candidates.map((each) => each.id).join(", ")}`);
  const [only] = candidates;
  if (only === undefined)
    return none(`no process in the pane holds a rollout open that began after the launch, and no new thread begins with its prompt`);
  return { found: { pid: await clientOf(cx, agent, family, facts.pid), rolloutPath: only.path, threadId: only.id, cwd: facts.cwd } };
}

interface Launched {
  /** The pane's process and all below it, nearest first. */
  readonly family: readonly number[];
  readonly facts: LaunchFacts;
}

/** The session that the agent itself lists for a process in the pane: that of the id which we chose, where we know it. */
function listed(cx: Context, agent: Agent, list: SessionList, { family, facts }: Launched): Location {
  const home = homeOfAgent(agent, cx.env);
  const living = list.sessions(home);
  const session = family.map((pid) => living.find((each) => each.pid === pid)).find((each) => each !== undefined);
  if (session === undefined || (facts.sessionId !== null && session.id !== facts.sessionId))
    return none(`${agent.label} does not list the session ${facts.sessionId ?? "in the pane"} yet, as which it was started`);
  const { id, pid, cwd } = session;
  const path = machineOf(agent).transcriptPlace(home, id, cwd);
  if (path === null) return none(`it cannot be told where the session ${id} will be written`);
  // One that is known may be spoken to, and what others say must not come before its first words.
  if (facts.prompt !== null && transcriptHeadSoFar(agent, path) === null)
    return none(`the first words to the session ${id} are not written yet`);
  return { found: { pid, rolloutPath: path, threadId: id, cwd } };
}

/** The thread of the id that we chose: no other can be it. */
async function given(cx: Context, agent: Agent, id: string, { family, facts }: Launched): Promise<Location> {
  const home = homeOfAgent(agent, cx.env);
  const path = machineOf(agent).transcriptOf(home, id);
  if (path === null) return none(`nothing is written yet of the session ${id}, as which it was started`);
  return { found: { pid: await clientOf(cx, agent, family, facts.pid), rolloutPath: path, threadId: id, cwd: facts.cwd } };
}

/** The thread that is gone on with, once a process in the pane writes it. */
async function takenUp(cx: Context, agent: Agent, threadId: string, family: readonly number[]): Promise<Location> {
  const home = homeOfAgent(agent, cx.env);
  const machine = machineOf(agent);
  const path = machine.transcriptOf(home, threadId);
  if (path === null) return none(`nothing is written of thread ${threadId} below ${home}`);
  const rolloutPath = machine.newestTranscript(path, threadId);
  const writer = machine.writer(home, threadId);
  for (const pid of family) {
    const writes = writer?.pid == null ? (await openFiles(pid, cx.env))?.includes(rolloutPath) : writer.pid === pid;
    if (writes) return { found: { pid, rolloutPath, threadId, cwd: null } };
  }
  return none(`no process in the pane writes thread ${threadId}`);
}

async function heldRollout(cx: Context, agent: Agent, family: readonly number[], launchedAt: number): Promise<LocatedThread | null> {
  for (const pid of family) {
    for (const path of (await openFiles(pid, cx.env)) ?? []) {
      if (!agent.transcript.isPath(path)) continue;
      const meta = transcriptHeadSoFar(agent, path);
      if (meta !== null && (instant(meta.timestamp) ?? 0) >= launchedAt)
        return { pid, rolloutPath: path, threadId: meta.id, cwd: meta.cwd };
    }
  }
  return null;
}

/** Threads of this folder that began after the launch with exactly this prompt and are not registered. */
function fitting(cx: Context, store: Store, agent: Agent, facts: LaunchFacts & { prompt: string }): { id: string; path: string }[] {
  const home = homeOfAgent(agent, cx.env);
  const folder = realPath(facts.cwd);
  const indexed = indexedSessions(agent, home, facts.launchedAt)?.filter(
    (thread) => realPath(thread.cwd) === folder && sameText(thread.firstMessage, facts.prompt),
  );
  const found = new Map(indexed?.map((thread) => [thread.id, thread.rolloutPath]));
  if (found.size === 0) {
    for (const path of machineOf(agent).transcriptsSince(home, facts.launchedAt)) {
      const meta = transcriptHeadSoFar(agent, path);
      if (meta === null || meta.cwd === null || (instant(meta.timestamp) ?? 0) < facts.launchedAt || realPath(meta.cwd) !== folder)
        continue;
      if (sameText(firstPrompt(agent, path) ?? "", facts.prompt)) found.set(meta.id, path);
    }
  }
  return [...found].flatMap(([id, path]) => (threadIsRegistered(store, id) ? [] : { id, path }));
}

/** The agent's own process in the pane: under a daemon it holds no rollout, but it is what lives and dies with the session. */
async function clientOf(cx: Context, agent: Agent, family: readonly number[], fallback: number): Promise<number> {
  for (const pid of family) if (agent.isExecutable((await executableOf(pid, cx.env)) ?? "")) return pid;
  return fallback;
}
