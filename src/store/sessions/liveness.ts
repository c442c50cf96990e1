/** Tasks that are still worked on, with the parties and commands on record: what `db-doctor --live` compares with the machine. */
import type { Party, SupervisedTask, UnfinishedCommand } from "../../core/sessions/liveness.ts";
import type { Store } from "../store.ts";

interface TaskRow {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly worker_id: string | null;
  readonly worker_session_id: string | null;
  readonly manager_session_id: string | null;
}

const legacyWorker = (store: Store, id: string): Party | null =>
  store.db
    .query<Party, [string]>(
      `select id, name, state, tmux_session as session, null as pid, tmux_pane_id as recorded_pane_id, last_seen_at,
        null as last_capture_sha256
       from workers where id = ?`,
    )
    .get(id);

const legacyManager = (store: Store, taskId: string): Party | null =>
  store.db
    .query<Party, [string]>(
      `select id, name, state, tmux_session as session, null as pid, tmux_pane_id as recorded_pane_id, last_seen_at, last_capture_sha256
       from managers where task_id = ? and state in ('starting', 'ready', 'stopping') order by started_at desc, rowid desc limit 1`,
    )
    .get(taskId);

const boundSession = (store: Store, id: string): Party | null =>
  store.db
    .query<Party, [string]>(
      `select id, name, state, tmux_session as session, pid, tmux_pane_id as recorded_pane_id, last_heartbeat_at as last_seen_at,
        null as last_capture_sha256
       from sessions where id = ?`,
    )
    .get(id);

/** By name; tasks that are done or failed are left out. */
export function supervisedTasks(store: Store): SupervisedTask[] {
  const tasks = store.db
    .query<TaskRow, []>(
      `select t.id, t.name, t.state, b.worker_id, b.worker_session_id, b.manager_session_id
       from tasks t left join bindings b on b.task_id = t.id and b.state in ('active', 'ending')
       where t.state not in ('done', 'failed') order by t.name, t.rowid`,
    )
    .all();
  const unfinished = store.db.query<UnfinishedCommand, [string]>(
    "select id, type, state, created_at from commands where task_id = ? and state in ('pending', 'attempted') order by created_at, rowid",
  );
  return tasks.map((row) => ({
    task: { id: row.id, name: row.name, state: row.state },
    worker:
      (row.worker_id && legacyWorker(store, row.worker_id)) ||
      (row.worker_session_id && boundSession(store, row.worker_session_id)) ||
      null,
    manager: legacyManager(store, row.id) ?? (row.manager_session_id ? boundSession(store, row.manager_session_id) : null),
    unfinished: unfinished.all(row.id),
  }));
}
