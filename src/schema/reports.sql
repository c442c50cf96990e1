-- What reports need to cost no more than what they show: indexes by instant, and totals of telemetry.

create index if not exists runs_name on runs (name);
create index if not exists runs_started on runs (julianday(started_at), id);
create index if not exists sessions_active on sessions (julianday(registered_at)) where state = 'active';
create index if not exists tasks_state on tasks (state, julianday(created_at));

create index if not exists commands_task_created on commands (task_id, julianday(created_at), id);
create index if not exists commands_task_updated on commands (task_id, julianday(updated_at), id);
create index if not exists commands_created on commands (julianday(created_at), id);
create index if not exists commands_failed on commands (julianday(updated_at), task_id) where state = 'failed';
create index if not exists commands_unfinished on commands (julianday(updated_at), task_id) where state in ('attempted', 'pending');
create index if not exists command_attempts_command_started on command_attempts (command_id, julianday(started_at), id);
create index if not exists command_attempts_started on command_attempts (julianday(started_at));

create index if not exists routed_notifications_task_created on routed_notifications (task_id, julianday(created_at), id);
create index if not exists routed_notifications_task_shown on routed_notifications (task_id, julianday(coalesce(delivered_at, created_at)), id);
create index if not exists routed_notifications_command on routed_notifications (command_id, id) where command_id is not null;
create index if not exists routed_notifications_uncommanded on routed_notifications (task_id, julianday(created_at), id) where command_id is null;

create index if not exists manager_decisions_cycle on manager_decisions (manager_cycle_id, id);
create index if not exists manager_decisions_task_created on manager_decisions (task_id, julianday(created_at), id);
create index if not exists manager_cycles_task_state on manager_cycles (task_id, state, id);
create index if not exists manager_cycles_task_shown on manager_cycles (task_id, julianday(coalesce(completed_at, started_at)), id);
create index if not exists manager_cycles_task_completed on manager_cycles (task_id, julianday(completed_at), id) where completed_at is not null;
create index if not exists manager_cycles_started on manager_cycles (julianday(started_at));
create index if not exists manager_cycles_failed on manager_cycles (julianday(coalesce(completed_at, started_at)), task_id) where state = 'failed';
create index if not exists manager_cycles_blind on manager_cycles (task_id, id) where json_extract(status_json, '$.pane_signal.captured') = 0;
create index if not exists manager_cycle_spans_task_shown on manager_cycle_spans (task_id, julianday(coalesce(completed_at, started_at)), id);
create index if not exists manager_cycle_spans_run on manager_cycle_spans (run_id, manager_cycle_id) where run_id is not null;

create index if not exists events_criteria on events (task_id, julianday(created_at), id)
  where type in ('acceptance_criterion_added', 'acceptance_criterion_updated');
create index if not exists acceptance_criteria_status on acceptance_criteria (status, task_id, id);
create index if not exists continuation_reviews_task_created on continuation_reviews (task_id, julianday(created_at), id);
create index if not exists epilogue_runs_task_shown on epilogue_runs (task_id, julianday(coalesce(finished_at, started_at)), id);
create index if not exists task_acknowledgements_task_created on task_acknowledgements (task_id, julianday(created_at), id);
create index if not exists task_continuations_task_created on task_continuations (task_id, julianday(created_at), id);
create index if not exists prompts_task on prompts (task_id, id);
create index if not exists managers_task on managers (task_id, started_at);

create index if not exists terminal_captures_task_captured on terminal_captures (task_id, julianday(captured_at), id);
create index if not exists terminal_captures_same on terminal_captures (task_id, role, content_sha256, id);
create index if not exists terminal_captures_kept on terminal_captures (task_id, iif(content is null, 0, byte_count));
create index if not exists transcript_segments_task_captured on transcript_segments (task_id, julianday(captured_at), id);
create index if not exists transcript_segments_kept on transcript_segments (task_id, iif(segment_text is null, 0, byte_count));
create index if not exists transcript_captures_kept on transcript_captures (worker_id, iif(content is null, 0, byte_count));

create index if not exists telemetry_events_at on telemetry_events (julianday(timestamp));
create index if not exists telemetry_events_task_at on telemetry_events (task_id, julianday(timestamp));
create index if not exists telemetry_events_run_at on telemetry_events (run_id, julianday(timestamp)) where run_id is not null;
create index if not exists telemetry_events_actor_at on telemetry_events (actor, julianday(timestamp));
create index if not exists telemetry_events_type_at on telemetry_events (event_type, julianday(timestamp));
create index if not exists telemetry_events_task_type on telemetry_events (task_id, event_type);
create index if not exists telemetry_events_ingest_trouble on telemetry_events (julianday(timestamp), task_id)
  where instr(event_type, 'ingest') > 0 and severity in ('warning', 'error');
create index if not exists telemetry_events_skipped_lines on telemetry_events (julianday(timestamp), task_id)
  where event_type = 'codex_events_ingested' and json_extract(attributes_json, '$.skipped_lines') > 0;
create index if not exists telemetry_events_severity_at on telemetry_events (severity, julianday(timestamp)) where severity in ('debug', 'warning', 'error');

create table if not exists telemetry_totals (
  scope text not null check (scope in ('all', 'task')),
  task_id text not null,
  run_id text not null,
  actor text not null,
  event_type text not null,
  severity text not null,
  count integer not null,
  primary key (scope, task_id, run_id, actor, event_type, severity)
) strict;

insert into telemetry_totals
  select 'task', ifnull(task_id, ''), ifnull(run_id, ''), actor, event_type, severity, count(*) from telemetry_events group by 2, 3, 4, 5, 6
  union all
  select 'all', '', '', actor, event_type, severity, count(*) from telemetry_events group by 4, 5, 6;

create trigger if not exists telemetry_totals_insert after insert on telemetry_events
begin
  insert into telemetry_totals values ('all', '', '', new.actor, new.event_type, new.severity, 1) on conflict do update set count = count + 1;
  insert into telemetry_totals values ('task', ifnull(new.task_id, ''), ifnull(new.run_id, ''), new.actor, new.event_type, new.severity, 1)
    on conflict do update set count = count + 1;
end;

create trigger if not exists telemetry_totals_delete after delete on telemetry_events
begin
  update telemetry_totals set count = count - 1
    where scope = 'all' and task_id = '' and run_id = '' and actor = old.actor and event_type = old.event_type and severity = old.severity;
  update telemetry_totals set count = count - 1
    where scope = 'task' and task_id = ifnull(old.task_id, '') and run_id = ifnull(old.run_id, '') and actor = old.actor and event_type = old.event_type and severity = old.severity;
end;
