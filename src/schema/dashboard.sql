-- What the dashboard keeps: token counts found quickly, and what a person does not want to be told of again.

create index if not exists codex_events_tokens on codex_events (session_id, id) where subtype = 'token_count';
create table if not exists dashboard_dismissals (
  task_id text not null,
  item text not null,
  dismissed_at text not null,
  primary key (task_id, item)
) strict;
