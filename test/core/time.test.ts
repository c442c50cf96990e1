/** Instants and ages. */
import { expect, test } from "bun:test";
import { ageSeconds, instant, olderThan } from "../../src/core/time.ts";

const NOW = Date.parse("2026-01-01T00:01:00.900Z");

test("all stored forms of a time are read, anything else is none", () => {
  const forms = ["2026-01-01T00:01:00Z", "2026-01-01T00:01:00.000Z", "2026-01-01T00:01:00+00:00", "2026-01-01T00:01:00.000000+00:00"];
  expect(new Set(forms.map(instant))).toEqual(new Set([NOW - 900]));
  expect([instant(null), instant(""), instant("soon")]).toEqual([null, null, null]);
});

test("an age is told in whole seconds, but a limit is passed by any fraction of one", () => {
  expect(ageSeconds("2026-01-01T00:01:00Z", NOW)).toBe(0);
  expect(olderThan("2026-01-01T00:01:00Z", 0.5, NOW)).toBe(true);
  expect(olderThan("2026-01-01T00:01:00Z", 0.9, NOW)).toBe(false);
  expect(olderThan("2026-01-01T00:00:00Z", 60, NOW)).toBe(true);
  expect([olderThan(null, 0, NOW), olderThan("soon", 0, NOW)]).toEqual([false, false]);
});
