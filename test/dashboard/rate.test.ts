/** A bucket lets a burst through, then a steady drip. */
import { expect, test } from "bun:test";
import { Rate } from "../../src/dashboard/rate.ts";

test("a burst, then as fast as it refills, never more than the burst", () => {
  let now = 0;
  const rate = new Rate(3, 2, () => now);
  const taken = (tries: number): number => Array.from({ length: tries }, () => rate.take()).filter(Boolean).length;
  expect(taken(5)).toBe(3);
  now += 500;
  expect(taken(5)).toBe(1);
  now += 60_000;
  expect(taken(5)).toBe(3);
});
