/** The kinds of rollout records that some release of Codex up to 0.169 writes. A kind that is not here is a sign that Codex has changed. */

const list = (names: string): ReadonlySet<string> => new Set(names.trim().split(/\s+/));

/** By `type`. */
export const knownTypes = list(`
  session_meta session_state ghost_snapshot response_item event_msg turn_context compacted world_state token_usage_record
  inter_agent_communication inter_agent_communication_metadata realtime_item resume_metadata dynamic_tools_updated`);

/** By `payload.type` of an `event_msg`. */
export const knownEvents = list(`
  task_started turn_started task_complete turn_complete turn_aborted user_message agent_message agent_message_delta agent_reasoning agent_reasoning_delta
  agent_reasoning_raw_content agent_reasoning_raw_content_delta agent_reasoning_section_break token_count item_started item_completed
  thread_settings_applied thread_name_updated thread_rolled_back thread_goal_updated thread_queue_changed session_configured
  context_compacted entered_review_mode exited_review_mode background_event error warning stream_error deprecation_notice guardian_warning
  guardian_assessment model_reroute model_verification turn_moderation_metadata safety_buffering turn_diff plan_update plan_delta
  exec_command_begin exec_command_end exec_command_output_delta exec_approval_request terminal_interaction view_image_tool_call
  apply_patch_approval_request patch_apply_begin patch_apply_updated patch_apply_end mcp_tool_call_begin mcp_tool_call_end mcp_startup_update
  mcp_startup_complete web_search_begin web_search_end image_generation_begin image_generation_end dynamic_tool_call_request
  dynamic_tool_call_response elicitation_request request_user_input request_permissions undo_started undo_completed skills_update_available
  hook_started hook_completed collab_agent_spawn_begin collab_agent_spawn_end collab_agent_interaction_begin collab_agent_interaction_end
  collab_waiting_begin collab_waiting_end collab_close_begin collab_close_end collab_resume_begin collab_resume_end sub_agent_activity
  environment_connected environment_disconnected auth_recovery_started auth_recovery_completed realtime_conversation_started
  realtime_conversation_realtime realtime_conversation_closed realtime_conversation_sdp raw_response_item shutdown_complete`);

/** By `payload.item.type` of an `item_completed`. */
export const knownItems = list(`
  UserMessage AgentMessage Reasoning Plan CommandExecution FileChange McpToolCall DynamicToolCall CollabAgentToolCall SubAgentActivity
  WebSearch ImageView ImageGeneration Sleep HookPrompt EnteredReviewMode ExitedReviewMode ContextCompaction FunctionCallOutput AsyncUserInputQuestion`);
