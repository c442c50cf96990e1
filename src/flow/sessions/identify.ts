/** Which session of an agent somebody means: by path, by thread id, by process, or the one this command runs in. */
import type { Context } from "../../context.ts";
import type { Agent, TranscriptHead } from "../../core/agent/agent.ts";
import { allAgents } from "../../core/agent/agents.ts";
import type { Writer } from "../../core/agent/machine.ts";
import { Failure } from "../../core/failure.ts";
import { homeOfAgent, machineOf } from "../../system/agent/agents.ts";
import { agentOfProcess, sessionFamily, sessionLine } from "../../system/agent/kinship.ts";
import { environmentOf, executableOf, holdersOf, listProcesses, openFiles } from "../../system/processes/processes.ts";
import { transcriptHead, transcriptHeadSoFar } from "../../system/agent/transcript.ts";
import { listPanes } from "../../system/terminal/panes.ts";
import { headBeforeWords, listedAs, refuseShared } from "../reach/listed.ts";
import { type ServedThreads, servedThreads } from "../reach/served-threads.ts";

export interface Identity {
  readonly agent: Agent;
  readonly rolloutPath: string;
  readonly threadId: string;
  /** null: it runs outside the sandbox that this command is in, so its number cannot be known here. */
  readonly pid: number | null;
  /** Folder of the session as its rollout says, or null. */
  readonly cwd: string | null;
  /** tmux session and pane in which it runs, where that is certain; only for the session this runs in. */
  readonly pane: { readonly session: string; readonly paneId: string } | null;
}

/** The agents that may be meant: all, unless somebody said which. */
type Among = readonly Agent[];

/** What their files and they are called in a sentence. */
const anyTranscript = (among: Among) => among.map(({ label, transcript }) => `${label} ${transcript.name}`).join(" or ");
const anyLabel = (among: Among) => among.map(({ label }) => label).join(" or ");

/** A transcript somewhere, and whose it is. */
interface AgentTranscript {
  readonly agent: Agent;
  readonly path: string;
}

/** The transcripts that a process or its descendants hold open, nearest process first. Null: the system would not say. */
export async function openTranscripts(cx: Context, pid: number, among: Among = allAgents): Promise<AgentTranscript[] | null> {
  const processes = await listProcesses(cx.env);
  if (processes === null) return null;
  const found: AgentTranscript[] = [];
  let answered = false;
  for (const member of await sessionFamily(pid, processes, cx.env)) {
    const files = await openFiles(member, cx.env);
    if (files === null) continue;
    answered = true;
    for (const path of files) {
      const agent = among.find(({ transcript }) => transcript.isPath(path));
      if (agent !== undefined && !found.some((each) => each.path === path)) found.push({ agent, path });
    }
  }
  return answered ? found : null;
}

/** Those of the agents that run in this process or below it; all that may be meant where none is seen. */
async function agentsBelow(cx: Context, pid: number, among: Among): Promise<Among> {
  const family = await sessionFamily(pid, (await listProcesses(cx.env)) ?? [], cx.env);
  const programs = await Promise.all(family.map((each) => agentOfProcess(each, cx.env)));
  const seen = among.filter((agent) => programs.includes(agent));
  return seen.length > 0 ? seen : among;
}

/** The session that its agent itself lists for this process, or for one below it. */
async function listedIn(cx: Context, pid: number, among: Among): Promise<Identity | null> {
  const family = await sessionFamily(pid, (await listProcesses(cx.env)) ?? [], cx.env);
  for (const agent of among) {
    const { list, transcriptPlace } = machineOf(agent);
    // The home of that process need not be the one of this environment.
    const home = environmentOf(pid, agent.home.variable) || homeOfAgent(agent, cx.env);
    const living = list?.sessions(home) ?? [];
    // The nearest: one that it has started itself is not the one that is meant.
    const session = family.map((member) => living.find((each) => each.pid === member)).find((each) => each !== undefined);
    const path = session === undefined ? null : transcriptPlace(home, session.id, session.cwd);
    if (session === undefined || path === null) continue;
    refuseShared(agent, home, session.id);
    return { agent, rolloutPath: path, threadId: session.id, pid: session.pid, cwd: session.cwd, pane: null };
  }
  return null;
}

/** What a server shared by several sessions writes for this process, and for which agent; null when it is no client of one. */
async function servedFor(cx: Context, pid: number, among: Among): Promise<{ agent: Agent; served: ServedThreads } | null> {
  for (const agent of among) {
    const served = await servedThreads(cx, agent, pid);
    if (served !== null) return { agent, served };
  }
  return null;
}

/**
 * @param naming the command that names the thread of this id as the one meant
 * @throws Failure naming the pid when its process tree holds no rollout, or several, or it shares a server and nothing tells which thread
 * is its
 */
