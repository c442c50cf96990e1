-- Turns that stand open in their record and have ended: their server died in the middle of them, and what took its place goes on without.
-- The newest one of each session, by its record in codex_events.
create table if not exists broken_turns (
  session_id text primary key,
  event_id integer not null
) strict;
