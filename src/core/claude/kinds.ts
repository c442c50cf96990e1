/**
 * The kinds of lines that Claude Code 2.1.332 writes or has a name for, as they are stored. One that is not here is a sign that Claude Code
 * has changed.
 */

const list = (kind: string, names: string): string[] =>
  names
    .trim()
    .split(/\s+/)
    .map((name) => (kind === "" ? name : `${kind}/${name}`));

export const knownKinds: ReadonlySet<string> = new Set([
  ...list(
    "",
    `mode permission-mode last-prompt custom-title ai-title agent-name agent-color agent-setting summary tag pr-link atis-latch tools-used
    file-history-snapshot file-history-delta cost-state queue-operation content-replacement worktree-state`,
  ),
  ...list("user", "start mark tool_result compact_summary bash command meta text"),
  ...list("assistant", "text thinking redacted_thinking tool_use server_tool_use web_search_tool_result"),
  ...list(
    "attachment",
    `environment model deferred_tools_delta agent_listing_delta skill_listing auto_mode session_context date remote_session_change
    prompt_snapshot queued_command hook_additional_context hook_blocking_error hook_success hook_non_blocking_error hook_cancelled
    hook_error_during_execution hook_stopped_continuation hook_permission_decision hook_system_message task_status file directory
    edited_text_file compact_file_reference selected_lines_in_ide opened_file_in_ide nested_memory
    relevant_memories plan_mode plan_mode_exit plan_mode_reentry plan_file_reference auto_mode_exit todo_reminder task_reminder
    critical_system_reminder output_style diagnostics mcp_resource mcp_instructions_delta command_permissions invoked_skills
    date_change async_hook_response agent_mention teammate_mailbox token_usage budget_usd`,
  ),
  ...list(
    "system",
    `turn_duration compact_boundary microcompact_boundary informational local_command stop_hook_summary api_error permission_retry
    away_summary agents_killed bridge_status scheduled_task_fire model_fallback model_refusal_fallback model_refusal_no_fallback
    model_consent_fallback permission_denied permission_check_status peer_message_hold per_turn_effort_changed notification
    session_writes_lost memory_saved memory_recall instruction_size_warning late_allow_not_run inherited_asks_settled
    file_attachments_missing rewind_stand_in post_turn_summary`,
  ),
]);
