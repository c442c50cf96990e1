/** Which terminal belongs to a role of a task: a worker or manager of the oldest releases, else a session of the best binding. */
import type { Role, Session } from "../../core/sessions/session.ts";
import { sessionById } from "../sessions/sessions.ts";
import type { Store } from "../store.ts";

/** A row of `workers` or `managers`. */
export interface LegacySource {
  readonly kind: "worker" | "manager";
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly tmux_session: string;
  readonly tmux_pane_id: string | null;
  readonly identity_token: string | null;
  readonly binding_id: string | null;
}

export type TranscriptSource = LegacySource | { readonly kind: "session"; readonly session: Session };

const legacy = (store: Store, taskId: string, role: Role): LegacySource | null =>
  role === "worker"
    ? store.db
        .query<LegacySource, [string]>(
          `select 'worker' as kind, w.id, w.name, w.state, w.tmux_session, w.tmux_pane_id, w.identity_token, b.id as binding_id
           from bindings b join workers w on w.id = b.worker_id where b.task_id = ? and b.state in ('active', 'ending')`,
        )
        .get(taskId)
    : store.db
        .query<LegacySource, [string]>(
          `select 'manager' as kind, id, name, state, tmux_session, tmux_pane_id, null as identity_token,
             (select id from bindings b where b.manager_id = managers.id and b.state in ('active', 'ending')) as binding_id
           from managers where task_id = ? and state in ('starting', 'ready', 'stopping')`,
        )
        .get(taskId);

/** An open binding is best, then the newest one. */
const bound = (store: Store, taskId: string, role: Role): Session | null => {
  const row = store.db
    .query<{ id: string }, [string]>(
      `select ${role}_session_id as id from bindings where task_id = ? and ${role}_session_id is not null
       order by state in ('active', 'ending') desc, julianday(created_at) desc, rowid desc limit 1`,
    )
    .get(taskId);
  return row && sessionById(store, row.id);
};

/** Null when nobody has or had this role on the task. */
export function transcriptSource(store: Store, taskId: string, role: Role): TranscriptSource | null {
  const old = legacy(store, taskId, role);
  if (old) return old;
  const session = bound(store, taskId, role);
  return session && { kind: "session", session };
}
