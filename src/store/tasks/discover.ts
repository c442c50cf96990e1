/** What a search over tasks, sessions, bindings and telemetry finds. */
import type { Session } from "../../core/sessions/session.ts";
import { type Budget, type Task } from "../../core/tasks/task.ts";
import type { TelemetryEvent } from "../../core/telemetry.ts";
import { listSessions } from "../sessions/list.ts";
import type { Store } from "../store.ts";
import { listTasks } from "./tasks.ts";
import { listTelemetry } from "../reports/telemetry-list.ts";

interface BindingRow {
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

export interface Found {
  readonly tasks: (Task & { budget: Budget | null })[];
  readonly sessions: Session[];
  readonly bindings: BindingRow[];
  readonly telemetry: TelemetryEvent[];
}

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

/** Case-insensitive substring search; an empty query finds everything but telemetry. At most `limit` of each kind. */
export function discover(store: Store, query: string, options: { all: boolean; limit: number }): Found {
  const wanted = query.toLowerCase();
  const fits = (...fields: (string | null)[]) => wanted === "" || fields.some((field) => field?.toLowerCase().includes(wanted));
  return {
    tasks: listTasks(store, { active: !options.all })
      .filter((task) => fits(task.name, task.goal, task.summary, task.state))
      .slice(0, options.limit),
    sessions: listSessions(store, options.all ? { state: "all" } : { includeLegacy: true })
      .filter((row) => fits(row.name, row.role, row.state, row.cwd, row.tmux_session, row.codex_session_id))
      .slice(0, options.limit),
    bindings: openBindings(store)
      .filter((row) => fits(row.task_name, row.task_goal, row.worker_name, row.manager_name, row.state))
      .slice(0, options.limit),
    telemetry: query.trim() === "" ? [] : [...listTelemetry(store, { search: query }, { limit: options.limit })],
  };
}

/** Names of the sessions that take part in an open binding. */
export const boundSessionNames = (store: Store): Set<string> =>
  new Set(openBindings(store).flatMap((row) => [row.worker_name, row.manager_name].filter((name) => name !== null)));
