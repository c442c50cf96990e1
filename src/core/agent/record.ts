/**
 * The records of a session as they are stored, whichever agent wrote them, and what they say as typed facts. The form is the one that Codex
 * writes, older and newer shape alike: the records of another agent are translated into it when they are read. Unknown records are facts
 * too, never errors.
 */
import type { TurnError } from "./failed-turn.ts";
import { readTurnError } from "./turn-error.ts";
import { isObject, type Json, type JsonObject } from "../json.ts";
import { type LimitWindow, windowsOf } from "./limits.ts";

/** One record of a session. */
export interface AgentRecord {
  readonly type: string;
  /** `payload.type` of an `event_msg`, else null. */
  readonly subtype: string | null;
  readonly payload: JsonObject;
  /** As written; null when absent. */
  readonly timestamp: string | null;
}

export interface TokenUsage {
  readonly input: number;
  readonly cachedInput: number;
  readonly output: number;
  readonly reasoningOutput: number;
  readonly total: number;
}

export type AgentFact =
  | {
      readonly kind: "session";
      readonly id: string;
      readonly cwd: string | null;
      readonly originator: string | null;
      readonly version: string | null;
      readonly startedAt: string | null;
    }
  | { readonly kind: "turn_started"; readonly turnId: string | null }
  | {
      readonly kind: "turn_completed";
      readonly turnId: string | null;
      readonly lastMessage: string | null;
      readonly durationMs: number | null;
      /** Why it ended without its work done; null: it ended well. */
      readonly error: Omit<TurnError, "resets_at"> | null;
    }
  | { readonly kind: "turn_aborted"; readonly turnId: string | null; readonly reason: string | null }
  | { readonly kind: "user"; readonly text: string; readonly clientId: string | null; readonly turnId: string | null }
  | { readonly kind: "agent"; readonly text: string; readonly turnId: string | null }
  | { readonly kind: "tokens"; readonly total: TokenUsage; readonly last: TokenUsage | null }
  | { readonly kind: "other" };

const text = (value: Json | undefined): string | null => (typeof value === "string" ? value : null);
const number = (value: Json | undefined): number | null => (typeof value === "number" ? value : null);

/** What the record says. */
export function readFact(record: AgentRecord): AgentFact {
  const { payload } = record;
  if (record.type === "session_meta") return sessionFact(payload) ?? { kind: "other" };
  if (record.type !== "event_msg") return { kind: "other" };
  const turnId = text(payload.turn_id);
  switch (record.subtype) {
    case "task_started":
      return { kind: "turn_started", turnId };
    case "task_complete":
      return {
        kind: "turn_completed",
        turnId,
        lastMessage: text(payload.last_agent_message),
        durationMs: number(payload.duration_ms),
        error: readTurnError(payload.error),
      };
    case "turn_aborted":
      return { kind: "turn_aborted", turnId, reason: text(payload.reason) };
    case "user_message":
      return { kind: "user", text: text(payload.message) ?? "", clientId: text(payload.client_id), turnId };
    case "agent_message":
      return { kind: "agent", text: text(payload.message) ?? "", turnId };
    case "item_completed":
      return itemFact(payload, turnId);
    case "token_count":
      return tokenFact(payload);
    default:
      return { kind: "other" };
  }
}

function sessionFact(payload: JsonObject): AgentFact | null {
  const id = text(payload.id);
  if (id === null) return null;
  return {
    kind: "session",
    id,
    cwd: text(payload.cwd),
    originator: text(payload.originator),
    version: text(payload.cli_version),
    startedAt: text(payload.timestamp),
  };
}

function itemFact(payload: JsonObject, turnId: string | null): AgentFact {
  const item = isObject(payload.item) ? payload.item : {};
  if (item.type === "UserMessage") return { kind: "user", text: contentText(item.content), clientId: text(item.client_id), turnId };
  if (item.type === "AgentMessage") return { kind: "agent", text: contentText(item.content), turnId };
  return { kind: "other" };
}

const contentText = (content: Json | undefined): string =>
  Array.isArray(content) ? content.flatMap((part) => (isObject(part) && typeof part.text === "string" ? [part.text] : [])).join("\n") : "";

function tokenFact(payload: JsonObject): AgentFact {
  const info = isObject(payload.info) ? payload.info : {};
  const total = usage(info.total_token_usage);
  // A count without figures (rate limits only) is well known and says nothing about tokens.
  return total === null ? { kind: "other" } : { kind: "tokens", total, last: usage(info.last_token_usage) };
}

/** What a record tells of its account's limits. @param readAt when it was read, for one that does not tell its own time */
export const limitsIn = ({ type, subtype, payload, timestamp }: AgentRecord, readAt: string): LimitWindow[] =>
  type === "event_msg" && subtype === "token_count" ? windowsOf(payload.rate_limits, timestamp ?? readAt) : [];

function usage(value: Json | undefined): TokenUsage | null {
  if (!isObject(value)) return null;
  const count = (key: string) => number(value[key]) ?? 0;
  return {
    input: count("input_tokens"),
    cachedInput: count("cached_input_tokens"),
    output: count("output_tokens"),
    reasoningOutput: count("reasoning_output_tokens"),
    total: count("total_tokens"),
  };
}
