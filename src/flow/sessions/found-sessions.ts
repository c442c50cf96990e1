/** Codex sessions that run on this machine and are on no record yet, for a person to pick from. */
import type { Context } from "../../context.ts";
import { codex } from "../../core/agent/agent.ts";
import { indexedThreads } from "../../store/codex-index.ts";
import type { Role, Session } from "../../core/sessions/session.ts";
import { registerSession, threadIsRegistered } from "../../store/sessions/sessions.ts";
import type { Store } from "../../store/store.ts";
import { codexHome, rolloutOfThread } from "../../system/codex/home.ts";
import { writtenThreads } from "../../system/codex/lock.ts";
import { sessionFamily, sessionLine } from "../../system/kinship.ts";
import { listProcesses, openFiles, type Process } from "../../system/processes/processes.ts";
import { isRolloutPath, rolloutMeta } from "../../system/codex/rollout-file.ts";
import { firstPrompt } from "../../system/codex/rollout-scan.ts";
import { listPanes, type Pane } from "../../system/terminal/panes.ts";
import { rolloutOf } from "./identify.ts";

export interface FoundSession {
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
  const home = codexHome(cx.env);
  const [processes, panes] = await Promise.all([listProcesses(cx.env), listPanes(cx.env).catch((): Pane[] => [])]);
  const threads = new Map<string, { pid: number | null; path: string }>();
  for (const [threadId, pid] of writtenThreads(home)) {
    const path = rolloutOfThread(home, threadId);
    if (path !== null) threads.set(threadId, { pid, path });
  }
  for (const held of await heldByPanes(cx, panes, processes ?? [])) threads.set(held.threadId, held);
  const prompts = new Map((indexedThreads(home, 0) ?? []).map((thread) => [thread.id, thread.firstMessage]));
  const found: FoundSession[] = [];
  for (const [threadId, { pid, path }] of threads) {
    const meta = metaOf(path);
    if (threadIsRegistered(store, threadId) || meta === null) continue;
    const line = pid === null ? [] : await sessionLine(codex, pid, processes ?? [], cx.env);
    const pane = panes.find((each) => line.includes(each.pid));
    found.push({
      threadId,
      rolloutPath: path,
      pid,
      cwd: meta.cwd,
      startedAt: meta.timestamp,
      firstWords: (prompts.get(threadId) || firstPrompt(path))?.slice(0, WORDS) ?? null,
      tmuxSession: pane?.session ?? null,
      paneId: pane?.paneId ?? null,
    });
  }
  return found;
}

async function heldByPanes(
  cx: Context,
  panes: readonly Pane[],
  processes: readonly Process[],
): Promise<{ threadId: string; pid: number; path: string }[]> {
  const held: { threadId: string; pid: number; path: string }[] = [];
  for (const pane of panes) {
    for (const pid of await sessionFamily(codex, pane.pid, processes, cx.env)) {
      for (const path of ((await openFiles(pid, cx.env)) ?? []).filter(isRolloutPath)) {
        const meta = metaOf(path);
        if (meta) held.push({ threadId: meta.id, pid, path });
      }
    }
  }
  return held;
}

/** A rollout that is just being created has no whole first line yet. */
function metaOf(path: string): ReturnType<typeof rolloutMeta> | null {
  try {
    return rolloutMeta(path);
  } catch {
    return null;
  }
}

export interface PickedSession {
  readonly name: string;
  readonly role: Role;
  readonly thread: string;
  readonly pid: number;
  readonly tmuxSession: string | null;
  readonly paneId: string | null;
}

/**
 * Puts a session on record that a person picked from {@link foundSessions}.
 * @throws Failure when the thread has no rollout, or the name belongs to a session of the other role
 */
export function registerFound(cx: Context, store: Store, picked: PickedSession): Session {
  const rolloutPath = rolloutOf(cx, picked.thread);
  const meta = rolloutMeta(rolloutPath);
  return registerSession(store, {
    name: picked.name,
    role: picked.role,
    pid: picked.pid,
    cwd: meta.cwd ?? "",
    codexSessionPath: rolloutPath,
    codexSessionId: meta.id,
    tmuxSession: picked.tmuxSession,
    tmuxPaneId: picked.paneId,
    note: { via: "dashboard" },
  });
}
