/** Sessions of an agent that run on this machine and are on no record yet, for a person to pick from. */
import type { Context } from "../../context.ts";
import type { Agent } from "../../core/agent/agent.ts";
import { allAgents } from "../../core/agent/agents.ts";
import { indexedSessions } from "../../store/agent-index.ts";
import { needPlainName, type Role, type Session } from "../../core/sessions/session.ts";
import { findSession, registerSession, threadIsRegistered } from "../../store/sessions/sessions.ts";
import type { Store } from "../../store/store.ts";
import { toIso } from "../../core/time.ts";
import { homeOfAgent, machineOf } from "../../system/agent/agents.ts";
import { sessionFamily, sessionLine } from "../../system/agent/kinship.ts";
import { listProcesses, openFiles } from "../../system/processes/processes.ts";
import type { Process } from "../../system/processes/process-listing.ts";
import { firstPrompt, transcriptHeadSoFar } from "../../system/agent/transcript.ts";
import { listPanes, type Pane } from "../../system/terminal/panes.ts";
import { conversationAt, transcriptMeant } from "./identify.ts";

export interface FoundSession {
  /** The program that it runs. */
  readonly agent: string;
  readonly threadId: string;
  readonly rolloutPath: string;
  /** Process that writes it, where the system tells. */
  readonly pid: number | null;
  readonly cwd: string | null;
  readonly startedAt: string | null;
  /** How its first prompt begins. */
  readonly firstWords: string | null;
  readonly tmuxSession: string | null;
  readonly paneId: string | null;
}

const WORDS = 160;

/** Every live thread that is not registered: those whose writer lock is held, and those that a process in a pane holds open. */
export async function foundSessions(cx: Context, store: Store): Promise<FoundSession[]> {
  const [processes, panes] = await Promise.all([listProcesses(cx.env), listPanes(cx.env).catch((): Pane[] => [])]);
  const found: FoundSession[] = [];
  for (const agent of allAgents) found.push(...(await foundOf(cx, store, agent, { processes: processes ?? [], panes })));
  return found;
}

interface Seen {
  readonly processes: readonly Process[];
  readonly panes: readonly Pane[];
}

async function foundOf(cx: Context, store: Store, agent: Agent, { processes, panes }: Seen): Promise<FoundSession[]> {
  const home = homeOfAgent(agent, cx.env);
  const machine = machineOf(agent);
  const threads = new Map<string, { pid: number | null; path: string }>();
  const listed = new Map(machine.list?.sessions(home).map((each) => [each.id, each]));
  for (const [threadId, pid] of machine.written(home)) {
    const path = machine.transcriptOf(home, threadId) ?? machine.transcriptPlace(home, threadId, listed.get(threadId)?.cwd ?? "");
    if (path !== null) threads.set(threadId, { pid, path });
  }
  for (const held of await heldByPanes(cx, agent, panes, processes)) threads.set(held.threadId, held);
  const prompts = new Map((indexedSessions(agent, home, 0) ?? []).map((thread) => [thread.id, thread.firstMessage]));
  const found: FoundSession[] = [];
  for (const [threadId, { pid, path }] of threads) {
    const meta = transcriptHeadSoFar(agent, path);
    const known = listed.get(threadId);
    if (threadIsRegistered(store, threadId) || (meta === null && known === undefined) || meta?.conversation === false) continue;
    const line = pid === null ? [] : await sessionLine(pid, processes, cx.env);
    const pane = panes.find((each) => line.includes(each.pid));
    found.push({
      agent: agent.key,
      threadId,
      rolloutPath: path,
      pid,
      cwd: meta?.cwd ?? known?.cwd ?? null,
      startedAt: meta?.timestamp ?? (known?.startedAt == null ? null : toIso(known.startedAt)),
      firstWords: (prompts.get(threadId) || firstPrompt(agent, path))?.slice(0, WORDS) ?? null,
      tmuxSession: pane?.session ?? null,
      paneId: pane?.paneId ?? null,
    });
  }
  return found;
}

async function heldByPanes(
  cx: Context,
  agent: Agent,
  panes: readonly Pane[],
  processes: readonly Process[],
): Promise<{ threadId: string; pid: number; path: string }[]> {
  const held: { threadId: string; pid: number; path: string }[] = [];
  for (const pane of panes) {
    for (const pid of await sessionFamily(pane.pid, processes, cx.env)) {
      for (const path of ((await openFiles(pid, cx.env)) ?? []).filter(agent.transcript.isPath)) {
        const meta = transcriptHeadSoFar(agent, path);
        if (meta) held.push({ threadId: meta.id, pid, path });
      }
    }
  }
  return held;
}

interface PickedSession {
  readonly name: string;
  readonly role: Role;
  readonly thread: string;
  readonly pid: number;
  readonly tmuxSession: string | null;
  readonly paneId: string | null;
}

/**
 * Puts a session on record that a person picked from {@link foundSessions}.
 * @throws Failure when the thread has no rollout or is a helper's, or the name belongs to a session of the other role
 */
export function registerFound(cx: Context, store: Store, picked: PickedSession): Session {
  if (findSession(store, picked.name) === null) needPlainName(picked.name);
  const { agent, path: rolloutPath } = transcriptMeant(cx, picked.thread);
  const meta = conversationAt(agent, rolloutPath);
  return registerSession(store, {
    name: picked.name,
    role: picked.role,
    pid: picked.pid,
    cwd: meta.cwd ?? "",
    agent: agent.key,
    codexSessionPath: rolloutPath,
    codexSessionId: meta.id,
    tmuxSession: picked.tmuxSession,
    tmuxPaneId: picked.paneId,
    note: { via: "dashboard" },
  });
}
