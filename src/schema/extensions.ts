/** What this tool adds to a file of version 22: STRICT tables and indexes of its own, numbered apart from `user_version`. */
import type { Database } from "bun:sqlite";
import attention from "./attention.sql" with { type: "text" };
import budgets from "./budgets.sql" with { type: "text" };
import chain from "./chain.sql" with { type: "text" };
import dashboard from "./dashboard.sql" with { type: "text" };
import deliveries from "./deliveries.sql" with { type: "text" };
import limits from "./limits.sql" with { type: "text" };
import moves from "./moves.sql" with { type: "text" };
import notices from "./notices.sql" with { type: "text" };
import protocol from "./protocol.sql" with { type: "text" };
import reports from "./reports.sql" with { type: "text" };
import worktrees from "./worktrees.sql" with { type: "text" };

export interface Extension {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

/** Applied in this order, each once. To add one, append an entry with the next number; never change one that was released. */
export const extensions: readonly Extension[] = [
  {
    version: 1,
    name: "lookup-indexes",
    sql: `
      create index if not exists tasks_name on tasks (name, created_at);
      create index if not exists bindings_task_created on bindings (task_id, created_at);
      create index if not exists manager_cycles_task_started on manager_cycles (task_id, started_at);
      create index if not exists manager_decisions_task on manager_decisions (task_id, id);
      create index if not exists commands_pending on commands (created_at, id) where state = 'pending';
      create index if not exists codex_events_completions on codex_events (session_id, id) where subtype = 'task_complete';
      create index if not exists codex_events_offset on codex_events (session_id, byte_offset);
      create index if not exists routed_notifications_task on routed_notifications (task_id, id);
      create index if not exists routed_notifications_open_inbox on routed_notifications (target_session_id, created_at, id)
        where state = 'delivered' and consumed_at is null;
    `,
  },
  {
    version: 2,
    name: "rollout-reading",
    sql: `
      create index if not exists codex_events_turns on codex_events (session_id, id)
        where subtype in ('task_started', 'user_message', 'task_complete', 'turn_aborted')
          or (subtype = 'item_completed' and json_extract(payload_json, '$.item.type') = 'UserMessage');
      create index if not exists manager_cycles_flagged on manager_cycles (task_id, id) where json_extract(status_json,
        '$.notable_pane_pattern') is not null;
      create table if not exists token_marks (
        session_id text primary key,
        input_tokens integer not null,
        cached_input_tokens integer not null,
        output_tokens integer not null,
        reasoning_output_tokens integer not null,
        total_tokens integer not null
      ) strict;
      create table if not exists token_totals (
        session_id text not null,
        task_id text not null default '',
        input_tokens integer not null,
        cached_input_tokens integer not null,
        output_tokens integer not null,
        reasoning_output_tokens integer not null,
        total_tokens integer not null,
        updated_at text not null,
        primary key (session_id, task_id)
      ) strict;
      create table if not exists unknown_records (
        kind text primary key,
        count integer not null,
        first_seen_at text not null,
        last_seen_at text not null,
        session_id text not null,
        byte_offset integer not null,
        cli_version text
      ) strict;
    `,
  },
  {
    version: 3,
    name: "dispatchers",
    sql: `
      create index if not exists commands_queue on commands (julianday(created_at)) where state = 'pending';
      create table if not exists dispatchers (
        dispatcher_id text not null,
        host text not null,
        pid integer not null,
        process_started_at text,
        started_at text not null,
        last_seen_at text not null,
        ended_at text,
        dry_run integer not null,
        only_type text,
        interval_seconds real not null,
        iterations integer not null,
        processed_count integer not null,
        last_error text,
        primary key (dispatcher_id, host, pid)
      ) strict;
    `,
  },
  { version: 4, name: "reports", sql: reports },
  { version: 5, name: "deliveries", sql: deliveries },
  {
    version: 6,
    name: "evidence-runs",
    sql: `
      create table if not exists evidence_runs (
        id text primary key,
        task_id text not null,
        criterion_id integer not null,
        loop_run_id text,
        iteration integer,
        evidence_type text,
        command_json text not null check (json_valid(command_json)),
        folder text not null,
        git_head text,
        git_dirty integer check (git_dirty in (0, 1)),
        diff_sha256 text,
        tree_changed integer not null check (tree_changed in (0, 1)),
        started_at text not null,
        duration_ms real not null,
        exit_code integer,
        signal text,
        timed_out integer not null check (timed_out in (0, 1)),
        output_bytes integer not null,
        output_sha256 text not null,
        output_tail text not null
      ) strict;
      create index if not exists evidence_runs_task on evidence_runs (task_id, criterion_id);
    `,
  },
  { version: 7, name: "dashboard", sql: dashboard },
  {
    version: 8,
    name: "dispatch-lookups",
    sql: `
      create index if not exists routed_notifications_command on routed_notifications (command_id) where command_id is not null;
      create index if not exists deliveries_notification on deliveries (notification_id) where notification_id is not null;
      create table if not exists inbox_polls (session_id text primary key, until text not null) strict;
    `,
  },
  { version: 9, name: "audit-chain", sql: chain },
  {
    version: 10,
    name: "report-lookups",
    // Conditions are written so that only the partial index meets them: by the bare column SQLite would take a wider index and sort all it
    // finds.
    sql: `
      drop index if exists telemetry_events_task_type;
      create index if not exists telemetry_events_task_type_at on telemetry_events (task_id, event_type, julianday(timestamp));
      drop index if exists commands_failed;
      create index if not exists commands_failed_at on commands (julianday(updated_at), id, task_id, state) where iif(state = 'failed', 1,
        0);
      drop index if exists telemetry_events_skipped_lines;
      create index if not exists telemetry_events_skipped_at on telemetry_events (julianday(timestamp), task_id) where
        json_extract(attributes_json, '$.skipped_lines') > 0;
      create index if not exists telemetry_totals_run on telemetry_totals (run_id) where run_id <> '';
      create index if not exists manager_cycles_blind_at on manager_cycles (julianday(coalesce(completed_at, started_at)), id)
        where json_extract(status_json, '$.pane_signal.captured') = 0;
      create table if not exists criteria_totals (status text primary key, count integer not null) strict;
      insert into criteria_totals select status, count(*) from acceptance_criteria group by status;
      create trigger if not exists criteria_totals_insert after insert on acceptance_criteria
      begin
        insert into criteria_totals values (new.status, 1) on conflict do update set count = count + 1;
      end;
      create trigger if not exists criteria_totals_delete after delete on acceptance_criteria
      begin
        update criteria_totals set count = count - 1 where status = old.status;
      end;
      create trigger if not exists criteria_totals_update after update of status on acceptance_criteria
      begin
        update criteria_totals set count = count - 1 where status = old.status;
        insert into criteria_totals values (new.status, 1) on conflict do update set count = count + 1;
      end;
    `,
  },
  {
    version: 11,
    name: "message-claims",
    sql: `
      create table if not exists message_claims (
        message text primary key,
        claimed_at text not null,
        world text not null,
        pid integer not null,
        born text not null
      ) strict;
    `,
  },
  {
    version: 12,
    name: "session-agents",
    // The id is that of a session or of a file-backed worker.
    sql: `
      create table if not exists session_agents (
        session_id text primary key,
        agent text not null,
        version text,
        argv_json text check (argv_json is null or json_valid(argv_json)),
        home text,
        model text,
        effort text,
        permissions_json text check (permissions_json is null or json_valid(permissions_json)),
        launch text not null,
        recorded_at text not null
      ) strict;
    `,
  },
  {
    version: 13,
    name: "unfinished-starts",
    // A row lives from before the terminal does until the command that starts it has done all it was asked.
    sql: `
      create table if not exists unfinished_starts (
        name text primary key,
        mark text not null unique,
        role text not null,
        tmux_session text not null,
        request_sha256 text not null,
        prompt_sha256 text not null,
        began_at text not null,
        session_id text,
        world text,
        pid integer,
        born text
      ) strict;
    `,
  },
  { version: 14, name: "protocol", sql: protocol },
  { version: 15, name: "moves", sql: moves },
  {
    version: 16,
    name: "broken-turns",
    sql: `
      -- Turns that stand open in their record and have ended: their server died in the middle of them, and what took its place goes on
      -- without. The newest one of each session, by its record in codex_events.
      create table if not exists broken_turns (
        session_id text primary key,
        event_id integer not null
      ) strict;
    `,
  },
  { version: 17, name: "attention", sql: attention },
  { version: 18, name: "limits", sql: limits },
  { version: 19, name: "budgets", sql: budgets },
  { version: 20, name: "notices", sql: notices },
  {
    version: 21,
    name: "dispatch-stops",
    // A watch is asked to end by a row: a second signal would end it in mid-sending.
    sql: `
      create table if not exists dispatch_stops (
        dispatcher_id text not null,
        host text not null,
        pid integer not null,
        asked_at text not null,
        primary key (dispatcher_id, host, pid)
      ) strict;
    `,
  },
  { version: 22, name: "worktrees", sql: worktrees },
  {
    version: 23,
    name: "digests",
    // What one sending tells of besides the notification in its own row. Written before that row, in the same transaction.
    sql: `
      create table if not exists digest_messages (
        delivery_id text not null references deliveries (id) deferrable initially deferred,
        position integer not null, notification_id integer not null, primary key (delivery_id, position)
      ) strict;
      create index if not exists digest_messages_notification on digest_messages (notification_id);
    `,
  },
];

const recorded = (db: Database): Set<number> | null => {
  if (db.query("select 1 from sqlite_master where type = 'table' and name = 'extension_migrations'").get() === null) return null;
  const rows = db.query<{ version: number }, []>("select version from extension_migrations").all();
  return new Set(rows.map((row) => row.version));
};

const missing = (db: Database, known: readonly Extension[]): Extension[] => {
  const done = recorded(db);
  return done === null ? [...known] : known.filter((extension) => !done.has(extension.version));
};

/** Does the file lack one of `known`? A file of a newer conveyor may record more than we know; that is left alone. */
export const lacksExtensions = (db: Database, known: readonly Extension[]): boolean => missing(db, known).length > 0;

/** Applies what is missing, inside the transaction of the caller. */
export function applyExtensions(db: Database, known: readonly Extension[], now: string): void {
  db.run(
    "create table if not exists extension_migrations (version integer primary key, name text not null, applied_at text not null) strict",
  );
  const record = db.query("insert into extension_migrations (version, name, applied_at) values (?, ?, ?)");
  for (const extension of missing(db, known)) {
    db.run(extension.sql);
    record.run(extension.version, extension.name, now);
  }
}
