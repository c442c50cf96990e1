/** What is told of limits, and what of that is believed. */
import { expect, test } from "bun:test";
import { isPlausible, windowsOf } from "../../src/core/agent/limits.ts";

const NOTED = "2026-01-01T00:00:00.000Z";
const second = (iso: string) => Date.parse(iso) / 1000;
const primary = (window: unknown) => windowsOf({ limit_id: "codex", primary: window, secondary: null } as never, NOTED);

test("newer and older ways of telling a reset are read alike, each window for itself", () => {
  const told = { used_percent: 42.5, window_minutes: 300, resets_at: second("2026-01-01T05:00:00Z") };
  const week = { used_percent: 7, window_minutes: 10080, resets_in_seconds: 3600 };
  expect(windowsOf({ limit_id: "codex", primary: told, secondary: week } as never, NOTED)).toEqual([
    { limit_id: "codex", window: "primary", used_percent: 42.5, window_minutes: 300, resets_at: "2026-01-01T05:00:00.000Z" },
    { limit_id: "codex", window: "secondary", used_percent: 7, window_minutes: 10080, resets_at: "2026-01-01T01:00:00.000Z" },
  ]);
});

test("what is not told is left out and never zero", () => {
  expect(windowsOf({ primary: null, secondary: null } as never, NOTED)).toEqual([]);
  for (const nothing of [undefined, null, 3, "codex", []]) expect(windowsOf(nothing as never, NOTED)).toEqual([]);
  expect(primary({ used_percent: 10 })).toEqual([
    { limit_id: "codex", window: "primary", used_percent: 10, window_minutes: null, resets_at: null },
  ]);
});

test("numbers that cannot be are not believed", () => {
  for (const used_percent of [-1, -1e308, 1e308, Number.NaN, Number.POSITIVE_INFINITY, "50", null])
    expect(primary({ used_percent, resets_at: second("2026-01-01T05:00:00Z") })).toEqual([]);
  expect(primary({ used_percent: 130 })).toMatchObject([{ used_percent: 100 }]);
  for (const resets_at of [-5, 0, 1e308, Number.NaN, second("2026-03-01T00:00:00Z"), "soon", null])
    expect(primary({ used_percent: 50, resets_at })).toMatchObject([{ used_percent: 50, resets_at: null }]);
  for (const resets_in_seconds of [-5, 1e308, Number.NaN, 90 * 86_400])
    expect(primary({ used_percent: 50, resets_in_seconds })).toMatchObject([{ resets_at: null }]);
  for (const window_minutes of [-300, 0, Number.NaN, Number.POSITIVE_INFINITY, "300"])
    expect(primary({ used_percent: 50, window_minutes })).toMatchObject([{ window_minutes: null }]);
  expect(isPlausible(Number.NaN, 0)).toBe(false);
  // A record without a time of its own tells a second, not how far it is.
  expect(windowsOf({ primary: { used_percent: 1, resets_in_seconds: 60 } } as never, "no time")).toMatchObject([{ resets_at: null }]);
});
