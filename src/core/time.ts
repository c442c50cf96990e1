/** Instants as stored: UTC ISO 8601 with milliseconds and `Z`; older files hold other forms that must read alike. */

/** @param ms milliseconds since the epoch */
export const toIso = (ms: number): string => new Date(ms).toISOString();

/** Milliseconds since the epoch, or null when the text is no instant. Takes `…Z`, `+00:00`, with or without fractions. */
export function instant(text: string | null | undefined): number | null {
  if (!text) return null;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? null : ms;
}

/** Whole seconds from `text` to `nowMs`, at least 0; null when `text` is no instant. */
export function ageSeconds(text: string | null | undefined, nowMs: number): number | null {
  const at = instant(text);
  return at === null ? null : Math.max(0, Math.floor((nowMs - at) / 1000));
}

/** Whether `text` is an instant more than `seconds` before `nowMs`; limits may be fractions, so whole ages do not decide. */
export function olderThan(text: string | null | undefined, seconds: number, nowMs: number): boolean {
  const at = instant(text);
  return at !== null && nowMs - at > seconds * 1000;
}
