/** The entries of a replay: an outline of all tables in the order of time, each row read when its turn comes. */
import * as entries from "../../core/audit/replay-entries.ts";
import { TOLD } from "../../core/audit/told-events.ts";
import { COMMAND_ACTORS, type Entry, type ReplayFormat, type ReplayRole, seesManagement, type Source } from "../../core/audit/replay.ts";
import { type Row, type Shown, shown } from "../../core/row.ts";
import { commandChain, notificationChain } from "./correlation.ts";
import { rows } from "../reading.ts";
import type { Store } from "../store.ts";

export interface ReplayFilter {
  readonly format: ReplayFormat;
  readonly role: ReplayRole;
}

interface Head {
  readonly source: Source;
  readonly key: number | string;
  readonly command: 0 | 1;
}

/** A text of digits sorts as the number it is; other texts come after all numbers. */
const numeric = (id: string) => `case when ${id} <> '' and ${id} not glob '*[^0-9]*' then cast(${id} as integer) else ${id} end`;

/** The name under which the rows of an arm go that are told. */
const rowOf = (from: string): string => (from.includes(" join ") ? "a" : from.split(" ").at(-1)!);

interface Arm {
  readonly source: Source;
  readonly from: string;
  readonly time: string;
  readonly where?: string;
  readonly id?: string;
  readonly key?: string;
  /** The key is that of a command. */
  readonly command?: boolean;
}

const quoted = (names: readonly string[]) => names.map((name) => `'${name}'`).join(", ");
const TOLD_EVENTS = `type in (${quoted(["acceptance_criterion_added", "acceptance_criterion_updated", ...Object.keys(TOLD)])})`;
const TO_WORKER = quoted(Object.keys(COMMAND_ACTORS).filter((type) => COMMAND_ACTORS[type] === "manager -> worker"));

function commandArm(role: ReplayRole): Arm[] {
  const arm = { source: "commands", from: "commands", time: "created_at", id: numeric("id") } as const;
  if (role === "reviewer") return [];
  if (role === "worker") return [{ ...arm, where: `type in (${TO_WORKER})` }];
  return [role === "workerctl" ? { ...arm, where: `type not in (${quoted(Object.keys(COMMAND_ACTORS))})` } : arm];
}

/** The tables that this format and role show, and of them which rows. */
function arms({ format, role }: ReplayFilter): Arm[] {
  const party = (column: string) => (role === "all" ? {} : { where: `${column} = '${role}'` });
  const management = seesManagement(role);
  const managing: Arm[] = [
    {
      source: "command_attempts",
      from: "commands c join command_attempts a on a.command_id = c.id",
      time: "a.started_at",
      id: "a.id",
      key: "a.id",
    },
    { source: "routed_notifications", from: "routed_notifications", time: "coalesce(delivered_at, created_at)" },
    { source: "correlation_chains", from: "commands", time: "created_at", id: numeric("id"), command: true },
    {
      source: "correlation_chains",
      from: "routed_notifications",
      time: "created_at",
      where: "command_id is null",
      id: numeric("correlation_id"),
      key: "id",
    },
    { source: "manager_decisions", from: "manager_decisions", time: "created_at" },
    { source: "events", from: "events", time: "created_at", where: TOLD_EVENTS },
  ];
  const observing: Arm[] = [
    { source: "manager_cycles", from: "manager_cycles", time: "coalesce(completed_at, started_at)" },
    { source: "manager_cycle_spans", from: "manager_cycle_spans", time: "coalesce(completed_at, started_at)" },
  ];
  // A screen that did not change is told once.
  const first =
    "not exists (select 1 from terminal_captures p where p.task_id = t.task_id and " +
    "p.role = t.role and p.content_sha256 = t.content_sha256 and p.id < t.id)";
  const capture = party("t.role").where;
  return [
    ...commandArm(role),
    ...(management ? managing : []),
    ...(management && format !== "compact" ? observing : []),
    { source: "task_acknowledgements", from: "task_acknowledgements", time: "created_at", ...party("role") },
    { source: "task_continuations", from: "task_continuations", time: "created_at", ...party("proposer") },
    ...(role === "worker" ? [] : [{ source: "continuation_reviews", from: "continuation_reviews", time: "created_at" } as const]),
    ...(management || role === "workerctl"
      ? [{ source: "epilogue_runs", from: "epilogue_runs", time: "coalesce(finished_at, started_at)" } as const]
      : []),
    ...(format === "transcript"
      ? [
          {
            source: "terminal_captures",
            from: "terminal_captures t",
            time: "captured_at",
            where: capture ? `${first} and ${capture}` : first,
          } as const,
        ]
      : []),
    ...(format === "full-transcript"
      ? [{ source: "transcript_segments", from: "transcript_segments", time: "captured_at", ...party("role") } as const]
      : []),
  ];
}

