/** What a screen shows that the one before did not: the new lines after the longest overlap, or all of it when there is none. */
import { byteCount } from "../text-size.ts";

interface Delta {
  readonly kind: "segment" | "reset";
  readonly lines: readonly string[];
  /** Line numbers within the new screen, from 1. */
  readonly start: number;
  readonly end: number;
}

/** The lines of a screen without the blank ones that tmux pads its end with. */
export function screenLines(text: string): string[] {
  const lines = text.split(/\r\n|\r|\n/);
  while (lines.length > 0 && lines.at(-1)!.trim() === "") lines.pop();
  return lines;
}

/** How many lines at the end of `before` are those at the beginning of `after`: the most there can be, in one pass over both. */
function overlap(before: readonly string[], after: readonly string[]): number {
  // For each line of `after`: how long a beginning of `after` ends there (Knuth, Morris, Pratt).
  const falls: number[] = [0];
  for (let at = 1, length = 0; at < after.length; at += 1) {
    while (length > 0 && after[at] !== after[length]) length = falls[length - 1]!;
    if (after[at] === after[length]) length += 1;
    falls[at] = length;
  }
  let matched = 0;
  for (const line of before) {
    if (matched === after.length) matched = falls[matched - 1] ?? 0;
    while (matched > 0 && after[matched] !== line) matched = falls[matched - 1]!;
    if (after.length > 0 && after[matched] === line) matched += 1;
  }
  return matched;
}

/** @param before the previous screen, null when it is unknown; null comes back when nothing is new */
export function transcriptDelta(before: string | null, after: string): Delta | null {
  const lines = screenLines(after);
  if (lines.length === 0) return null;
  const known = before === null ? 0 : overlap(screenLines(before), lines);
  if (known === lines.length) return null;
  return { kind: known > 0 ? "segment" : "reset", lines: lines.slice(known), start: known + 1, end: lines.length };
}

export const TRANSCRIPT_MODES = ["metadata", "excerpt", "snapshot", "segment", "full"] as const;
export type TranscriptMode = (typeof TRANSCRIPT_MODES)[number];

/** A segment as it is stored. */
export interface Segment {
  readonly kind: "metadata" | "excerpt" | "snapshot" | "segment" | "reset";
  readonly text: string | null;
  readonly start: number | null;
  readonly end: number | null;
  readonly lineCount: number;
  readonly byteCount: number;
}

const EXCERPT = 40;

function segmentOf(kind: Segment["kind"], lines: readonly string[], start: number): Segment {
  const text = lines.join("\n");
  return { kind, text, start, end: start + lines.length - 1, lineCount: lines.length, byteCount: byteCount(text) };
}

/**
 * What is kept of a screen by mode; null when nothing is.
 * @param before the previous screen, null when there is none or its text is gone
 */
export function segmentByMode(mode: TranscriptMode, before: string | null, after: string): Segment | null {
  if (mode === "metadata") return { ...segmentOf("metadata", screenLines(after), 1), text: null, start: null, end: null, lineCount: 0 };
  const delta = transcriptDelta(before, after);
  if (delta === null) return null;
  if (mode === "snapshot") return segmentOf("snapshot", screenLines(after), 1);
  if (mode === "excerpt") return segmentOf("excerpt", delta.lines.slice(-EXCERPT), Math.max(delta.start, delta.end - EXCERPT + 1));
  return segmentOf(delta.kind, delta.lines, delta.start);
}
