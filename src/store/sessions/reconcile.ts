/** Where sessions, bindings and cycles on record contradict each other, and putting that right. */
import type { DanglingBinding, DeadSession, StuckTask, WatchedSession } from "../../core/sessions/reconcile.ts";
import { instant, olderThan } from "../../core/time.ts";
import { addEvent } from "../record/events.ts";
import { type Store, tx } from "../store.ts";

/** Active sessions with a pid, in the order of their registration. */
export const watchedSessions = (store: Store): WatchedSession[] =>
  store.db
    .query<WatchedSession, []>(
      `select id, name, role, pid, codex_session_path, registered_at, last_heartbeat_at
       from sessions where state = 'active' and pid is not null order by julianday(registered_at), rowid`,
    )
    .all();

/** Open bindings with a session that is gone, once for each side. */
export const danglingBindings = (store: Store): DanglingBinding[] =>
  store.db
    .query<DanglingBinding, []>(
      `select b.id as binding_id, b.task_id, t.name as task_name, s.role as gone_role, s.name as gone_session_name
       from bindings b join tasks t on t.id = b.task_id join sessions s on s.id in (b.worker_session_id, b.manager_session_id)
       where b.state in ('active', 'ending') and s.state = 'gone' order by julianday(b.created_at), b.rowid, s.role desc`,
    )
    .all();

interface LastCycle {
  readonly task_name: string;
  readonly binding_id: string;
  readonly last_cycle_at: string | null;
}

/** Bound tasks whose newest completed cycle is older than `staleSeconds`; a task without cycles is never stuck. */
export function stuckTasks(store: Store, staleSeconds: number, nowMs: number): StuckTask[] {
  const rows = store.db
    .query<LastCycle, []>(
      `select t.name as task_name, b.id as binding_id,
         (select c.completed_at from manager_cycles c where c.task_id = t.id and c.completed_at is not null order by
           julianday(c.completed_at) desc, c.id desc limit 1)
           as last_cycle_at
       from bindings b join tasks t on t.id = b.task_id where b.state in ('active', 'ending') order by julianday(b.created_at), b.rowid`,
    )
    .all();
  return rows.flatMap(({ task_name, binding_id, last_cycle_at }) => {
    const at = instant(last_cycle_at);
    if (at === null || last_cycle_at === null || !olderThan(last_cycle_at, staleSeconds, nowMs)) return [];
    return { task_name, binding_id, last_cycle_at, age_seconds: Math.floor((nowMs - at) / 1000) };
  });
}

/** Task, worker and manager of a binding by name; null when a side is no registered session. */
export const partiesOf = (store: Store, bindingId: string): { task: string; worker: string; manager: string } | null =>
  store.db
    .query<{ task: string; worker: string; manager: string }, [string]>(
      `select t.name as task, w.name as worker, m.name as manager
       from bindings b join tasks t on t.id = b.task_id join sessions w on w.id = b.worker_session_id join sessions m on m.id =
         b.manager_session_id where b.id = ?`,
    )
    .get(bindingId);

export interface Applied {
  readonly sessions_marked_gone: string[];
  readonly bindings_marked_invalid: string[];
}

/**
 * Marks these sessions gone, each with its event, in one transaction; gives the names of those that it was.
 * @param dead as they were looked at: one that was registered again in the meantime stays
 */
export const markDead = (store: Store, dead: readonly DeadSession[]): string[] =>
  tx(store, () =>
    dead.flatMap(({ name, pid, reason }) => {
      const marked = store.db
        .query("update sessions set state = 'gone', last_heartbeat_at = ? where name = ? and pid = ? and state = 'active'")
        .run(store.now(), name, pid);
      if (marked.changes === 0) return [];
      addEvent(store, { type: "session_marked_gone_by_reconcile", payload: { name, pid, reason } });
      return name;
    }),
  );

/** Marks the dead sessions gone and then every dangling binding invalid, each with its event, in one transaction. */
export function applyReconcile(store: Store, dead: readonly DeadSession[]): Applied {
  return tx(store, () => {
    const now = store.now();
    const sessions_marked_gone = markDead(store, dead);
    const bindings_marked_invalid = danglingBindings(store).flatMap(({ task_id, ...gone }) => {
      const marked = store.db
        .query("update bindings set state = 'invalid', ended_at = ? where id = ? and state in ('active', 'ending')")
        .run(now, gone.binding_id);
      if (marked.changes === 0) return [];
      addEvent(store, { type: "binding_marked_invalid_by_reconcile", taskId: task_id, payload: gone });
      return gone.binding_id;
    });
    return { sessions_marked_gone, bindings_marked_invalid };
  });
}
