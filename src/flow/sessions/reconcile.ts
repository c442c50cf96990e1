/** Comparing the sessions on record with the processes that run. */
import type { Context } from "../../context.ts";
import {
  type DanglingBinding,
  type DeadSession,
  type StuckTask,
  startedTooLate,
  type WatchedSession,
} from "../../core/sessions/reconcile.ts";
import { danglingBindings, stuckTasks, watchedSessions } from "../../store/sessions/reconcile.ts";
import type { Store } from "../../store/store.ts";
import { alive, startedAt } from "../../system/processes/processes.ts";
import { openTranscripts } from "./identify.ts";

/** The pid of a process that ended is given out again: then it runs, but it is not the session. */
const deathOf = async (cx: Context, session: WatchedSession): Promise<DeadSession["reason"] | null> => {
  if (!alive(session.pid)) return "no such process";
  // A row that some other program wrote may name no rollout: then there is nothing by which to tell the session from another process.
  if (session.codex_session_path === null) return null;
  const started = await startedAt(session.pid, cx.env);
  if (started === null || !startedTooLate(session, started)) return null;
  const held = await openTranscripts(cx, session.pid);
  return held === null || held.some(({ path }) => path === session.codex_session_path) ? null : "pid belongs to another process";
};

/** Active sessions whose process is gone; one that must not be looked at counts as alive. */
export async function deadSessions(cx: Context, store: Store): Promise<DeadSession[]> {
  const dead: DeadSession[] = [];
  for (const session of watchedSessions(store)) {
    const reason = await deathOf(cx, session);
    if (reason !== null)
      dead.push({ name: session.name, role: session.role, pid: session.pid, last_heartbeat_at: session.last_heartbeat_at, reason });
  }
  return dead;
}

export interface Drift {
  readonly dead_pid_sessions: DeadSession[];
  readonly dangling_bindings: DanglingBinding[];
  readonly stuck_tasks: StuckTask[];
}

/**
 * All three kinds of drift, the dead sessions as the machine has shown them: the machine is asked first, so that the rest can be read in
 * one snapshot. Changes nothing.
 */
export const drift = (cx: Context, store: Store, dead: DeadSession[], staleSeconds: number): Drift => ({
  dead_pid_sessions: dead,
  dangling_bindings: danglingBindings(store),
  stuck_tasks: stuckTasks(store, staleSeconds, cx.nowMs()),
});
