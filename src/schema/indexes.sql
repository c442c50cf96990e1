-- The indexes of version 22, one name each, and the two triggers that keep the log of events append-only.

create unique index if not exists acceptance_criteria_task_source_criterion on acceptance_criteria (task_id, source, criterion);
create index if not exists acceptance_criteria_task_status on acceptance_criteria (task_id, status, id);
create index if not exists agent_observations_task_id on agent_observations (task_id, id);
create index if not exists codex_events_session_id on codex_events (session_id, id);
create index if not exists command_attempts_command_id on command_attempts (command_id, id);
create index if not exists command_attempts_correlation_id on command_attempts (correlation_id);
create index if not exists commands_claimable on commands (state, type, available_at, created_at, id);
create index if not exists commands_task_state_created on commands (task_id, state, created_at);
create index if not exists continuation_reviews_task on continuation_reviews (task_id, id);
create index if not exists epilogue_runs_task_step on epilogue_runs (task_id, step_name, id);
create index if not exists events_task_id on events (task_id, id);
create index if not exists manager_configs_task_id on manager_configs (task_id);
create index if not exists manager_cycle_spans_cycle_phase on manager_cycle_spans (manager_cycle_id, phase, id);
create index if not exists manager_cycle_spans_task on manager_cycle_spans (task_id, id);
create unique index if not exists one_active_binding_per_manager_session on bindings (manager_session_id) where state in ('active', 'ending');
create unique index if not exists one_active_binding_per_task on bindings (task_id) where state in ('active', 'ending');
create unique index if not exists one_active_binding_per_worker on bindings (worker_id) where state in ('active', 'ending');
create unique index if not exists one_active_binding_per_worker_session on bindings (worker_session_id) where state in ('active', 'ending');
create unique index if not exists one_active_manager_per_task on managers (task_id) where state in ('starting', 'ready', 'stopping');
create unique index if not exists one_active_run_per_task on runs (task_id) where status = 'active';
create index if not exists routed_notifications_claimable on routed_notifications (state, signal_type, side_effect_started, claim_expires_at, created_at);
create index if not exists routed_notifications_consumed_cycle on routed_notifications (consumed_manager_cycle_id);
create unique index if not exists routed_notifications_dedupe_key on routed_notifications (dedupe_key);
create index if not exists routed_notifications_source_event on routed_notifications (source_event_id);
create index if not exists routed_notifications_target_inbox on routed_notifications (target_session_id, consumed_at, state, created_at, id);
create index if not exists runs_task_status on runs (task_id, status, started_at);
create index if not exists statuses_worker_id on statuses (worker_id, id);
create index if not exists task_acknowledgements_task_role_revision on task_acknowledgements (task_id, role, revision desc, id desc);
create index if not exists task_continuations_task_role_revision on task_continuations (task_id, proposer, revision desc, id desc);
create index if not exists telemetry_events_actor_timestamp on telemetry_events (actor, timestamp, id);
create index if not exists telemetry_events_run_timestamp on telemetry_events (run_id, timestamp, id);
create index if not exists telemetry_events_task_timestamp on telemetry_events (task_id, timestamp, id);
create index if not exists telemetry_events_type_timestamp on telemetry_events (event_type, timestamp, id);
create index if not exists terminal_captures_task_role on terminal_captures (task_id, role, id);
create index if not exists transcript_captures_worker_id on transcript_captures (worker_id, id);
create index if not exists transcript_segments_task_role on transcript_segments (task_id, role, id);
create index if not exists worker_handoffs_task_id on worker_handoffs (task_id, id);

create trigger if not exists events_no_update before update on events
begin
  select raise(abort, 'events are append-only');
end;

create trigger if not exists events_no_delete before delete on events
begin
  select raise(abort, 'events are append-only');
end;
