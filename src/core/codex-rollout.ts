/** One record of a Codex rollout (a line of the `.jsonl` file), in the older shape (0.13x) and today's: what it says, never where it lies. */
import { isObject, type JsonObject } from "./json.ts";

export interface RolloutRecord {
  readonly type: string;
  /** `payload.type` of an `event_msg`; null for every other type. */
  readonly subtype: string | null;
  /** As written; null when missing, empty or not a text. */
  readonly timestamp: string | null;
  /** `{}` when missing or not an object. */
  readonly payload: JsonObject;
}

/** Reads one complete line; null when it is not a JSON object with a text `type`. */
export function parseRecord(line: string): RolloutRecord | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (!isObject(value) || typeof value.type !== "string") return null;
  const payload = isObject(value.payload) ? value.payload : {};
  return {
    type: value.type,
    subtype: value.type === "event_msg" && typeof payload.type === "string" ? payload.type : null,
    timestamp: typeof value.timestamp === "string" && value.timestamp !== "" ? value.timestamp : null,
    payload,
  };
}

type Readable = Pick<RolloutRecord, "type" | "subtype" | "payload">;

/** The thread that a `session_meta` record, the first of a file, names; null for other records and without an id. */
export function threadIdOf(record: Readable): string | null {
  if (record.type !== "session_meta") return null;
  const { id, session_id } = record.payload;
  return typeof id === "string" && id !== "" ? id : typeof session_id === "string" && session_id !== "" ? session_id : null;
}

const itemOf = (record: Readable): JsonObject | null => (record.subtype === "item_completed" && isObject(record.payload.item) ? record.payload.item : null);

/** What a record says about the turn: it is being worked on, it came to its end, it was interrupted; null: nothing. */
export type TurnSign = "open" | "completed" | "aborted";

const signs: Readonly<Record<string, TurnSign>> = { task_started: "open", user_message: "open", task_complete: "completed", turn_aborted: "aborted" };

export function turnSign(record: Readable): TurnSign | null {
  if (record.subtype === null) return null;
  if (itemOf(record)?.type === "UserMessage") return "open";
  return Object.hasOwn(signs, record.subtype) ? signs[record.subtype]! : null;
}

export interface UserItem {
  readonly text: string;
  /** The id that a client gave the message (`clientUserMessageId`), or null. */
  readonly clientId: string | null;
}

/** What a user said, when that is what this record reports; else null. */
export function userItem(record: Readable): UserItem | null {
  if (record.subtype === "user_message") {
    const { message, client_id } = record.payload;
    return typeof message === "string" ? { text: message, clientId: typeof client_id === "string" ? client_id : null } : null;
  }
  const item = itemOf(record);
  if (item?.type !== "UserMessage" || !Array.isArray(item.content)) return null;
  const parts = item.content.flatMap((part) => (isObject(part) && typeof part.text === "string" ? [part.text] : []));
  return { text: parts.join("\n"), clientId: typeof item.client_id === "string" ? item.client_id : null };
}

export const TOKEN_KINDS = ["input_tokens", "cached_input_tokens", "output_tokens", "reasoning_output_tokens", "total_tokens"] as const;
export type Tokens = Readonly<Record<(typeof TOKEN_KINDS)[number], number>>;

/** What the thread has used from its beginning, as a `token_count` says; null for other records. */
export function tokensUsed(record: Readable): Tokens | null {
  if (record.subtype !== "token_count" || !isObject(record.payload.info)) return null;
  const used = record.payload.info.total_token_usage;
  if (!isObject(used)) return null;
  const count = (kind: string): number => {
    const value = used[kind];
    return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : 0;
  };
  return Object.fromEntries(TOKEN_KINDS.map((kind) => [kind, count(kind)])) as Tokens;
}

/** What was used between two such counts. A count that went down belongs to a thread that began anew. */
export function tokensBetween(before: Tokens | null, after: Tokens): Tokens {
  const anew = before === null || after.total_tokens < before.total_tokens;
  return Object.fromEntries(TOKEN_KINDS.map((kind) => [kind, anew ? after[kind] : Math.max(0, after[kind] - before[kind])])) as Tokens;
}
