/** Before version 5 there were no sessions: bindings named workers and managers only. */
import type { Database } from "bun:sqlite";
import type { Migration } from "./migration.ts";
import { columnsOf, rebuild } from "./rebuild.ts";

/** Gives bindings their session columns; the worker becomes optional, so the table is made anew. */
export function bindSessions(db: Database): void {
  const columns = columnsOf(db, "bindings");
  if (["manager_id", "worker_session_id", "manager_session_id"].some((column) => !columns.includes(column))) rebuild(db, "bindings");
}

/**
 * Gives each worker and manager a session of the same id, without pid and rollout: a legacy session.
 * Sessions that are there already, by id, name or token, are kept.
 */
export function addLegacySessions(db: Database, { newId }: Migration): void {
  db.run(`
    insert into sessions (id, name, role, identity_token, tmux_session, tmux_pane_id, cwd, registered_at, state)
    select id, name, 'worker', identity_token, tmux_session, tmux_pane_id, cwd, created_at,
      case when state in ('candidate', 'active') then 'active' else 'gone' end
    from workers w
    where not exists (select 1 from sessions s where s.id = w.id or s.name = w.name or s.identity_token = w.identity_token)
    order by rowid`);
  const managers = db
    .query<{ id: string }, []>(
      "select id from managers m where not exists (select 1 from sessions s where s.id = m.id or s.name = m.name) order by rowid",
    )
    .all();
  const add = db.query(`
    insert into sessions (id, name, role, identity_token, tmux_session, tmux_pane_id, cwd, registered_at, state)
    select id, name, 'manager', ?2, tmux_session, tmux_pane_id, '', started_at,
      case when state in ('starting', 'ready', 'stopping') then 'active' else 'gone' end
    from managers where id = ?1`);
  for (const { id } of managers) add.run(id, newId("session-token"));
}
