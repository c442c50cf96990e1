/** A stretch of time that ends now, written like `24h`. */

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

export interface Window {
  /** As it was asked for. */
  readonly label: string;
  readonly seconds: number;
  readonly start: string;
  readonly end: string;
}

/** Seconds of a whole positive number directly followed by s, m, h, d or w; null for anything else. */
export function windowSeconds(text: string): number | null {
  const [, count, unit] = /^(\d+)([smhdw])$/i.exec(text.trim()) ?? [];
  const seconds = Number(count) * (SECONDS[unit?.toLowerCase() ?? ""] ?? Number.NaN);
  return seconds > 0 && Number.isSafeInteger(seconds) ? seconds : null;
}

/** The window of this length up to `nowMs`. The start stays within what a date can say. */
export const windowUntil = (label: string, seconds: number, nowMs: number): Window => ({
  label: label.trim(),
  seconds,
  start: new Date(Math.max(nowMs - seconds * 1000, 0)).toISOString(),
  end: new Date(nowMs).toISOString(),
});
