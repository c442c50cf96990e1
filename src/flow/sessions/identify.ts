/** Which Codex thread somebody means: by path, by thread id, by process, or the one this command runs in. */
import type { Context } from "../../context.ts";
import { codex } from "../../core/agent/agent.ts";
import { Failure } from "../../core/failure.ts";
import { codexHome, homeOfRollout, isThreadId, rolloutOfThread } from "../../system/codex/home.ts";
import { type WriterLock, writerLock } from "../../system/codex/lock.ts";
import { sessionFamily, sessionLine } from "../../system/kinship.ts";
import { executableOf, holdersOf, listProcesses, openFiles } from "../../system/processes/processes.ts";
import { isRolloutPath, rolloutMeta } from "../../system/codex/rollout-file.ts";
import { listPanes } from "../../system/terminal/panes.ts";
import { servedThreads } from "../reach/served-threads.ts";

export interface Identity {
  readonly rolloutPath: string;
  readonly threadId: string;
  /** null: it runs outside the sandbox that this command is in, so its number cannot be known here. */
  readonly pid: number | null;
  /** Folder of the session as its rollout says, or null. */
  readonly cwd: string | null;
  /** tmux session and pane in which it runs, where that is certain; only for the session this runs in. */
  readonly pane: { readonly session: string; readonly paneId: string } | null;
}

/** The rollouts that a process or its descendants hold open, nearest process first. Null: the system would not say. */
export async function openRollouts(cx: Context, pid: number): Promise<string[] | null> {
  const processes = await listProcesses(cx.env);
  if (processes === null) return null;
  const found: string[] = [];
  let answered = false;
  for (const member of await sessionFamily(codex, pid, processes, cx.env)) {
    const files = await openFiles(member, cx.env);
    if (files === null) continue;
    answered = true;
    for (const file of files) if (isRolloutPath(file) && !found.includes(file)) found.push(file);
  }
  return answered ? found : null;
}

/**
 * @param naming the command that names the thread of this id as the one meant
 * @throws Failure naming the pid when its process tree holds no rollout, or several, or it shares a server and nothing tells which thread
 * is its
 */
export async function identifyByPid(cx: Context, pid: number, naming: (thread: string) => string): Promise<Identity> {
  const found = await openRollouts(cx, pid);
  if (found === null) {
    throw new Failure(`the open files of process ${pid} cannot be seen: it is gone, or belongs to somebody else`, {
      hint: "pass the rollout: --pid PID --codex-session PATH",
    });
  }
  if (found.length === 0) {
    const served = await servedThreads(cx, pid);
    if (served?.certain)
      return { rolloutPath: served.certain.rolloutPath, threadId: served.certain.threadId, pid, cwd: served.certain.cwd, pane: null };
    if (served && served.candidates.length > 0) {
      const list = served.candidates.map(
        ({ threadId, startedAt, firstWords }) => `${threadId} (began ${startedAt ?? "some time"}: ${JSON.stringify(firstWords)})`,
      );
      throw new Failure(
        `process ${pid} and its children hold no Codex rollout open: a server that it shares with others writes in ${served.folder} ` +
          `the threads ${list.join(", ")}`,
        {
          hint: `name the one that is meant (type something in it first when it is not listed): ${naming(served.candidates[0]!.threadId)}`,
        },
      );
    }
    throw new Failure(`process ${pid} and its children hold no Codex rollout open`, {
      hint: "type something in Codex (the rollout appears at the first turn), or pass --codex-session PATH",
    });
  }
  if (found.length > 1) {
    throw new Failure(`process ${pid} holds ${found.length} rollouts open: ${found.join(", ")}`, {
      hint: `name the one that is meant: ${naming(found[0]!)}`,
    });
  }
  const rolloutPath = found[0]!;
  const meta = rolloutMeta(rolloutPath);
  return { rolloutPath, threadId: meta.id, pid, cwd: meta.cwd, pane: null };
}

/** The rollout of an explicit `--codex-session`, which is a path or a thread id. */
export function rolloutOf(cx: Context, given: string): string {
  if (!isThreadId(given)) return cx.path(given);
  const home = codexHome(cx.env);
  const path = rolloutOfThread(home, given);
  if (path === null)
    throw new Failure(`no rollout of thread ${given} below ${home}/sessions`, {
      hint: "type something in that Codex session, or pass the path of its rollout",
    });
  return path;
}

