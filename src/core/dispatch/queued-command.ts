/** A command in the queue for Dispatch: its kinds, whom each is for, and the text it carries. */
import { isObject, parseStored, type JsonObject } from "../json.ts";
import type { Role } from "../sessions/session.ts";

/** Command types that Dispatch claims; the `commands` table also records direct actuation by other types. */
export const COMMAND_TYPES = ["notify_manager", "nudge_worker", "continue_iteration"] as const;
export type CommandType = (typeof COMMAND_TYPES)[number];

/** The signal that a worker ended a turn; it comes from rollouts, not from the queue. */
export const COMPLETION = "worker_task_complete";
/** What `dispatch --type` can be restricted to. */
export const SIGNAL_TYPES = [...COMMAND_TYPES, COMPLETION] as const;
export type SignalType = (typeof SIGNAL_TYPES)[number];

export const COMMAND_STATES = ["pending", "attempted", "succeeded", "failed", "blocked"] as const;
export type CommandState = (typeof COMMAND_STATES)[number];

/** A row of `commands`. */
export interface CommandRow {
  readonly id: string;
  readonly idempotency_key: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly task_id: string | null;
  readonly worker_id: string | null;
  readonly manager_id: string | null;
  readonly correlation_id: string | null;
  readonly type: string;
  readonly state: CommandState;
  readonly available_at: string | null;
  readonly claimed_by: string | null;
  readonly claimed_at: string | null;
  readonly claim_expires_at: string | null;
  readonly attempts: number;
  readonly max_attempts: number;
  readonly required_permission: string | null;
  readonly payload_json: string;
  readonly result_json: string | null;
  readonly error: string | null;
}

/** Which side of the binding a command is for; the other side is its source. */
export const targetRole = (type: SignalType): Role => (type === "nudge_worker" || type === "continue_iteration" ? "worker" : "manager");

/** The payload as an object; anything else counts as empty. */
export function payloadOf(row: { readonly payload_json: string }): JsonObject {
  const payload = parseStored<unknown>(row.payload_json, {});
  return isObject(payload) ? payload : {};
}

/** The text to deliver: `message`, else `text` of older writers; null when neither says anything. */
export function messageOf(payload: JsonObject): string | null {
  const text = payload.message ?? payload.text;
  return typeof text === "string" && text.trim() !== "" ? text : null;
}

/** The manager decision that a payload names, by `decision_id` or `id`: a whole number, also as digits; else null. */
export function decisionOf(payload: JsonObject): number | null {
  const { manager_decision: decision } = payload;
  const id = isObject(decision) ? (decision.decision_id ?? decision.id) : null;
  if (typeof id === "number") return Number.isSafeInteger(id) ? id : null;
  return typeof id === "string" && /^\d+$/.test(id) ? Number(id) : null;
}
