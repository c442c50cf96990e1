/** Why a turn failed: what kind of trouble it was, in the agent's words, and when a spent limit will be full again. */
import { instant } from "../time.ts";

export type TurnErrorKind = "usage_limit" | "overloaded" | "server_error" | "context_full" | "auth" | "disconnected" | "other";

export interface TurnError {
  readonly kind: TurnErrorKind;
  /** As the agent told it. */
  readonly message: string;
  /** When the spent limit is full again, as told by the newest limits on record before; null when they do not tell. */
  readonly resets_at: string | null;
}

const WORDS: Readonly<Record<TurnErrorKind, string>> = {
  usage_limit: "usage limit",
  overloaded: "the model is overloaded",
  server_error: "an error of the model's server",
  context_full: "the context window is full",
  auth: "not signed in, or not allowed",
  disconnected: "the connection to the model was lost",
  other: "an error",
};

const two = (n: number): string => String(n).padStart(2, "0");

/** Hours and minutes where this runs; with the day, when it is another one. */
function clockWords(at: number, from: number | null): string {
  const then = new Date(at);
  const time = `${two(then.getHours())}:${two(then.getMinutes())}`;
  if (from !== null && new Date(from).toDateString() === then.toDateString()) return time;
  return `${then.getFullYear()}-${two(then.getMonth() + 1)}-${two(then.getDate())} ${time}`;
}

/**
 * The failure in a few words, for instance `usage limit, until 17:42`; none of the agent's own, which may be anything.
 * @param failedAt when the turn failed: a limit that is over on the same day is told without the date
 */
export function failureWords({ kind, resets_at }: Pick<TurnError, "kind" | "resets_at">, failedAt: string | null): string {
  const until = instant(resets_at);
  return until === null ? WORDS[kind] : `${WORDS[kind]}, until ${clockWords(until, instant(failedAt))}`;
}
