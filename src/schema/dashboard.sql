-- What the dashboard needs: token counts and sendings found quickly, and what a person does not want to be told of again.

create index if not exists codex_events_tokens on codex_events (session_id, id) where subtype = 'token_count';
create index if not exists deliveries_notification on deliveries (notification_id, created_at) where notification_id is not null;
create index if not exists deliveries_command on deliveries (command_id, created_at) where command_id is not null;
create table if not exists dashboard_dismissals (
  task_id text not null,
  item text not null,
  dismissed_at text not null,
  primary key (task_id, item)
) strict;
