-- What is asked for and who works on it: tasks, the parties bound to them, and what they agreed on.

create table if not exists tasks (
  id text primary key,
  name text not null,
  goal text not null,
  summary text,
  state text not null check (state in ('candidate', 'managed', 'paused', 'done', 'failed')),
  created_at text not null,
  updated_at text not null
);

create table if not exists workers (
  id text primary key,
  name text not null unique,
  tmux_session text not null unique,
  tmux_pane_id text,
  identity_token text not null unique,
  cwd text not null,
  state text not null check (state in ('candidate', 'active', 'stopped', 'missing', 'failed')),
  created_at text not null,
  updated_at text not null,
  last_seen_at text,
  exit_detected_at text,
  exit_reason text
);

create table if not exists managers (
  id text primary key,
  name text not null unique,
  task_id text not null references tasks (id),
  tmux_session text not null unique,
  tmux_pane_id text,
  state text not null check (state in ('starting', 'ready', 'stopping', 'stopped', 'missing', 'failed')),
  codex_args_json text not null check (json_valid(codex_args_json)),
  started_at text not null,
  stopped_at text,
  last_seen_at text,
  last_capture_sha256 text,
  exit_detected_at text,
  exit_reason text
);

create table if not exists sessions (
  id text primary key,
  name text not null unique,
  role text not null check (role in ('worker', 'manager')),
  identity_token text not null unique,
  tmux_session text,
  tmux_pane_id text,
  codex_session_path text,
  codex_session_id text,
  pid integer,
  cwd text not null,
  registered_at text not null,
  last_heartbeat_at text,
  state text not null check (state in ('active', 'gone')),
  last_ingest_offset integer
);

create table if not exists bindings (
  id text primary key,
  task_id text not null references tasks (id),
  worker_id text references workers (id),
  manager_id text references managers (id),
  worker_session_id text references sessions (id),
  manager_session_id text references sessions (id),
  state text not null check (state in ('active', 'ending', 'ended', 'invalid')),
  created_at text not null,
  ended_at text
);

create table if not exists budgets (
  task_id text primary key references tasks (id),
  max_nudges integer not null check (max_nudges >= 0),
  nudges_used integer not null default 0 check (nudges_used >= 0),
  expires_at text not null,
  check (nudges_used <= max_nudges)
);

create table if not exists runs (
  id text primary key,
  task_id text not null references tasks (id),
  name text not null,
  purpose text,
  status text not null check (status in ('active', 'finished', 'failed', 'abandoned')),
  started_at text not null,
  ended_at text,
  metadata_json text not null check (json_valid(metadata_json))
);

create table if not exists manager_configs (
  task_id text primary key references tasks (id),
  supervision_mode text not null check (supervision_mode in ('light', 'guided', 'strict')),
  objective text,
  guidelines_json text not null check (json_valid(guidelines_json)),
  acceptance_criteria_json text not null check (json_valid(acceptance_criteria_json)),
  reference_paths_json text not null check (json_valid(reference_paths_json)),
  permissions_json text not null check (json_valid(permissions_json)),
  tools_json text not null default '[]' check (json_valid(tools_json)),
  epilogues_json text not null default '[]' check (json_valid(epilogues_json)),
  nudge_on_completion text not null default 'ask-operator' check (nudge_on_completion in ('off', 'ask-operator', 'auto-review', 'auto-proceed')),
  require_acks integer not null default 0 check (require_acks in (0, 1)),
  revision integer not null default 1 check (revision > 0),
  created_at text not null,
  updated_at text not null
);

create table if not exists acceptance_criteria (
  id integer primary key autoincrement,
  task_id text not null references tasks (id),
  criterion text not null,
  status text not null check (status in ('proposed', 'accepted', 'satisfied', 'deferred', 'rejected')),
  source text not null check (source in ('user_requested', 'manager_inferred', 'worker_proposed', 'final_audit')),
  proof text,
  rationale text,
  evidence_json text not null check (json_valid(evidence_json)),
  created_at text not null,
  updated_at text not null
);

create table if not exists prompts (
  id integer primary key autoincrement,
  task_id text references tasks (id),
  manager_id text references managers (id),
  kind text not null check (kind in ('manager', 'worker_contract', 'resume')),
  content text not null,
  content_sha256 text not null,
  generator_version text not null,
  source_snapshot_json text not null check (json_valid(source_snapshot_json)),
  policy_json text not null check (json_valid(policy_json)),
  artifact_path text,
  created_at text not null
);

create table if not exists worker_handoffs (
  id integer primary key autoincrement,
  task_id text not null references tasks (id),
  worker_session_id text references sessions (id),
  summary text not null,
  next_steps_json text not null check (json_valid(next_steps_json)),
  payload_json text not null check (json_valid(payload_json)),
  created_at text not null
);

create table if not exists task_acknowledgements (
  id integer primary key autoincrement,
  task_id text not null references tasks (id),
  binding_id text references bindings (id),
  role text not null check (role in ('worker', 'manager')),
  payload_json text not null check (json_valid(payload_json)),
  revision integer not null check (revision > 0),
  manager_config_revision integer check (manager_config_revision is null or manager_config_revision > 0),
  created_at text not null,
  correlation_id text
);

create table if not exists task_continuations (
  id integer primary key autoincrement,
  task_id text not null references tasks (id),
  proposer text not null check (proposer in ('worker', 'manager')),
  payload_json text not null check (json_valid(payload_json)),
  revision integer not null check (revision > 0),
  created_at text not null,
  correlation_id text not null
);

create table if not exists continuation_reviews (
  id integer primary key autoincrement,
  task_id text not null references tasks (id),
  worker_continuation_id integer not null references task_continuations (id),
  manager_continuation_id integer not null references task_continuations (id),
  agreement text not null check (agreement in ('match', 'compatible', 'divergent')),
  verdict text not null check (verdict in ('proceed', 'amend', 'stop')),
  addendum text,
  rationale text not null,
  subagent_run_json text not null check (json_valid(subagent_run_json)),
  created_at text not null,
  correlation_id text not null
);

create table if not exists epilogue_runs (
  id integer primary key autoincrement,
  task_id text not null references tasks (id),
  step_name text not null,
  state text not null check (state in ('pending', 'running', 'succeeded', 'failed', 'skipped')),
  started_at text not null,
  finished_at text,
  result_json text check (result_json is null or json_valid(result_json)),
  error text,
  correlation_id text
);
