/** What happened in a task, of all kinds, newest first, page by page. */
import { type JsonObject, parseStored } from "../core/json.ts";
import { instant } from "../core/time.ts";
import type { Store } from "./store.ts";

export interface TimelineItem {
  /** `turn`, `cycle`, `delivery`, `command`, `decision` or `event`. */
  readonly kind: Kind;
  /** Number of its row, unique within the kind. */
  readonly row: number;
  readonly at: string;
  /** Subtype, state, decision or type. */
  readonly what: string;
  /** The session it is about, or null. */
  readonly who: string | null;
  readonly text: string | null;
  readonly correlation: string | null;
  readonly data: JsonObject;
}

type Row = Omit<TimelineItem, "kind" | "data"> & { readonly data_json: string | null };

const SOURCES = {
  turn: `select e.id as row, e.timestamp as at, e.subtype as what, s.name as who, json_extract(e.payload_json, '$.last_agent_message') as text, null as correlation,
      json_object('turn_id', json_extract(e.payload_json, '$.turn_id'), 'duration_ms', json_extract(e.payload_json, '$.duration_ms'), 'role', s.role) as data_json
    from bindings b join sessions s on s.id in (b.worker_session_id, b.manager_session_id) join codex_events e on e.session_id = s.id
    where b.task_id = ?1 and e.id < ?2 and e.subtype in ('task_started', 'task_complete', 'turn_aborted')
      and (e.subtype in ('task_started', 'user_message', 'task_complete', 'turn_aborted')
        or (e.subtype = 'item_completed' and json_extract(e.payload_json, '$.item.type') = 'UserMessage'))
      and julianday(e.timestamp) >= julianday(b.created_at) - 0.02 and (b.ended_at is null or julianday(e.timestamp) <= julianday(b.ended_at))
    group by e.id order by e.id desc limit ?3`,
  cycle: `select id as row, started_at as at, state as what, null as who, error as text, null as correlation,
      json_object('completed_at', completed_at, 'state', json_extract(status_json, '$.state'), 'pattern', json_extract(status_json, '$.notable_pane_pattern'),
        'consumed', json_extract(status_json, '$.consumed_dispatch_notifications')) as data_json
    from manager_cycles where task_id = ?1 and id < ?2 order by started_at desc, id desc limit ?3`,
  delivery: `select n.id as row, n.created_at as at, n.state as what, s.name as who, json_extract(n.payload_json, '$.message') as text, n.correlation_id as correlation,
      json_object('signal', n.signal_type, 'mode', n.delivery_mode, 'delivered_at', n.delivered_at, 'consumed_at', n.consumed_at, 'started', n.side_effect_started,
        'completed', n.side_effect_completed, 'error', n.error, 'from', f.name) as data_json
    from routed_notifications n join sessions s on s.id = n.target_session_id join sessions f on f.id = n.source_session_id
    where n.task_id = ?1 and n.id < ?2 order by n.id desc limit ?3`,
  command: `select rowid as row, created_at as at, state as what, null as who, coalesce(json_extract(payload_json, '$.message'), json_extract(payload_json, '$.text')) as text, correlation_id as correlation,
      json_object('type', type, 'error', error, 'attempts', attempts, 'updated_at', updated_at, 'id', id) as data_json
    from commands where task_id = ?1 and rowid < ?2 order by julianday(created_at) desc, rowid desc limit ?3`,
  decision: `select id as row, created_at as at, decision as what, null as who, reason as text, null as correlation, json_object('cycle', manager_cycle_id) as data_json
    from manager_decisions where task_id = ?1 and id < ?2 order by id desc limit ?3`,
  // What has rows of its own above, or is a step of a command that is listed, is not told twice.
  event: `select id as row, created_at as at, type as what, actor as who, null as text, correlation_id as correlation, payload_json as data_json
    from events where task_id = ?1 and id < ?2 and command_id is null and type not in ('manager_decision_recorded', 'manager_permission_checked') order by id desc limit ?3`,
} as const;

export type Kind = keyof typeof SOURCES;
const KINDS = Object.keys(SOURCES) as Kind[];

/** Where the next page begins: for every kind the row above which everything has been shown. */
export type Cursor = { readonly [K in Kind]?: number };

export interface TimelinePage {
  readonly items: TimelineItem[];
  /** Null when there is nothing older. */
  readonly next: Cursor | null;
}

/** @param before as `next` of the page above; absent: from the newest */
export function timeline(store: Store, taskId: string, limit: number, before: Cursor = {}): TimelinePage {
  const all = KINDS.flatMap((kind) =>
    store.db
      .query<Row, [string, number, number]>(SOURCES[kind])
      .all(taskId, before[kind] ?? Number.MAX_SAFE_INTEGER, limit + 1)
      .map(({ data_json, ...row }): TimelineItem => ({ kind, ...row, data: parseStored(data_json, {}) })),
  );
  all.sort((a, b) => (instant(b.at) ?? 0) - (instant(a.at) ?? 0) || (a.kind < b.kind ? -1 : a.kind > b.kind ? 1 : b.row - a.row));
  const items = all.slice(0, limit);
  const next = Object.fromEntries(KINDS.map((kind) => [kind, Math.min(before[kind] ?? Number.MAX_SAFE_INTEGER, ...items.filter((item) => item.kind === kind).map((item) => item.row))]));
  return { items, next: all.length > limit ? (next as Cursor) : null };
}
