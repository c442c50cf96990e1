/** Lengths of time as people write them. */
import { expect, test } from "bun:test";
import { windowSeconds, windowUntil } from "../../src/core/window.ts";

const taken: [string, number][] = [
  ["1s", 1],
  ["90m", 5400],
  ["24H", 86_400],
  [" 2d ", 172_800],
  ["1w", 604_800],
  ["007s", 7],
];
for (const [text, seconds] of taken) test(`${JSON.stringify(text)} is ${seconds} seconds`, () => expect(windowSeconds(text)).toBe(seconds));
for (const text of ["", "0s", "-1h", "1.5h", "1 h", "h", "1y", "1hh", "99999999999999999w", "1e3s"])
  test(`${JSON.stringify(text)} is none`, () => expect(windowSeconds(text)).toBeNull());

test("a window ends now, to the millisecond, and never begins before time", () => {
  expect(windowUntil(" 1S", 1, 1_500)).toEqual({
    label: "1S",
    seconds: 1,
    start: "1970-01-01T00:00:00.500Z",
    end: "1970-01-01T00:00:01.500Z",
  });
  expect(windowUntil("9w", 9e12, 1_500).start).toBe("1970-01-01T00:00:00.000Z");
});