export async function identifyByPid(cx: Context, pid: number, among: Among, naming: (thread: string) => string): Promise<Identity> {
  const open = await openTranscripts(cx, pid, among);
  // Helpers of the agent are written by the same process.
  const found = open?.filter(({ agent, path }) => transcriptHeadSoFar(agent, path)?.conversation !== false) ?? null;
  if (found === null) {
    throw new Failure(`the open files of process ${pid} cannot be seen: it is gone, or belongs to somebody else`, {
      hint: "pass the rollout: --pid PID --codex-session PATH",
    });
  }
  if (found.length === 0) {
    const sorts = await agentsBelow(cx, pid, among);
    const listed = await listedIn(cx, pid, among);
    if (listed !== null) return listed;
    const client = await servedFor(cx, pid, among);
    const served = client?.served;
    if (client && served?.certain) {
      const { rolloutPath, threadId, cwd } = served.certain;
      return { agent: client.agent, rolloutPath, threadId, pid, cwd, pane: null };
    }
    if (served && served.candidates.length > 0) {
      const list = served.candidates.map(
        ({ threadId, startedAt, firstWords }) => `${threadId} (began ${startedAt ?? "some time"}: ${JSON.stringify(firstWords)})`,
      );
      throw new Failure(
        `process ${pid} and its children hold no ${anyTranscript(sorts)} open: a server that it shares with others writes in ${served.folder} ` +
          `the threads ${list.join(", ")}`,
        {
          hint: `name the one that is meant (type something in it first when it is not listed): ${naming(served.candidates[0]!.threadId)}`,
        },
      );
    }
    throw new Failure(`process ${pid} and its children hold no ${anyTranscript(sorts)} open`, {
      hint: `type something in ${anyLabel(sorts)} (the file appears at the first turn), or pass --codex-session PATH`,
    });
  }
  if (found.length > 1) {
    throw new Failure(`process ${pid} holds ${found.length} transcripts open: ${found.map(({ path }) => path).join(", ")}`, {
      hint: `name the one that is meant: ${naming(found[0]!.path)}`,
    });
  }
  const { agent, path } = found[0]!;
  const meta = conversationAt(agent, path);
  return { agent, rolloutPath: meta.path, threadId: meta.id, pid, cwd: meta.cwd, pane: null };
}

/**
 * The head of a transcript that is to be put on record, and the file in which its session is written now.
 * @throws Failure when it is that of a helper which an agent started for itself: what is typed for it would go to the one that started it
 */
export function conversationAt(agent: Agent, path: string): TranscriptHead & { readonly path: string } {
  const head = transcriptHeadSoFar(agent, path) ?? headBeforeWords(agent, path) ?? transcriptHead(agent, path);
  if (!head.conversation)
    throw new Failure(`thread ${head.id} is a helper's, which its agent started for itself, and can be neither worker nor manager`, {
      hint: "name the conversation that started it; it is the one that its terminal shows",
    });
  const home = agent.transcript.homeOf(path);
  if (home !== null) refuseShared(agent, home, head.id);
  // One whose first line does not tell its folder tells it in its agent's list.
  const cwd = head.cwd ?? (home === null ? undefined : listedAs(agent, home, head.id)[0]?.cwd) ?? null;
  return { ...head, cwd, path: machineOf(agent).newestTranscript(path, head.id) };
}

/**
 * The transcript of an explicit `--codex-session`, which is a path or a thread id: that of the first agent which has it.
 * @throws Failure when there is none of this id
 */
export function transcriptMeant(cx: Context, given: string, among: Among = allAgents): AgentTranscript {
  const fitting = among.filter((agent) => agent.isSessionId(given));
  if (fitting.length === 0) {
    const path = cx.path(given);
    // A file in a place of its own, a copy or a helper's, tells whose it is by what it says.
    const byWords = () => among.find((agent) => transcriptHeadSoFar(agent, path) !== null);
    return { agent: among.find(({ transcript }) => transcript.isPath(path)) ?? byWords() ?? among[0]!, path };
  }
  for (const agent of fitting) {
    const home = homeOfAgent(agent, cx.env);
    const { transcriptOf, transcriptPlace } = machineOf(agent);
    // Until something is said to it, it is known from its agent's list alone.
    const living = listedAs(agent, home, given)[0];
    const path = transcriptOf(home, given) ?? (living === undefined ? null : transcriptPlace(home, given, living.cwd));
    if (path !== null) return { agent, path };
  }
  const names = fitting.map(({ transcript }) => transcript.name).join(" or ");
  const homes = fitting.map((agent) => homeOfAgent(agent, cx.env)).join(" or ");
  throw new Failure(`no ${names} of thread ${given} below ${homes}`, {
    hint: `type something in that ${anyLabel(fitting)} session, or pass the path of its file`,
  });
}

const lockOf = (agent: Agent, rolloutPath: string, threadId: string): Writer | null => {
  const home = agent.transcript.homeOf(rolloutPath);
  return home === null ? null : machineOf(agent).writer(home, threadId);
};

/** Between two looks for a writer: nothing tells when a lock is taken. */
const LOOK_MS = 150;

/**
 * The session of an explicit `--codex-session` whose process nobody named: whoever writes its thread, which may be a daemon.
 * @param waitSeconds how long to look again while nobody does: an agent that was just started takes some time
 * @throws Failure when nobody does, or the system does not tell who
 */
