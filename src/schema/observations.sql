-- What was seen of the parties: their own reports, their screens, their rollouts, and the cycles that looked.

create table if not exists statuses (
  id integer primary key autoincrement,
  worker_id text not null references workers (id),
  state text not null check (state in ('planning', 'editing', 'running_tests', 'blocked', 'waiting', 'done', 'unknown')),
  current_task text,
  next_action text,
  blocker text,
  created_at text not null
);

create table if not exists transcript_captures (
  id integer primary key autoincrement,
  worker_id text not null references workers (id),
  sha256 text not null,
  content text,
  captured_at text not null,
  changed_at text not null,
  history_lines integer not null,
  byte_count integer not null,
  line_count integer not null,
  capture_kind text not null check (capture_kind in ('latest', 'changed', 'metadata_only', 'archived')),
  retention_class text not null check (retention_class in ('hot', 'warm', 'archive'))
);

create table if not exists terminal_captures (
  id integer primary key autoincrement,
  task_id text not null references tasks (id),
  worker_id text references workers (id),
  manager_id text references managers (id),
  role text not null check (role in ('worker', 'manager')),
  tmux_session text not null,
  tmux_pane_id text,
  command_id text references commands (id),
  captured_at text not null,
  history_lines integer not null,
  content_sha256 text not null,
  content text,
  content_path text,
  byte_count integer not null,
  line_count integer not null,
  classifier_json text not null check (json_valid(classifier_json)),
  source text not null
);

create table if not exists transcript_segments (
  id integer primary key autoincrement,
  task_id text not null references tasks (id),
  role text not null check (role in ('worker', 'manager')),
  source_capture_id integer not null references terminal_captures (id),
  previous_capture_id integer references terminal_captures (id),
  captured_at text not null,
  content_sha256 text not null,
  segment_text text,
  segment_start_line integer,
  segment_end_line integer,
  byte_count integer not null,
  line_count integer not null,
  retention_class text not null check (retention_class in ('hot', 'warm', 'cold', 'redacted')),
  segment_kind text not null check (segment_kind in ('metadata', 'excerpt', 'snapshot', 'segment', 'reset')),
  redacted integer not null default 0 check (redacted in (0, 1)),
  created_at text not null
);

create table if not exists agent_observations (
  id integer primary key autoincrement,
  task_id text not null references tasks (id),
  worker_id text references workers (id),
  manager_id text references managers (id),
  role text not null check (role in ('worker', 'manager', 'workerctl')),
  observation_type text not null check (observation_type in ('status', 'error', 'decision', 'blocker', 'summary', 'command_output', 'health', 'capture')),
  severity text not null check (severity in ('info', 'warning', 'error')),
  source_capture_id integer references terminal_captures (id),
  command_id text references commands (id),
  created_at text not null,
  message text not null,
  payload_json text not null check (json_valid(payload_json))
);

create table if not exists codex_events (
  id integer primary key autoincrement,
  session_id text not null references sessions (id),
  timestamp text not null,
  type text not null,
  subtype text,
  payload_json text not null check (json_valid(payload_json)),
  byte_offset integer not null,
  ingested_at text not null
);

create table if not exists manager_cycles (
  id integer primary key autoincrement,
  task_id text not null references tasks (id),
  manager_id text references managers (id),
  started_at text not null,
  completed_at text,
  state text not null check (state in ('started', 'succeeded', 'failed')),
  health_observation_id integer references agent_observations (id),
  manager_capture_id integer references terminal_captures (id),
  worker_capture_id integer references terminal_captures (id),
  status_json text check (status_json is null or json_valid(status_json)),
  health_json text check (health_json is null or json_valid(health_json)),
  decision text,
  error text
);

create table if not exists manager_cycle_spans (
  id integer primary key autoincrement,
  manager_cycle_id integer not null references manager_cycles (id),
  task_id text not null references tasks (id),
  run_id text references runs (id),
  phase text not null,
  started_at text not null,
  completed_at text not null,
  duration_ms real not null check (duration_ms >= 0),
  state text not null check (state in ('succeeded', 'failed', 'degraded')),
  attributes_json text not null check (json_valid(attributes_json)),
  error_type text,
  manager_decision_id integer references manager_decisions (id),
  command_id text references commands (id)
);

create table if not exists manager_decisions (
  id integer primary key autoincrement,
  task_id text not null references tasks (id),
  manager_id text references managers (id),
  manager_cycle_id integer references manager_cycles (id),
  decision text not null check (decision in ('wait', 'nudge', 'interrupt', 'escalate', 'stop', 'inspect')),
  reason text not null,
  created_at text not null,
  payload_json text not null check (json_valid(payload_json))
);
