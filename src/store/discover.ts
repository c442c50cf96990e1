/** What a search over tasks, sessions, bindings and telemetry finds. */
import { parseStored } from "../core/json.ts";
import type { Session } from "../core/session.ts";
import { ACTIVE_TASK_STATES, type Budget, type Task } from "../core/task.ts";
import { listSessions } from "./session-list.ts";
import type { Store } from "./store.ts";
import { listTasks } from "./tasks.ts";

export interface BindingRow {
  readonly id: string;
  readonly state: string;
  readonly created_at: string;
  readonly task_name: string;
  readonly task_goal: string;
  readonly worker_name: string | null;
  readonly worker_state: string | null;
  readonly worker_tmux_session: string | null;
  readonly manager_name: string | null;
  readonly manager_state: string | null;
  readonly manager_tmux_session: string | null;
}

interface TelemetryRow {
  readonly id: string;
  readonly run_id: string | null;
  readonly task_id: string | null;
  readonly timestamp: string;
  readonly actor: string;
  readonly event_type: string;
  readonly severity: string;
  readonly summary: string;
  readonly correlation_json: string;
  readonly attributes_json: string;
}

export interface Found {
  readonly tasks: (Task & { budget: Budget | null })[];
  readonly sessions: Session[];
  readonly bindings: BindingRow[];
  readonly telemetry: Record<string, unknown>[];
}

/** Every blank-separated word as a quoted term of FTS5, so that no text is read as its query language. */
export const ftsTerms = (query: string): string =>
  query
    .split(/\s+/)
    .filter(Boolean)
    .map((term) => `"${term.replaceAll('"', '""')}"`)
    .join(" ");

const openBindings = (store: Store): BindingRow[] =>
  store.db
    .query<BindingRow, []>(
      `select b.id, b.state, b.created_at, t.name as task_name, t.goal as task_goal,
         w.name as worker_name, w.state as worker_state, w.tmux_session as worker_tmux_session,
         m.name as manager_name, m.state as manager_state, m.tmux_session as manager_tmux_session
       from bindings b join tasks t on t.id = b.task_id
       left join sessions w on w.id = b.worker_session_id left join sessions m on m.id = b.manager_session_id
       where b.state in ('active', 'ending') order by julianday(b.created_at) desc, b.rowid desc`,
    )
    .all();

/** Oldest first; all words must occur in summary or attributes, or the query is the event's type. */
function searchTelemetry(store: Store, query: string, limit: number): Record<string, unknown>[] {
  const rows = store.db
    .query<TelemetryRow, [string, string, number]>(
      `select e.* from telemetry_events e
       where e.id in (select event_id from telemetry_events_fts where telemetry_events_fts match ?1) or e.event_type = ?2
       order by julianday(e.timestamp), e.rowid limit ?3`,
    )
    .all(ftsTerms(query), query, limit);
  return rows.map(({ correlation_json, attributes_json, ...row }) => ({ ...row, correlation: parseStored(correlation_json, {}), attributes: parseStored(attributes_json, {}) }));
}

/** Case-insensitive substring search; an empty query finds everything but telemetry. At most `limit` of each kind. */
export function discover(store: Store, query: string, options: { all: boolean; limit: number }): Found {
  const wanted = query.toLowerCase();
  const fits = (...fields: (string | null)[]) => wanted === "" || fields.some((field) => field?.toLowerCase().includes(wanted));
  const states: readonly string[] = ACTIVE_TASK_STATES;
  return {
    tasks: listTasks(store).filter((task) => (options.all || states.includes(task.state)) && fits(task.name, task.goal, task.summary, task.state)).slice(0, options.limit),
    sessions: listSessions(store, { state: "all" })
      .filter((row) => (options.all || row.state === "active") && fits(row.name, row.role, row.state, row.cwd, row.tmux_session, row.codex_session_id))
      .slice(0, options.limit),
    bindings: openBindings(store).filter((row) => fits(row.task_name, row.task_goal, row.worker_name, row.manager_name, row.state)).slice(0, options.limit),
    telemetry: query === "" ? [] : searchTelemetry(store, query, options.limit),
  };
}

/** Names of the sessions that take part in an open binding. */
export const boundSessionNames = (store: Store): Set<string> => new Set(openBindings(store).flatMap((row) => [row.worker_name, row.manager_name].filter((name) => name !== null)));
