-- What needs a person and has no row of its own: since when it is so, each time under another id. The scope is a task or, for a session that
-- works for nobody, that session.
create table if not exists attention_sightings (
  id text primary key,
  scope text not null,
  key text not null,
  began_at text not null,
  ended_at text
) strict;
create unique index if not exists attention_sightings_open on attention_sightings (scope, key) where ended_at is null;
create index if not exists attention_sightings_ended on attention_sightings (scope, key, ended_at);

-- So that a look costs what is open, and not what ever was.
create index if not exists tasks_open on tasks (created_at) where state in ('candidate', 'managed', 'paused');
create index if not exists sessions_active on sessions (registered_at) where state = 'active';
create index if not exists bindings_worker_ended on bindings (worker_session_id, ended_at);
create index if not exists agent_asks_unended on agent_asks (session_id, asked_at) where ended_at is null;
