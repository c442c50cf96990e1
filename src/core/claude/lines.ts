/** What the lines of a Claude Code transcript say, each for itself: its kind, whose words it holds, what error it tells. */
import { isObject, type Json, type JsonObject } from "../json.ts";

export const textOf = (value: Json | undefined): string | null => (typeof value === "string" && value !== "" ? value : null);
export const numberOf = (value: Json | undefined): number | null => (typeof value === "number" ? value : null);
const countOf = (value: Json | undefined): number => numberOf(value) ?? 0;

/** Requests to the model, written beside the conversation: the largest lines, and none of them says anything that is not said elsewhere. */
export const isRequest = (line: string): boolean => line.startsWith('{"type":"api-request');

/** What a sub-agent says to itself. */
export const isSide = (line: JsonObject): boolean => line.isSidechain === true;

const messageOf = (line: JsonObject): JsonObject => (isObject(line.message) ? line.message : {});

/** The blocks of a message; a plain text is one. */
export function blocksOf({ content }: JsonObject): JsonObject[] {
  if (typeof content === "string") return [{ type: "text", text: content }];
  return Array.isArray(content) ? content.filter((block): block is JsonObject => isObject(block)) : [];
}

const wordsOf = (message: JsonObject): string =>
  blocksOf(message)
    .flatMap((block) => (block.type === "text" && typeof block.text === "string" ? [block.text] : []))
    .join("\n");

/** The marks that an interruption leaves, as the only text of a message that nobody sent. */
const marks: readonly string[] = ["[Request interrupted by user]", "[Request interrupted by user for tool use]"];
export const MARK = "[Request interrupted by user";

const isMark = (line: JsonObject): boolean =>
  line.promptSource === undefined && line.turnOrigin === undefined && marks.includes(wordsOf(messageOf(line)));

export interface SaidLine {
  readonly message: JsonObject;
  readonly uuid: string | null;
  readonly parent: string | null;
}

export const saidLine = (line: JsonObject): SaidLine => ({
  message: messageOf(line),
  uuid: textOf(line.uuid),
  parent: textOf(line.parentUuid),
});

export type UserKind = "start" | "mark" | "tool_result" | "compact_summary" | "bash" | "command" | "meta" | "text";

/**
 * What a `user` line is. One with an origin of its turn begins one: somebody's words, a message of the inbox, a sub-agent that has ended,
 * or the output of a command of the shell, to which the model answers as well.
 */
export function userKind(line: JsonObject): UserKind {
  if (textOf(line.turnOrigin) !== null) return "start";
  if (isMark(line)) return "mark";
  const message = messageOf(line);
  if (blocksOf(message).some((block) => block.type === "tool_result")) return "tool_result";
  if (line.isCompactSummary === true) return "compact_summary";
  const words = wordsOf(message);
  if (words.startsWith("<bash-")) return "bash";
  if (/^<(command-name|command-message|local-command-)/.test(words)) return "command";
  return line.isMeta === true ? "meta" : "text";
}

const BEFORE = "Another Claude session sent a message:\n";
const BEHIND = "\n\nThis came from another Claude session";

/** What came by the inbox, without the words around it that are the same for all. */
function inboxWords(origin: JsonObject, words: string): string {
  if (typeof origin.body === "string") return origin.body;
  if (!words.startsWith(BEFORE)) return words;
  const end = words.lastIndexOf(BEHIND);
  return words.slice(BEFORE.length, end < BEFORE.length ? undefined : end);
}

/** The number of the turn that a line begins, which it shares with what was sent together with it. */
export const turnIndex = ({ turnPosition }: JsonObject): number | null =>
  isObject(turnPosition) ? numberOf(turnPosition.turnIndex) : null;

const originOf = (line: JsonObject): JsonObject => (isObject(line.origin) ? line.origin : {});

/**
 * What was said to the agent, and its id: our own, when it came by the inbox. Null when nobody said it.
 * @param line one that begins a turn, or `queued_command`, which is taken up in the middle of one
 */
export function saidBy(line: JsonObject): { readonly text: string; readonly clientId: string | null } | null {
  const origin = originOf(line);
  const inbox = textOf(origin.msg_id);
  if (line.type === "queued_command") {
    if (line.commandMode !== undefined && line.commandMode !== "prompt") return null;
    const text = wordsOf({ content: line.prompt ?? "" });
    return { text: inbox === null ? text : inboxWords(origin, text), clientId: inbox ?? textOf(line.source_uuid) };
  }
  if (textOf(line.promptSource) === null || line.turnOrigin === "task_notification") return null;
  const text = wordsOf(messageOf(line));
  return { text: line.turnOrigin === "peer" ? inboxWords(origin, text) : text, clientId: inbox ?? textOf(line.uuid) };
}

