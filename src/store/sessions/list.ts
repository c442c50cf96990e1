/** Lists of `sessions`. */
import type { Role, Session } from "../../core/sessions/session.ts";
import type { Store } from "../store.ts";
import { AGENT_JOIN, SESSION_COLUMNS } from "./agents.ts";

interface SessionFilter {
  /** Absent: not gone. */
  readonly state?: "active" | "gone" | "all" | undefined;
  readonly role?: Role | undefined;
  readonly names?: readonly string[];
  /** Without a state: also rows with neither a process nor a rollout (from before sessions were registered by them). */
  readonly includeLegacy?: boolean;
}

/** In the order of their registration. */
export function listSessions(store: Store, filter: SessionFilter = {}): Session[] {
  const state = filter.state ?? "active";
  const where = state === "all" ? "" : `where s.state = '${state}'`;
  const rows = store.db
    .query<Session, []>(`select ${SESSION_COLUMNS} from sessions s ${AGENT_JOIN} ${where} order by julianday(s.registered_at), s.rowid`)
    .all();
  return rows.filter((row) => {
    if (filter.role && row.role !== filter.role) return false;
    if (filter.names?.length && !filter.names.includes(row.name)) return false;
    // The sessions of a disposable binding have a rollout and no process.
    return (
      state !== "active" ||
      row.pid !== null ||
      row.codex_session_path !== null ||
      (filter.state === undefined && filter.includeLegacy === true)
    );
  });
}
