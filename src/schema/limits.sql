-- How much of its limits an account has used, as its sessions were told: one row for each window. An account is an agent and its home.
create table if not exists account_limits (
  agent text not null,
  home text not null,
  limit_id text not null,
  window text not null,
  used_percent real not null,
  window_minutes real,
  resets_at text,
  told_at text not null,
  session_id text not null,
  primary key (agent, home, limit_id, window)
) strict;

-- Messages of Dispatch that wait for a limit or a budget of their receiver: a command by its id, the end of a turn by that of its
-- notification. `until` null: until somebody does something about it.
create table if not exists parked_messages (
  message text primary key,
  session_id text not null,
  task_id text not null,
  reason text not null check (reason in ('limit', 'budget')),
  until text,
  parked_at text not null
) strict;

-- Turns that died of a limit and are gone on with, each once: claimed before anything is said. How that went stands in `deliveries`; the
-- claim of a process that died tells nothing, and is not taken up.
create table if not exists limit_resumes (
  session_id text not null,
  event_id integer not null,
  task_id text not null,
  agent text not null,
  home text not null,
  claimed_at text not null,
  world text,
  pid integer,
  born text,
  state text not null check (state in ('claimed', 'said', 'unknown')),
  delivery_id text,
  ended_at text,
  primary key (session_id, event_id)
) strict;
create index if not exists limit_resumes_account on limit_resumes (agent, home, claimed_at);
create index if not exists limit_resumes_open on limit_resumes (session_id) where state = 'claimed';
