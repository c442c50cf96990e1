/** What a pass reports, and what a dispatcher remembers from pass to pass. */

/** One thing that a pass did. */
export type Item = Readonly<Record<string, unknown>>;

/** What a running dispatcher need not find out again at every pass. */
export interface PassMemory {
  /** Ended turns that somebody else's notification stands for. */
  readonly suppressed: Set<number>;
  /** Notifications that could not be sent, and until when (by the context's clock) they are left alone. */
  readonly resting: Map<number, { until: number; tries: number }>;
}

export const newMemory = (): PassMemory => ({ suppressed: new Set(), resting: new Map() });

const LONGEST_REST_MS = 60_000;

/** Lets a notification rest, twice as long with every failure. */
export function rest(memory: PassMemory, id: number, nowMs: number): void {
  const tries = (memory.resting.get(id)?.tries ?? 0) + 1;
  memory.resting.set(id, { until: nowMs + Math.min(LONGEST_REST_MS, 1000 * 2 ** tries), tries });
}

export const isResting = (memory: PassMemory, id: number, nowMs: number): boolean => (memory.resting.get(id)?.until ?? 0) > nowMs;
