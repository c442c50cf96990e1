-- What was ordered, sent and done, the log of it all, and which migrations the file has been through.

create table if not exists commands (
  id text primary key,
  idempotency_key text not null unique,
  created_at text not null,
  updated_at text not null,
  task_id text references tasks (id),
  worker_id text references workers (id),
  manager_id text references managers (id),
  correlation_id text,
  type text not null,
  state text not null check (state in ('pending', 'attempted', 'succeeded', 'failed', 'blocked')),
  available_at text,
  claimed_by text,
  claimed_at text,
  claim_expires_at text,
  attempts integer not null default 0 check (attempts >= 0),
  max_attempts integer not null default 1 check (max_attempts > 0),
  required_permission text,
  payload_json text not null check (json_valid(payload_json)),
  result_json text check (result_json is null or json_valid(result_json)),
  error text
);

create table if not exists command_attempts (
  id integer primary key autoincrement,
  command_id text not null references commands (id),
  correlation_id text not null,
  dispatcher_id text not null,
  started_at text not null,
  finished_at text,
  state text not null check (state in ('running', 'succeeded', 'failed', 'abandoned', 'blocked')),
  result_json text check (result_json is null or json_valid(result_json)),
  error text,
  side_effect_started integer not null default 0 check (side_effect_started in (0, 1)),
  side_effect_completed integer not null default 0 check (side_effect_completed in (0, 1))
);

create table if not exists routed_notifications (
  id integer primary key autoincrement,
  task_id text not null references tasks (id),
  binding_id text not null references bindings (id),
  correlation_id text not null,
  source_session_id text not null references sessions (id),
  target_session_id text not null references sessions (id),
  signal_type text not null,
  source_event_id integer references codex_events (id),
  source_event_timestamp text,
  dedupe_key text not null unique,
  command_id text references commands (id),
  created_at text not null,
  delivered_at text,
  consumed_manager_cycle_id integer references manager_cycles (id),
  consumed_by_session_id text references sessions (id),
  consumed_at text,
  delivery_mode text not null default 'push' check (delivery_mode in ('push', 'pull_required')),
  state text not null check (state in ('pending', 'delivered', 'failed', 'suppressed')),
  claimed_by text,
  claimed_at text,
  claim_expires_at text,
  side_effect_started integer not null default 0 check (side_effect_started in (0, 1)),
  side_effect_completed integer not null default 0 check (side_effect_completed in (0, 1)),
  payload_json text not null check (json_valid(payload_json)),
  error text
);

create table if not exists events (
  id integer primary key autoincrement,
  created_at text not null,
  actor text not null,
  command_id text references commands (id),
  correlation_id text,
  task_id text references tasks (id),
  worker_id text references workers (id),
  manager_id text references managers (id),
  type text not null,
  payload_json text not null check (json_valid(payload_json))
);

create table if not exists telemetry_events (
  id text primary key,
  run_id text references runs (id),
  task_id text references tasks (id),
  timestamp text not null,
  actor text not null check (actor in ('dispatch', 'manager', 'worker', 'operator', 'workerctl', 'system')),
  event_type text not null,
  severity text not null check (severity in ('debug', 'info', 'warning', 'error')),
  summary text not null,
  correlation_json text not null check (json_valid(correlation_json)),
  attributes_json text not null check (json_valid(attributes_json))
);

create virtual table if not exists telemetry_events_fts using fts5 (
  event_id unindexed,
  task_id unindexed,
  run_id unindexed,
  actor unindexed,
  event_type unindexed,
  summary,
  attributes
);

create table if not exists schema_migrations (
  version integer primary key,
  applied_at text not null
);

create table if not exists data_migrations (
  name text primary key,
  source_path text not null,
  source_hash text not null,
  applied_at text not null
);