const lockOf = (rolloutPath: string, threadId: string): WriterLock | null => {
  const home = homeOfRollout(rolloutPath);
  return home === null ? null : writerLock(home, threadId);
};

/**
 * The session of an explicit `--codex-session` whose process nobody named: whoever writes its thread, which may be a daemon.
 * @throws Failure when nobody does, or the system does not tell who
 */
export async function identifyByThread(cx: Context, given: string): Promise<Identity> {
  const rolloutPath = rolloutOf(cx, given);
  const meta = rolloutMeta(rolloutPath);
  const lock = lockOf(rolloutPath, meta.id);
  // macOS does not say who holds a lock, but who holds the rollout open.
  const holders = lock?.held && lock.pid === null ? await holdersOf(rolloutPath, cx.env) : null;
  const pid = lock?.pid ?? (holders?.length === 1 ? holders[0]! : null);
  if (pid !== null) return { rolloutPath, threadId: meta.id, pid, cwd: meta.cwd, pane: null };
  const why = lock?.held ? "the system does not tell which process writes it" : "no process is seen that writes it";
  throw new Failure(`thread ${meta.id}: ${why}`, { hint: `name the process of the session: --pid PID --codex-session ${given}` });
}

/**
 * The session in which this command runs, by CODEX_THREAD_ID, which must be true of this very command: the writer of that thread is one of
 * its parents. That writer may be a daemon for many sessions, started by any of them: then nothing tells the pane, whatever TMUX says.
 * @throws Failure when this does not run inside a Codex session
 */
export async function identifySelf(cx: Context): Promise<Identity> {
  const thread = cx.env.CODEX_THREAD_ID;
  if (!thread)
    throw new Failure("this command does not run inside a Codex session: CODEX_THREAD_ID is not set", {
      hint: "run it from Codex, or pass --pid PID",
    });
  if (!isThreadId(thread))
    throw new Failure(`CODEX_THREAD_ID is no thread id: ${JSON.stringify(thread)}`, { hint: "run it from Codex, or pass --pid PID" });
  const rolloutPath = rolloutOf(cx, thread);
  const meta = rolloutMeta(rolloutPath);
  const lock = lockOf(rolloutPath, thread);
  const line = await sessionLine(codex, process.pid, (await listProcesses(cx.env)) ?? [], cx.env);
  const owner = await writerAmong(cx, line, rolloutPath, lock);
  if (owner === undefined && lock?.held === false) {
    throw new Failure(`nobody writes thread ${thread} any more: CODEX_THREAD_ID is left from a session that has ended`, {
      hint: "run it from Codex, or pass --pid PID",
    });
  }
  if (owner === undefined && !(lock?.pid === null && (await isSandboxed(cx, line)))) {
    throw new Failure(`thread ${thread} of CODEX_THREAD_ID is not written by a parent of this command, so it may be somebody else's`, {
      hint: `name the process: --pid PID --codex-session ${thread}`,
    });
  }
  const panes = owner === undefined ? [] : await listPanes(cx.env).catch(() => []);
  const pane = panes.find((each) => line.includes(each.pid));
  return {
    rolloutPath,
    threadId: meta.id,
    pid: owner ?? null,
    cwd: meta.cwd,
    pane: pane ? { session: pane.session, paneId: pane.paneId } : null,
  };
}

/** The lock's holder; where locks do not tell, the nearest that has the rollout open. */
async function writerAmong(
  cx: Context,
  line: readonly number[],
  rolloutPath: string,
  lock: WriterLock | null,
): Promise<number | undefined> {
  if (lock?.pid) return line.find((pid) => pid === lock.pid);
  for (const pid of line) if ((await openFiles(pid, cx.env))?.includes(rolloutPath)) return pid;
  return undefined;
}

/** Whether the line ends in the agent's own sandbox, whose first process is the agent and which hides everything outside. */
async function isSandboxed(cx: Context, line: readonly number[]): Promise<boolean> {
  const outermost = line.at(-1);
  return outermost === 1 && codex.isExecutable((await executableOf(outermost, cx.env)) ?? "");
}
