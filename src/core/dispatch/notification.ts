/** A routed notification: delivery record, guard against doubles, and item of an inbox in one. */
import type { JsonObject } from "../json.ts";

export type NotificationState = "pending" | "delivered" | "failed" | "suppressed";
export type DeliveryMode = "push" | "pull_required";

/** A row of `routed_notifications`. */
export interface NotificationRow {
  readonly id: number;
  readonly task_id: string;
  readonly binding_id: string;
  readonly correlation_id: string;
  readonly source_session_id: string;
  readonly target_session_id: string;
  readonly signal_type: string;
  readonly source_event_id: number | null;
  readonly source_event_timestamp: string | null;
  readonly dedupe_key: string;
  readonly command_id: string | null;
  readonly created_at: string;
  readonly delivered_at: string | null;
  readonly consumed_manager_cycle_id: number | null;
  readonly consumed_by_session_id: string | null;
  readonly consumed_at: string | null;
  readonly delivery_mode: DeliveryMode;
  readonly state: NotificationState;
  readonly claimed_by: string | null;
  readonly claimed_at: string | null;
  readonly claim_expires_at: string | null;
  readonly side_effect_started: number;
  readonly side_effect_completed: number;
  readonly payload_json: string;
  readonly error: string | null;
}

/** An item of an inbox as it is shown: names beside ids, payload decoded, flags as booleans. */
export interface InboxItem extends Omit<NotificationRow, "payload_json" | "side_effect_started" | "side_effect_completed"> {
  readonly task_name: string;
  readonly source_session_name: string;
  readonly source_session_role: string;
  readonly target_session_name: string;
  readonly target_session_role: string;
  readonly payload: JsonObject;
  readonly side_effect_started: boolean;
  readonly side_effect_completed: boolean;
}
