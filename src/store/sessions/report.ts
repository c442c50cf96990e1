/** Sessions listed for reports, without their tokens. */
import type { Store } from "../store.ts";

export interface SessionFacts {
  readonly id: string;
  readonly name: string;
  readonly role: "worker" | "manager";
  readonly state: string;
  readonly pid: number | null;
  readonly cwd: string;
  readonly tmux_session: string | null;
  readonly tmux_pane_id: string | null;
  readonly registered_at: string;
  readonly last_heartbeat_at: string | null;
}

const COLUMNS = "id, name, role, state, pid, cwd, tmux_session, tmux_pane_id, registered_at, last_heartbeat_at";

export const sessionFacts = (store: Store, id: string): SessionFacts | null =>
  store.db.query<SessionFacts, [string]>(`select ${COLUMNS} from sessions where id = ?`).get(id);

/** Active sessions, newest registration first. */
export const activeSessions = (store: Store): SessionFacts[] =>
  store.db
    .query<SessionFacts, []>(`select ${COLUMNS} from sessions where state = 'active' order by julianday(registered_at) desc, rowid desc`)
    .all();
