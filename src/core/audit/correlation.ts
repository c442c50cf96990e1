/** A command or message from its reason to its end: decision, attempts, notifications, cycle. */
import { isObject, type JsonObject } from "../json.ts";

export interface CommandChain {
  readonly attempt_ids: number[];
  readonly command_id: string;
  readonly command_state: string;
  readonly command_type: string;
  readonly correlation_id: string | null;
  readonly created_at: string;
  readonly manager_cycle_id: number | null;
  readonly manager_decision_cycle_id: number | null;
  readonly manager_decision_id: number | null;
  readonly routed_notification_ids: number[];
}

export interface NotificationChain {
  readonly attempt_ids: [];
  readonly command_id: null;
  readonly command_state: string;
  readonly command_type: string;
  readonly correlation_id: string | null;
  readonly created_at: string;
  readonly manager_cycle_id: number | null;
  readonly manager_decision_id: number | null;
  readonly routed_notification_ids: [number];
  readonly signal_type: string;
  readonly source_event_id: number | null;
}

export type Chain = CommandChain | NotificationChain;

/** A whole number, also when written as digits; else null. */
export function wholeNumber(value: unknown): number | null {
  const number = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isSafeInteger(number) ? number : null;
}

/** The object `manager_decision` that a command carries: in its payload, else in its result. */
export const decisionNote = (payload: unknown, result: unknown): JsonObject | null =>
  [payload, result].map((source) => (isObject(source) ? source.manager_decision : null)).find(isObject) ?? null;

/** Id of the decision that such an object names. */
export const notedDecisionId = (note: JsonObject | null): number | null =>
  note === null
    ? null
    : (wholeNumber(note.decision_id) ?? wholeNumber(isObject(note.decision) ? note.decision.id : null) ?? wholeNumber(note.id));