export async function identifyByThread(cx: Context, given: string, among: Among, waitSeconds: number): Promise<Identity> {
  const { agent, path } = transcriptMeant(cx, given, among);
  const meta = conversationAt(agent, path);
  const rolloutPath = meta.path;
  const end = performance.now() + waitSeconds * 1000;
  let lock: Writer | null;
  for (;;) {
    lock = lockOf(agent, rolloutPath, meta.id);
    // macOS does not say who holds a lock, but who holds the rollout open.
    const holders = lock?.held && lock.pid === null ? await holdersOf(rolloutPath, cx.env) : null;
    const pid = lock?.pid ?? (holders?.length === 1 ? holders[0]! : null);
    if (pid !== null) return { agent, rolloutPath, threadId: meta.id, pid, cwd: meta.cwd, pane: null };
    if (performance.now() >= end) break;
    await Bun.sleep(LOOK_MS);
  }
  const why = lock?.held ? "the system does not tell which process writes it" : "no process is seen that writes it";
  throw new Failure(`thread ${meta.id}: ${why}`, { hint: `name the process of the session: --pid PID --codex-session ${given}` });
}

/** The agents whose session this command says it runs in: several where one runs in a session of another. */
export const agentsAround = (cx: Context, among: Among): Among => among.filter((agent) => cx.env[agent.selfVariable]);

/**
 * The session in which this command runs, by the variable that its agent sets for it, which must be true of this very command: the writer
 * of that thread is one of its parents. Beside one that is true, another agent's that is left from elsewhere does not count.
 * @throws Failure when this does not run inside a session of an agent, or inside those of several
 */
export async function identifySelf(cx: Context, among: Among = allAgents): Promise<Identity> {
  const hint = `run it from ${anyLabel(among)}, or pass --pid PID`;
  const found: Identity[] = [];
  const refused: Failure[] = [];
  for (const agent of agentsAround(cx, among)) {
    try {
      found.push(await selfOf(cx, agent, hint));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      refused.push(error);
    }
  }
  if (found.length > 1) {
    const agents = found.map(({ agent }) => agent);
    throw new Failure(`this command runs inside sessions of ${agents.map(({ label }) => label).join(" and ")} at once`, {
      hint: `say which is meant: --agent ${agents.map(({ key }) => key).join(" or --agent ")}`,
    });
  }
  if (found[0] !== undefined) return found[0];
  if (refused[0] !== undefined) throw refused[0];
  const variables = among.map(({ selfVariable }) => selfVariable).join(" or ");
  throw new Failure(`this command does not run inside a ${anyLabel(among)} session: ${variables} is not set`, { hint });
}

/**
 * The same for one agent, whose variable is set. The writer may be a daemon for many sessions, started by any of them: then nothing tells
 * the pane, whatever TMUX says.
 */
async function selfOf(cx: Context, agent: Agent, hint: string): Promise<Identity> {
  const { selfVariable } = agent;
  const thread = cx.env[selfVariable]!;
  if (!agent.isSessionId(thread)) throw new Failure(`${selfVariable} is no thread id: ${JSON.stringify(thread)}`, { hint });
  const { path: rolloutPath } = transcriptMeant(cx, thread, [agent]);
  const meta = conversationAt(agent, rolloutPath);
  const lock = lockOf(agent, rolloutPath, thread);
  const line = await sessionLine(process.pid, (await listProcesses(cx.env)) ?? [], cx.env);
  const owner = await writerAmong(cx, line, rolloutPath, lock);
  if (owner === undefined && lock?.held === false) {
    throw new Failure(`nobody writes thread ${thread} any more: ${selfVariable} is left from a session that has ended`, { hint });
  }
  if (owner === undefined && !(lock?.pid === null && (await isSandboxed(cx, agent, line)))) {
    throw new Failure(`thread ${thread} of ${selfVariable} is not written by a parent of this command, so it may be somebody else's`, {
      hint: `name the process: --pid PID --codex-session ${thread}`,
    });
  }
  const panes = owner === undefined ? [] : await listPanes(cx.env).catch(() => []);
  const pane = panes.find((each) => line.includes(each.pid));
  return {
    agent,
    rolloutPath,
    threadId: meta.id,
    pid: owner ?? null,
    cwd: meta.cwd,
    pane: pane ? { session: pane.session, paneId: pane.paneId } : null,
  };
}

/** The lock's holder; where locks do not tell, the nearest that has the rollout open. */
async function writerAmong(cx: Context, line: readonly number[], rolloutPath: string, lock: Writer | null): Promise<number | undefined> {
  if (lock?.pid) return line.find((pid) => pid === lock.pid);
  for (const pid of line) if ((await openFiles(pid, cx.env))?.includes(rolloutPath)) return pid;
  return undefined;
}

/** Whether the line ends in the agent's own sandbox, whose first process is the agent and which hides everything outside. */
async function isSandboxed(cx: Context, agent: Agent, line: readonly number[]): Promise<boolean> {
  const outermost = line.at(-1);
  return outermost === 1 && agent.isExecutable((await executableOf(outermost, cx.env)) ?? "");
}
