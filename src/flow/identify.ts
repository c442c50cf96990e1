/** Which Codex thread somebody means: by path, by thread id, by process, or the one this command runs in. */
import type { Context } from "../context.ts";
import { Failure } from "../core/failure.ts";
import { codexHome, isThreadId, rolloutOfThread } from "../system/codex-home.ts";
import { ancestorsOf, familyOf, listProcesses, openFiles } from "../system/processes.ts";
import { isRolloutPath, rolloutMeta } from "../system/rollout-file.ts";
import { listPanes } from "../system/tmux.ts";

export interface Identity {
  readonly rolloutPath: string;
  readonly threadId: string;
  readonly pid: number;
  /** Folder of the session as its rollout says, or null. */
  readonly cwd: string | null;
  /** tmux session and pane whose process is an ancestor of this command; only for the session this runs in. */
  readonly pane: { readonly session: string; readonly paneId: string } | null;
}

/** The rollouts that a process or its descendants hold open, nearest process first. Null: the system would not say. */
export async function openRollouts(cx: Context, pid: number): Promise<string[] | null> {
  const processes = await listProcesses(cx.env);
  if (processes === null) return null;
  const found: string[] = [];
  let answered = false;
  for (const member of familyOf(pid, processes)) {
    const files = await openFiles(member, cx.env);
    if (files === null) continue;
    answered = true;
    for (const file of files) if (isRolloutPath(file) && !found.includes(file)) found.push(file);
  }
  return answered ? found : null;
}

/** @throws Failure naming the pid when its process tree holds no rollout, or several */
export async function identifyByPid(cx: Context, pid: number): Promise<Identity> {
  const found = await openRollouts(cx, pid);
  if (found === null) {
    throw new Failure(`the open files of process ${pid} cannot be seen: it is gone, or belongs to somebody else`, { hint: "pass the rollout: --pid PID --codex-session PATH" });
  }
  if (found.length === 0) {
    throw new Failure(`process ${pid} and its children hold no Codex rollout open`, { hint: "type something in Codex (the rollout appears at the first turn), or pass --codex-session PATH" });
  }
  if (found.length > 1) {
    throw new Failure(`process ${pid} holds ${found.length} rollouts open: ${found.join(", ")}`, { hint: `name one: --pid ${pid} --codex-session PATH` });
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
  if (path === null) throw new Failure(`no rollout of thread ${given} below ${home}/sessions`, { hint: "type something in that Codex session, or pass the path of its rollout" });
  return path;
}

/**
 * The session in which this command runs, by CODEX_THREAD_ID. Its process is the nearest ancestor that holds the rollout open; a pane counts
 * only when its own process is an ancestor of this command, since TMUX may be somebody else's under a daemon.
 * @throws Failure when this does not run inside a Codex session
 */
export async function identifySelf(cx: Context): Promise<Identity> {
  const thread = cx.env.CODEX_THREAD_ID;
  if (!thread) throw new Failure("this command does not run inside a Codex session: CODEX_THREAD_ID is not set", { hint: "run it from Codex, or pass --pid PID" });
  const rolloutPath = rolloutOf(cx, thread);
  const meta = rolloutMeta(rolloutPath);
  const ancestors = ancestorsOf(process.pid, (await listProcesses(cx.env)) ?? []);
  let owner: number | undefined;
  for (const pid of ancestors) {
    if ((await openFiles(pid, cx.env))?.includes(rolloutPath)) {
      owner = pid;
      break;
    }
  }
  if (owner === undefined) {
    throw new Failure(`no ancestor of this command holds the rollout of thread ${thread} open`, { hint: `name the process: --pid PID --codex-session ${thread}` });
  }
  const panes = await listPanes(cx.env).catch(() => []);
  const pane = panes.find((each) => ancestors.includes(each.pid));
  return { rolloutPath, threadId: meta.id, pid: owner, cwd: meta.cwd, pane: pane ? { session: pane.session, paneId: pane.paneId } : null };
}
