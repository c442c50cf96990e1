/** The binding of a task and its two parties, sessions or rows of the older kind. */
import type { BindingFacts, Parties, PartyRow } from "../../core/tasks/task-state.ts";
import { sessionFacts } from "../sessions/report.ts";
import type { Store } from "../store.ts";

interface BindingRow extends BindingFacts {
  readonly worker_id: string | null;
  readonly manager_id: string | null;
}

const openBinding = (store: Store, taskId: string): BindingRow | null =>
  store.db
    .query<BindingRow, [string]>(
      `select b.id, b.task_id, b.worker_session_id, w.name as worker_session_name, b.manager_session_id,
        m.name as manager_session_name, b.state, b.created_at,
         b.worker_id, b.manager_id
       from bindings b left join sessions w on w.id = b.worker_session_id left join sessions m on m.id = b.manager_session_id
       where b.task_id = ? and b.state in ('active', 'ending')`,
    )
    .get(taskId);

const olderWorker = (store: Store, id: string): PartyRow | null =>
  store.db
    .query<PartyRow, [string]>(
      `select id, name, 'worker' as role, state, null as pid, cwd, tmux_session, tmux_pane_id, created_at as registered_at,
        last_seen_at as last_heartbeat_at
       from workers where id = ?`,
    )
    .get(id);

const olderManager = (store: Store, id: string): PartyRow | null =>
  store.db
    .query<PartyRow, [string]>(
      `select id, name, 'manager' as role, state, null as pid, null as cwd, tmux_session, tmux_pane_id, started_at as registered_at,
        last_seen_at as last_heartbeat_at
       from managers where id = ?`,
    )
    .get(id);

/** The task's open binding and who is bound by it. */
export function partiesOf(store: Store, taskId: string): Parties {
  const row = openBinding(store, taskId);
  if (row === null) return { binding: null, worker: null, manager: null };
  const { worker_id, manager_id, ...binding } = row;
  const worker =
    binding.worker_session_id !== null
      ? sessionFacts(store, binding.worker_session_id)
      : worker_id !== null
        ? olderWorker(store, worker_id)
        : null;
  const manager =
    binding.manager_session_id !== null
      ? sessionFacts(store, binding.manager_session_id)
      : manager_id !== null
        ? olderManager(store, manager_id)
        : null;
  return { binding, worker, manager };
}
