/** What happened in a task, of all kinds, newest first, page by page. */
import { type JsonObject, parseStored } from "../../core/json.ts";
import { instant } from "../../core/time.ts";
import type { Store } from "../store.ts";

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
  cycle: `select id as row, started_at as at, state as what, null as who, error as text, null as correlation,
      json_object('completed_at', completed_at, 'state', json_extract(status_json, '$.state'), 'pattern', json_extract(status_json,
        '$.notable_pane_pattern'),
        'consumed', json_extract(status_json, '$.consumed_dispatch_notifications')) as data_json
    from manager_cycles where task_id = ?1 and id < ?2 order by started_at desc, id desc limit ?3`,
  delivery: `select n.id as row, n.created_at as at, n.state as what, s.name as who, json_extract(n.payload_json, '$.message') as text,
      n.correlation_id as correlation,
      json_object('signal', n.signal_type, 'mode', n.delivery_mode, 'delivered_at', n.delivered_at, 'consumed_at', n.consumed_at,
        'started', n.side_effect_started, 'completed', n.side_effect_completed, 'error', n.error, 'from', f.name) as data_json
    from routed_notifications n join sessions s on s.id = n.target_session_id join sessions f on f.id = n.source_session_id
    where n.task_id = ?1 and n.id < ?2 order by n.id desc limit ?3`,
  command: `select rowid as row, created_at as at, state as what, null as who,
      coalesce(json_extract(payload_json, '$.message'), json_extract(payload_json, '$.text')) as text, correlation_id as correlation,
      json_object('type', type, 'error', error, 'attempts', attempts, 'updated_at', updated_at, 'id', id) as data_json
    from commands where task_id = ?1 and rowid < ?2 order by julianday(created_at) desc, rowid desc limit ?3`,
  decision: `select id as row, created_at as at, decision as what, null as who, reason as text, null as correlation,
      json_object('cycle', manager_cycle_id) as data_json
    from manager_decisions where task_id = ?1 and id < ?2 order by id desc limit ?3`,
  // What has rows of its own above, or is a step of a command that is listed, is not told twice.
  event: `select id as row, created_at as at, type as what, actor as who, null as text, correlation_id as correlation,
      payload_json as data_json
    from events where task_id = ?1 and id < ?2 and command_id is null and type not in ('manager_decision_recorded',
      'manager_permission_checked') order by id desc limit ?3`,
} as const;

type Kind = keyof typeof SOURCES | "turn";
const KINDS: readonly Kind[] = ["turn", ...(Object.keys(SOURCES) as (keyof typeof SOURCES)[])];

interface Stay {
  readonly session_id: string;
  readonly name: string;
  readonly role: string;
  readonly begun: string;
  readonly ended: string | null;
}

/** Which sessions worked on the task, and when; a pair begins a little before it is bound. */
const stays = (store: Store, taskId: string): Stay[] =>
  store.db
    .query<Stay, [string]>(
      `select s.id as session_id, s.name, s.role, b.created_at as begun, b.ended_at as ended from bindings b
       join sessions s on s.id in (b.worker_session_id, b.manager_session_id)
       where b.task_id = ? order by b.created_at desc limit 40`,
    )
    .all(taskId);

/**
 * The turns of one stay, newest first. The long condition is that of the index `codex_events_turns`, so that no more is read than shown.
 */
const turnsOf = (store: Store, stay: Stay, below: number, limit: number): Row[] =>
  store.db
    .query<Row, [string, string, string, number, string, string | null, number]>(
      `select id as row, timestamp as at, subtype as what, ?1 as who, json_extract(payload_json, '$.last_agent_message') as text,
         null as correlation,
         json_object('turn_id', json_extract(payload_json, '$.turn_id'), 'duration_ms', json_extract(payload_json, '$.duration_ms'),
           'role', ?2, 'error', coalesce(json_extract(payload_json, '$.error.message'),
             json_extract(payload_json, '$.error'))) as data_json
       from codex_events where session_id = ?3 and id < ?4 and subtype in ('task_started', 'task_complete', 'turn_aborted')
         and (subtype in ('task_started', 'user_message', 'task_complete', 'turn_aborted')
           or (subtype = 'item_completed' and json_extract(payload_json, '$.item.type') = 'UserMessage'))
         and julianday(timestamp) >= julianday(?5) - 0.02 and (?6 is null or julianday(timestamp) <= julianday(?6)) order by id desc limit
           ?7`,
    )
    .all(stay.name, stay.role, stay.session_id, below, stay.begun, stay.ended, limit);

function rowsOf(store: Store, kind: Kind, taskId: string, below: number, limit: number): Row[] {
  if (kind !== "turn") return store.db.query<Row, [string, number, number]>(SOURCES[kind]).all(taskId, below, limit);
  const all = stays(store, taskId).flatMap((stay) => turnsOf(store, stay, below, limit));
  // A session that was bound twice to the task may show a turn in both stays.
  return [...new Map(all.map((row) => [row.row, row])).values()].sort((a, b) => b.row - a.row).slice(0, limit);
}

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
    rowsOf(store, kind, taskId, before[kind] ?? Number.MAX_SAFE_INTEGER, limit + 1).map(({ data_json, ...row }): TimelineItem => ({
      kind,
      ...row,
      data: parseStored(data_json, {}),
    })),
  );
  all.sort((a, b) => (instant(b.at) ?? 0) - (instant(a.at) ?? 0) || (a.kind < b.kind ? -1 : a.kind > b.kind ? 1 : b.row - a.row));
  const items = all.slice(0, limit);
  // A kind of which nothing was shown yet goes on at its newest row of now: what comes in later belongs above this page.
  const next = Object.fromEntries(
    KINDS.map((kind) => {
      const shown = items.filter((item) => item.kind === kind).map((item) => item.row);
      const found = all.filter((item) => item.kind === kind).map((item) => item.row);
      return [kind, shown.length > 0 ? Math.min(...shown) : found.length > 0 ? Math.max(...found) + 1 : 0];
    }),
  );
  return { items, next: all.length > limit ? (next as Cursor) : null };
}
