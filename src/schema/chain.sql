-- The chain over the rows of the audit: each link seals its row and the link before it, task by task.

create table if not exists audit_chains (
  chain integer primary key,
  task_id text not null unique,
  count integer not null,
  head text not null
) strict;

-- A link's id is its chain and its place in it, so that a chain is one stretch of the table without an index of its own.
create table if not exists audit_links (
  id integer primary key,
  event_id integer,
  telemetry_id text,
  hash text not null,
  check ((event_id is null) <> (telemetry_id is null))
) strict;
