/** Where each item of the timeline is drawn: on a lane, and on it in a row where it covers no other. */
import { type Lane, LANES, type TimelineItem, type TokenPoint } from "../../core/audit/timeline.ts";

/** An item with what the page needs to find and draw it. */
export interface Placed extends TimelineItem {
  readonly index: number;
  /** Lower case, of everything that can be searched. */
  readonly words: string;
  row: number;
}

export const LANE_NAMES: Readonly<Record<Lane, string>> = {
  worker: "Worker",
  manager: "Manager",
  dispatch: "Dispatch",
  criteria: "Criteria",
  reviewer: "Reviewer",
  conveyor: "Conveyor",
};

const ROWS_MAX = 6;

/** By time; what has none comes first, as in the replay. */
export function placed(items: readonly TimelineItem[]): Placed[] {
  const sorted = items
    .map((item, order) => ({ item, order }))
    .sort((a, b) => (a.item.at ?? -Infinity) - (b.item.at ?? -Infinity) || a.order - b.order);
  return sorted.map(({ item }, index) => ({
    ...item,
    index,
    row: 0,
    words: `${item.kind} ${item.lane} ${item.title} ${JSON.stringify(item.details)}`.toLowerCase(),
  }));
}

export interface LaneBox {
  readonly lane: Lane;
  readonly rows: number;
  readonly items: readonly Placed[];
}

/**
 * The lanes that have items; on each, items go to the first row that is free when they begin. An instant takes as much room as a mark of
 * `markMs`.
 */
export function laneBoxes(items: readonly Placed[], markMs: number): LaneBox[] {
  return LANES.flatMap((lane) => {
    const mine = items.filter((item) => item.lane === lane && item.at !== null);
    if (mine.length === 0) return [];
    const ends: number[] = [];
    for (const item of mine) {
      let row = ends.findIndex((end) => end <= item.at!);
      if (row < 0) row = ends.length < ROWS_MAX ? ends.length : ends.indexOf(Math.min(...ends));
      item.row = row;
      ends[row] = Math.max(item.end ?? 0, item.at! + markMs);
    }
    return [{ lane, rows: Math.max(1, ends.length), items: mine }];
  });
}

/** From the first beginning to the last end. */
export function extent(items: readonly Placed[], tokens: readonly TokenPoint[]): { from: number; to: number } {
  let [from, to] = [Infinity, -Infinity];
  for (const { at, end } of items) {
    if (at === null) continue;
    from = Math.min(from, at);
    to = Math.max(to, at, end ?? at);
  }
  for (const { at } of tokens) {
    from = Math.min(from, at);
    to = Math.max(to, at);
  }
  if (from > to) return { from: 0, to: 1000 };
  const margin = Math.max(500, (to - from) * 0.02);
  return { from: from - margin, to: to + margin };
}
