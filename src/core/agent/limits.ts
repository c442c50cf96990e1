/** How much of its limits an account has used, as a record in the stored form or an agent's protocol tells it. */
import { isObject, type Json, type JsonObject } from "../json.ts";
import { instant, toIso } from "../time.ts";

/** One window of a limit. */
export interface LimitWindow {
  /** Which of the limits of the account; empty: the only one. */
  readonly limit_id: string;
  readonly window: "primary" | "secondary";
  /** From 0 to 100. */
  readonly used_percent: number;
  /** How long the window is; null: not told. */
  readonly window_minutes: number | null;
  /** When it is full again; null: not told. */
  readonly resets_at: string | null;
}

/** Somewhat more than a month, the longest window of any plan. What is said to last longer is not believed. */
const LONGEST_MS = 40 * 24 * 3600 * 1000;
/** Agents tell more than all of it at times; what is beyond this is no percentage. */
const MOST_PERCENT = 1000;

/** The last that a date can be, in milliseconds since the epoch. */
const LAST_MS = 8.64e15;

/** Whether a limit may last until `at`, seen from `from`; both in milliseconds since the epoch. */
export const isPlausible = (at: number, from: number | null): boolean => at > 0 && at <= LAST_MS && at - (from ?? at) <= LONGEST_MS;

const positive = (value: Json | undefined): number | null =>
  typeof value === "number" && Number.isFinite(value) && value > 0 ? value : null;

/** Older versions tell in how many seconds a window is full again, newer ones at which second of the epoch. */
function windowOf(limits: JsonObject, window: LimitWindow["window"], notedAt: number | null): LimitWindow | null {
  const told = limits[window];
  if (!isObject(told) || typeof told.used_percent !== "number") return null;
  const used = told.used_percent;
  if (!(used >= 0 && used <= MOST_PERCENT)) return null;
  const [at, left] = [positive(told.resets_at), positive(told.resets_in_seconds)];
  const resets = at !== null ? at * 1000 : left === null || notedAt === null ? null : notedAt + left * 1000;
  return {
    limit_id: typeof limits.limit_id === "string" ? limits.limit_id : "",
    window,
    used_percent: Math.min(used, 100),
    window_minutes: positive(told.window_minutes),
    resets_at: resets !== null && isPlausible(resets, notedAt) ? toIso(resets) : null,
  };
}

/** The windows that a `rate_limits` tells of, in the stored form; what it does not tell, or what cannot be, is left out. */
export function windowsOf(limits: Json | undefined, notedAt: string): LimitWindow[] {
  const noted = instant(notedAt);
  if (!isObject(limits)) return [];
  return (["primary", "secondary"] as const).flatMap((window) => windowOf(limits, window, noted) ?? []);
}
