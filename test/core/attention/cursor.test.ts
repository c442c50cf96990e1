/** Cursors: whole or nothing; and what counts for who holds one. */
import { expect, test } from "bun:test";
import { type Cursor, markOf, readCursor, writeCursor } from "../../../src/core/attention/cursor.ts";
import { fresh, kept, type Look, shownAll, shownNothing, type Sighting } from "../../../src/core/attention/reason.ts";

const cursor: Cursor = {
  database: markOf("a database"),
  record: 4711,
  message: 0,
  event: 99,
  known: new Set([markOf("one"), markOf("two")]),
  coming: new Set([markOf("three")]),
};

test("a cursor comes back as it was, and is short enough to be copied by hand", () => {
  const text = writeCursor(cursor);
  expect(readCursor(text)).toEqual(cursor);
  expect(text).toMatch(/^[\w.-]{1,64}$/);
  const empty = { ...cursor, known: new Set<string>(), coming: new Set<string>() };
  expect(readCursor(writeCursor(empty))).toEqual(empty);
});

test("one that was cut off, mistyped or made up is none", () => {
  const text = writeCursor(cursor);
  for (let at = 0; at < text.length; at++) {
    expect(readCursor(text.slice(0, at))).toBeNull();
    const other = text[at] === "a" ? "b" : "a";
    expect(readCursor(`${text.slice(0, at)}${other}${text.slice(at + 1)}`)).toBeNull();
  }
  for (const made of ["", "w1", "nonsense", " ", "w1.......", `${text} `, "2026-11-30T18:00:00Z", "x".repeat(100_000)])
    expect(readCursor(made)).toBeNull();
});

test("marks of a hundred thousand keys are all different", () => {
  const keys = Array.from({ length: 100_000 }, (_, n) => `message ${n}`);
  expect(new Set(keys.map(markOf)).size).toBe(keys.length);
});

const sighting = (key: string, more: Partial<Sighting> = {}): Sighting => ({
  key,
  reason: "gone",
  target: "w1",
  task: null,
  session: "w1",
  text: key,
  still: true,
  details: {},
  ...more,
});
const look = (marks: { record?: number; message?: number }, sightings: Sighting[], coming: string[] = [], whole = true): Look => ({
  sightings,
  coming,
  whole,
  marks: { database: cursor.database, record: marks.record ?? 0, message: marks.message ?? 0, event: 0 },
});
const keys = (found: readonly Sighting[]): string[] => found.map(({ key }) => key);

test("without a cursor all counts that is so; with one, what it was not shown", () => {
  const first = look({ record: 5 }, [sighting("a"), sighting("over", { still: false, record: 5 })]);
  expect(keys(fresh(first, null))).toEqual(["a"]);
  const shown = shownAll(first);
  expect(fresh(first, shown)).toEqual([]);
  const next = look({ record: 7 }, [sighting("a"), sighting("b"), sighting("end", { still: false, record: 6 })]);
  expect(keys(fresh(next, shown))).toEqual(["b", "end"]);
  expect(fresh(next, shownAll(next))).toEqual([]);
});

test("what was over and came again counts again, unless nobody could look", () => {
  const so = look({}, [sighting("a")]);
  const shown = shownAll(so);
  expect(keys(fresh(so, kept(shown, look({}, []))))).toEqual(["a"]);
  expect(fresh(so, kept(shown, look({}, [], [], false)))).toEqual([]);
});

test("a message counts once: by its row, or when it had one before and comes later", () => {
  const message = (id: number): Sighting => sighting(`message ${id}`, { reason: "message", message: id });
  const shown = shownAll(look({ message: 7 }, [message(7)], ["message 6"]));
  expect(keys(fresh(look({ message: 8 }, [message(6), message(7), message(8)]), shown))).toEqual(["message 6", "message 8"]);
  const none = shownNothing(look({ message: 7 }, [message(7)], ["message 6"]));
  expect(keys(fresh(look({ message: 8 }, [message(5), message(6), message(7), message(8)]), none))).toEqual([
    "message 6",
    "message 7",
    "message 8",
  ]);
});
