/** What can be waited for, and which of what is so and has happened counts for somebody who was shown the rest before. */
import { type Cursor, markOf } from "./cursor.ts";

/** What can be waited for, the most telling first: of several that came at once, that one is named. */
export const MEANINGS = {
  question: "its page or its protocol asks",
  limit: "it is at its limit now",
  failed: "its newest turn failed",
  crashed: "its newest turn died with its process",
  gone: "its process has ended",
  uncertain: "nobody can tell whether a message arrived",
  stalled: "both sides rest, nothing is queued, and the task is open, for ten minutes",
  done: "the task is finished or stopped",
  message: "an unread message waits for it",
  idle: "no turn is open",
} as const;

export type Reason = keyof typeof MEANINGS;
export const REASONS = Object.keys(MEANINGS) as readonly Reason[];

/** Those that the rows tell alone: no transcript, screen or process is looked at. */
export const OF_ROWS: ReadonlySet<Reason> = new Set(["done", "message", "uncertain"]);
/** Those that a terminal tells, alone or beside others. */
export const OF_SCREEN: ReadonlySet<Reason> = new Set(["question", "gone", "stalled"]);
/** Those that only a task has. */
export const OF_TASK: ReadonlySet<Reason> = new Set(["done", "stalled"]);

/** One thing that is so, or that happened, as it is shown. */
export interface Happening {
  readonly reason: Reason;
  /** As it was named on the command line; else the task of the binding. */
  readonly target: string;
  readonly task: string | null;
  readonly session: string | null;
  /** In one line, fit for a terminal. */
  readonly text: string;
  /** Whether it is still so: the end of a turn counts also when the next turn has begun. */
  readonly still: boolean;
  readonly details: Readonly<Record<string, unknown>>;
}

/** A happening before it is known whether it counts. */
export interface Sighting extends Happening {
  /** Names the fact: the same while it lasts, another when it comes again. */
  readonly key: string;
  /** The record that ended a turn. */
  readonly record?: number;
  /** The row of a message. */
  readonly message?: number;
}

/** What a look has found. */
export interface Look {
  readonly sightings: readonly Sighting[];
  /** How far the rows went in that same moment. */
  readonly marks: Pick<Cursor, "database" | "record" | "message" | "event">;
  /** Keys of messages that have a row and are not delivered yet: when they are, that is news though their rows are old. */
  readonly coming: readonly string[];
  /** False: something could not be looked at, and nothing is taken for over. */
  readonly whole: boolean;
}

const marksOf = (sightings: readonly Sighting[]): string[] => sightings.map(({ key }) => markOf(key));
const isMessage = ({ message }: Sighting): boolean => message !== undefined;

function counts({ key, record, message, still }: Sighting, cursor: Cursor): boolean {
  if (message !== undefined) return message > cursor.message || cursor.coming.has(markOf(key));
  return (record !== undefined && record > cursor.record) || (still && !cursor.known.has(markOf(key)));
}

/** What counts for who holds this cursor; without one, all that is so now. */
export const fresh = ({ sightings }: Look, cursor: Cursor | null): Sighting[] =>
  sightings.filter((sighting) => (cursor === null ? sighting.still : counts(sighting, cursor)));

/** The cursor of who was shown all that this look found. */
export const shownAll = ({ sightings, marks, coming }: Look): Cursor => ({
  ...marks,
  known: new Set(marksOf(sightings.filter((each) => each.still && !isMessage(each)))),
  coming: new Set(coming.map(markOf)),
});

/** The cursor of who was shown nothing of it, and of nothing before: all that is so now still counts, and all that comes. */
export const shownNothing = ({ sightings, marks, coming }: Look): Cursor => ({
  ...marks,
  known: new Set(),
  coming: new Set([...coming.map(markOf), ...marksOf(sightings.filter(isMessage))]),
});

/**
 * What is left of a cursor after a look of which nothing was shown. What is over by then is forgotten, so that it counts when it comes
 * again. The numbers stay: of several targets some may have something to show, and wait for the others.
 */
export function kept(cursor: Cursor, { sightings, whole }: Look): Cursor {
  if (!whole) return cursor;
  const so = new Set(marksOf(sightings.filter(({ still }) => still)));
  return { ...cursor, known: new Set([...cursor.known].filter((mark) => so.has(mark))) };
}
