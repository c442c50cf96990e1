/**
 * The error with which a turn ends, in the stored form (`task_complete.error`, as Codex writes it), by kind, and the limits noted before.
 */
import { isObject, type Json, type JsonObject } from "../json.ts";
import type { TurnError, TurnErrorKind } from "./failed-turn.ts";
import { instant, toIso } from "../time.ts";
import { windowsOf } from "./limits.ts";

/** Names of Codex's own, as they stand in its program (0.169 and 0.171). Those that carry a status of HTTP go by that first. */
const KINDS: Readonly<Record<string, TurnErrorKind>> = {
  usage_limit_exceeded: "usage_limit",
  server_overloaded: "overloaded",
  rate_limit_exceeded: "overloaded",
  internal_server_error: "server_error",
  context_window_exceeded: "context_full",
  unauthorized: "auth",
  http_connection_failed: "disconnected",
  response_stream_connection_failed: "disconnected",
  response_stream_disconnected: "disconnected",
};

/** What Codex calls `other`, or does not name, is told apart by its words. The first that fit decide. */
const WORDS: readonly (readonly [RegExp, TurnErrorKind])[] = [
  [/\busage limit\b/i, "usage_limit"],
  [/\bcontext window\b|\bcontext_length_exceeded\b/i, "context_full"],
  [
    /stream disconnected|stream closed|error sending request|connection (?:closed|failed|lost|refused|reset)|network error/i,
    "disconnected",
  ],
  [/\boverloaded\b|\bat capacity\b/i, "overloaded"],
  [/\bunauthorized\b|\bnot logged in\b|refresh token|sign in again|log in again/i, "auth"],
];

/** A request that was understood and refused reached the other end: nothing was lost on the way. 408 is a connection that took too long. */
const isRefusal = (status: number): boolean => status >= 400 && status < 500 && status !== 408;

function ofStatus(status: number): TurnErrorKind | undefined {
  if (status === 401 || status === 403) return "auth";
  if (status === 429 || status === 503 || status === 529) return "overloaded";
  return status >= 500 && status < 600 ? "server_error" : undefined;
}

function kindOf(info: Json | undefined, message: string): TurnErrorKind {
  const [name, about] = isObject(info) ? (Object.entries(info)[0] ?? []) : [info, undefined];
  const told =
    isObject(about) && typeof about.http_status_code === "number" ? about.http_status_code : /\bstatus:? (\d{3})\b/.exec(message)?.[1];
  const named = typeof name === "string" && Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
  if (named !== undefined && named !== "disconnected") return named;
  const status = Number(told ?? Number.NaN);
  const inWords = WORDS.filter(([words]) => words.test(message)).map(([, kind]) => kind);
  const rest = isRefusal(status)
    ? inWords.filter((kind) => kind !== "disconnected")
    : [...(named === undefined ? [] : [named]), ...inWords];
  return ofStatus(status) ?? rest[0] ?? "other";
}

/** What the error of a `task_complete` says; null when the turn ended without one. */
export function readTurnError(error: Json | undefined): Omit<TurnError, "resets_at"> | null {
  if (error === undefined || error === null) return null;
  const { message: said, codex_error_info: info } = isObject(error) ? error : { message: error };
  const message = typeof said === "string" ? said : "";
  return { kind: kindOf(info, message), message };
}

/**
 * When the limits that a `token_count` noted let work go on: the last of its spent windows, or where none is spent to the full, the one
 * nearest to it. Null when it notes none, or none that lies after the failure.
 */
export function resetOf(payload: JsonObject, notedAt: string, failedAt: string): string | null {
  const failed = instant(failedAt);
  const windows = windowsOf(payload.rate_limits, notedAt).flatMap(({ used_percent: used, resets_at }) => {
    const resetsAt = instant(resets_at);
    return resetsAt === null ? [] : [{ used, resetsAt }];
  });
  const most = Math.max(...windows.map(({ used }) => used));
  const until = Math.max(...windows.filter(({ used }) => used >= most).map(({ resetsAt }) => resetsAt));
  return windows.length === 0 || (failed !== null && until <= failed) ? null : toIso(until);
}

/** Whether a `token_count` notes any window of a limit at all: without an account it does not. */
export const notesLimits = ({ rate_limits: limits }: JsonObject): boolean =>
  isObject(limits) && (isObject(limits.primary) || isObject(limits.secondary));