/** The last row of each table that has been told. */
export type Marks = Readonly<Partial<Record<Source, number>>>;

/** Every arm is walked along an index by instant, and SQLite merges them: nothing is sorted as a whole. */
function outline(filter: ReplayFilter, way: "asc" | "desc", after: Marks): string {
  const selects = arms(filter).map(({ source, from, time, where, id = "id", key = "id", command }) => {
    const mark = after[source] === undefined ? "" : ` and ${rowOf(from)}.rowid > ${after[source]}`;
    return `select julianday(${time}) as at, '${source}' as source, ${id} as id, ${key} as key, ${command ? 1 : 0} as command from ${from} where task_id = ?1${where ? ` and ${where}` : ""}${mark}`;
  });
  return `${selects.join("\nunion all ")}\norder by 1 ${way}, 2 ${way}, 3 ${way}`;
}

const NOTIFICATION = `select n.*, s.name as source_session_name, t.name as target_session_name, c.name as consumed_by_session_name
  from routed_notifications n
  left join sessions s on s.id = n.source_session_id left join sessions t on t.id = n.target_session_id left join sessions c on c.id =
    n.consumed_by_session_id where n.id = ?`;

const TELLERS: Readonly<Partial<Record<Source, (row: Shown) => Entry>>> = {
  command_attempts: entries.attemptEntry,
  commands: entries.commandEntry,
  continuation_reviews: entries.reviewEntry,
  epilogue_runs: entries.epilogueEntry,
  events: entries.eventEntry,
  manager_cycle_spans: entries.spanEntry,
  manager_cycles: entries.observationEntry,
  manager_decisions: entries.decisionEntry,
  routed_notifications: entries.notificationEntry,
  task_acknowledgements: entries.acknowledgementEntry,
  task_continuations: entries.continuationEntry,
  terminal_captures: entries.captureEntry,
  transcript_segments: entries.segmentEntry,
};

/** An entry and the row it tells of; a chain has none. */
interface Told {
  readonly entry: Entry;
  readonly row: Shown | null;
}

function tell(store: Store, { source, key, command }: Head): Told | null {
  if (source === "correlation_chains") {
    const chain = command ? commandChain(store, String(key)) : notificationChain(store, Number(key));
    return chain && { entry: entries.chainEntry(chain), row: null };
  }
  const sql = source === "routed_notifications" ? NOTIFICATION : `select * from ${source} where id = ?`;
  const stored = store.db.query<Row, [number | string]>(sql).get(key);
  const row = stored && shown(stored);
  return row && { entry: TELLERS[source]!(row), row };
}

/** The entries of the task with their rows, from the first to the last (or back), one by one. */
export function* replayRows(
  store: Store,
  taskId: string,
  filter: ReplayFilter,
  way: "asc" | "desc" = "asc",
  after: Marks = {},
): Generator<Told> {
  for (const head of rows<Head>(store, outline(filter, way, after), taskId)) {
    const told = tell(store, head);
    if (told !== null) yield told;
  }
}

/** The entries of the task, from the first to the last. */
export function* replayEntries(store: Store, taskId: string, filter: ReplayFilter): Generator<Entry> {
  for (const { entry } of replayRows(store, taskId, filter)) yield entry;
}

/** The last `limit` entries with their rows, in the order of time. */
export function lastRows(store: Store, taskId: string, filter: ReplayFilter, limit: number): Told[] {
  const last: Told[] = [];
  if (limit > 0) {
    for (const told of replayRows(store, taskId, filter, "desc")) {
      last.push(told);
      if (last.length === limit) break;
    }
  }
  return last.reverse();
}

/** Where each table ends now. Chains are told with their commands and notifications, and not again. */
export function marksNow(store: Store): Marks {
  const last = (table: string) => store.db.query<{ last: number | null }, []>(`select max(rowid) as last from ${table}`).get()!.last ?? 0;
  return { ...Object.fromEntries(Object.keys(TELLERS).map((table) => [table, last(table)])), correlation_chains: Number.MAX_SAFE_INTEGER };
}

/** An entry again, as it is told now; null when its row is gone. */
export function tellAgain(store: Store, { source, source_id }: Entry): Entry | null {
  return source_id === null ? null : (tell(store, { source, key: source_id, command: 0 })?.entry ?? null);
}

/** The last command that finished the task, or null. */
export function lastFinish(store: Store, taskId: string): Entry | null {
  const row = store.db
    .query<Row, [string]>(
      "select * from commands where task_id = ? and type = 'finish_task' order by julianday(created_at) desc, id desc limit 1",
    )
    .get(taskId);
  return row && entries.commandEntry(shown(row));
}
