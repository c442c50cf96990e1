/** Errors of the system, in words. */
import { expect, test } from "bun:test";
import { readFileSync, rmdirSync } from "node:fs";
import { reasonOf } from "../../src/core/failure.ts";

const refused = (action: () => unknown): string => {
  try {
    action();
  } catch (error) {
    return reasonOf(error);
  }
  throw new Error("it worked");
};

test("the reason stands without code, call and path", () => {
  expect(refused(() => readFileSync("/no such, file 'x'"))).toBe("no such file or directory");
  expect(refused(() => readFileSync("/dev/null/x"))).toBe("not a directory");
  expect(refused(() => rmdirSync("/proc"))).not.toContain("/proc");
  expect(reasonOf(new Error("something else, altogether"))).toBe("something else, altogether");
});
