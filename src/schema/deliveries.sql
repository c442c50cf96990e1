-- What was sent to sessions, each sending once, and step by step how it went.
create table if not exists deliveries (
  id text primary key,
  origin text not null,
  session_id text,
  session_name text not null,
  task_id text,
  command_id text,
  notification_id integer,
  client_id text not null unique,
  transport text,
  state text not null check (state in ('sending', 'delivered', 'typed', 'pull_required', 'failed', 'unknown')),
  proof text not null check (proof in ('seen', 'pending', 'unavailable')),
  text_digest text not null,
  text_lines integer not null,
  text_length integer not null,
  thread_id text,
  rollout_path text,
  start_offset integer,
  looked_to integer,
  proof_offset integer,
  proof_line integer,
  side_effect_started integer not null check (side_effect_started in (0, 1)),
  side_effect_completed integer not null check (side_effect_completed in (0, 1)),
  sender_pid integer not null,
  error text,
  created_at text not null,
  finished_at text
) strict;
create unique index if not exists deliveries_one_proof_each on deliveries (rollout_path, proof_offset, proof_line) where
  proof_offset is not null;
create index if not exists deliveries_session on deliveries (session_id, created_at);
create index if not exists deliveries_task on deliveries (task_id, created_at);
create index if not exists deliveries_open on deliveries (session_id) where state in ('sending', 'typed', 'unknown');
create table if not exists delivery_steps (
  delivery_id text not null references deliveries (id),
  position integer not null,
  at text not null,
  step text not null,
  detail_json text not null check (json_valid(detail_json)),
  primary key (delivery_id, position)
) strict;