/** A limit of the account's. A server that has too much to do says of itself that it is "not your usage limit". */
const SPENT = /(?<!not your )\b(usage|session|weekly|5-hour|opus|sonnet) limit\b|\blimit reached\b|hit your .*limit|credit balance/i;

/** The stored name of an error, by its own names, its status and its words. */
function errorName(line: JsonObject, message: string): string {
  const { error, apiError, apiErrorStatus: status } = line;
  if (apiError === "usage_limit_reached") return "usage_limit_exceeded";
  if (apiError === "connection_failed") return "http_connection_failed";
  if (SPENT.test(message)) return /context limit/i.test(message) ? "context_window_exceeded" : "usage_limit_exceeded";
  if (/prompt is too long|context (limit|window)/i.test(message)) return "context_window_exceeded";
  if (error === "authentication_failed" || error === "oauth_org_not_allowed" || status === 401 || status === 403) return "unauthorized";
  if (error === "billing_error") return "usage_limit_exceeded";
  if (error === "rate_limit" || status === 429) return "rate_limit_exceeded";
  if (status === 529 || status === 503 || line.apiErrorType === "overloaded_error") return "server_overloaded";
  if (error === "server_error" || countOf(status) >= 500) return "internal_server_error";
  if (/connection|network|unable to connect|ECONN|ENOTFOUND|socket|timed? ?out/i.test(message)) return "http_connection_failed";
  return "other";
}

/** Why a turn failed, in the stored form; null for a line that tells no failure. */
export function failureOf(line: JsonObject): { readonly message: string; readonly codex_error_info: string } | null {
  if (line.isApiErrorMessage !== true) return null;
  const message = wordsOf(messageOf(line));
  return { message, codex_error_info: errorName(line, message) };
}

/** The limit that a failure tells of, in the stored form; null when it tells of none. Those of a subscription stand there (2.1.332). */
export function spentLimit({ quotaLimits: limits }: JsonObject): JsonObject | null {
  if (!isObject(limits) || limits.status !== "rejected" || typeof limits.resetsAt !== "number") return null;
  return { primary: { used_percent: 100, resets_at: limits.resetsAt } };
}

/** Counts of one message, in the stored form: what went in counts whether it was cached or not. */
export interface Counts {
  readonly input_tokens: number;
  readonly cached_input_tokens: number;
  readonly output_tokens: number;
  readonly reasoning_output_tokens: number;
  readonly total_tokens: number;
}

export const noTokens: Counts = {
  input_tokens: 0,
  cached_input_tokens: 0,
  output_tokens: 0,
  reasoning_output_tokens: 0,
  total_tokens: 0,
};

export function countsOf(usage: Json | undefined): Counts | null {
  if (!isObject(usage)) return null;
  const cached = countOf(usage.cache_read_input_tokens);
  const input = countOf(usage.input_tokens) + countOf(usage.cache_creation_input_tokens) + cached;
  const output = countOf(usage.output_tokens);
  const details = isObject(usage.output_tokens_details) ? usage.output_tokens_details : {};
  return {
    input_tokens: input,
    cached_input_tokens: cached,
    output_tokens: output,
    reasoning_output_tokens: countOf(details.thinking_tokens),
    total_tokens: input + output,
  };
}

export const sumOf = (one: Counts, other: Counts): Counts => ({
  input_tokens: one.input_tokens + other.input_tokens,
  cached_input_tokens: one.cached_input_tokens + other.cached_input_tokens,
  output_tokens: one.output_tokens + other.output_tokens,
  reasoning_output_tokens: one.reasoning_output_tokens + other.reasoning_output_tokens,
  total_tokens: one.total_tokens + other.total_tokens,
});

/** Counts as they were stored. */
export function storedCounts(value: Json | undefined): Counts {
  const from = isObject(value) ? value : {};
  return {
    input_tokens: countOf(from.input_tokens),
    cached_input_tokens: countOf(from.cached_input_tokens),
    output_tokens: countOf(from.output_tokens),
    reasoning_output_tokens: countOf(from.reasoning_output_tokens),
    total_tokens: countOf(from.total_tokens),
  };
}
