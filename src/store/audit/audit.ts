/** Everything that the tables know of one task, table by table. */
import { type Row, type Shown, shown, withoutText } from "../../core/row.ts";
import { rows } from "../reading.ts";
import type { Store } from "../store.ts";

/** Rows of a table that know their task, under the key they have in the audit. Instants are compared, not their texts. */
const QUERIES = {
  acceptance_criteria: "select * from acceptance_criteria where task_id = ? order by id",
  agent_observations: "select * from agent_observations where task_id = ? order by id",
  command_attempts: `select a.* from commands c join command_attempts a on a.command_id = c.id
    where c.task_id = ? order by julianday(a.started_at), a.id`,
  commands: "select * from commands where task_id = ? order by julianday(created_at), id",
  continuation_reviews: "select * from continuation_reviews where task_id = ? order by id",
  epilogue_runs: "select * from epilogue_runs where task_id = ? order by id",
  events: "select * from events where task_id = ? order by id",
  manager_cycle_spans: "select * from manager_cycle_spans where task_id = ? order by manager_cycle_id, id",
  manager_cycles: "select * from manager_cycles where task_id = ? order by id",
  manager_decisions: "select * from manager_decisions where task_id = ? order by id",
  routed_notifications: `select n.*, s.name as source_session_name, s.role as source_session_role, t.name as target_session_name, t.role as target_session_role,
      c.name as consumed_by_session_name, c.role as consumed_by_session_role
    from routed_notifications n left join sessions s on s.id = n.source_session_id left join sessions t on t.id = n.target_session_id
      left join sessions c on c.id = n.consumed_by_session_id
    where n.task_id = ? order by julianday(n.created_at), n.id`,
  session_nudges: `select * from telemetry_events where task_id = ? and event_type in ('session_nudge_failed', 'session_nudge_succeeded')
    order by julianday(timestamp), rowid`,
  task_acknowledgements: "select * from task_acknowledgements where task_id = ? order by julianday(created_at), id",
  task_continuations: "select * from task_continuations where task_id = ? order by id",
  terminal_captures: "select * from terminal_captures where task_id = ? order by id",
  transcript_segments: "select * from transcript_segments where task_id = ? order by id",
} as const;

type AuditKey = keyof typeof QUERIES;
export const AUDIT_KEYS = Object.keys(QUERIES) as readonly AuditKey[];

/** Columns that hold what stood on a screen: shown only when asked for. */
const SCREEN_TEXT: Partial<Record<AuditKey, string>> = { terminal_captures: "content", transcript_segments: "segment_text" };

/** The task's rows of one table, in their order. Without `content`, texts of screens are replaced by their sizes. */
export function* auditRows(store: Store, key: AuditKey, taskId: string, content: boolean): Generator<Shown> {
  const text = content ? undefined : SCREEN_TEXT[key];
  for (const row of rows<Row>(store, QUERIES[key], taskId)) yield text === undefined ? shown(row) : withoutText(shown(row), text);
}

/** Workers that were bound to the task: by themselves, or as the session of the same name, whose screens `capture` keeps under it. */
export const boundWorkers = (store: Store, taskId: string): string[] =>
  store.db
    .query<{ id: string }, [string]>(
      `select worker_id as id from bindings where task_id = ?1 and worker_id is not null
       union select w.id from bindings b join sessions s on s.id = b.worker_session_id join workers w on w.name = s.name where b.task_id =
         ?1`,
    )
    .all(taskId)
    .map(({ id }) => id);

/** Screens kept by `capture` of workers that were bound to the task, each once. Without `content`, texts are replaced by their sizes. */
export function* transcriptCaptures(store: Store, taskId: string, content: boolean): Generator<Shown> {
  const workers = JSON.stringify(boundWorkers(store, taskId));
  for (const row of rows<Row>(
    store,
    "select * from transcript_captures where worker_id in (select value from json_each(?)) order by id",
    workers,
  )) {
    yield content ? shown(row) : withoutText(shown(row), "content");
  }
}

/** Prompts made for the task. */
export function* prompts(store: Store, taskId: string): Generator<Shown> {
  const sql = `select id, kind, content, content_sha256, generator_version, source_snapshot_json, policy_json, artifact_path, created_at
    from prompts where task_id = ? order by id`;
  for (const row of rows<Row>(store, sql, taskId)) yield shown(row);
}
