/** Which words of a proof lead out of the tree it runs in. */
import { expect, test } from "bun:test";
import { pathOutside } from "../../src/core/landing.ts";

const outside = (words: readonly string[], depth = 0): string | null =>
  pathOutside(
    words,
    depth,
    (top) => ["/home", "/usr", "/dev"].includes(top),
    (program) => program === "/usr/bin/sh",
  );

test("a path that stands there is found whole, inside the words of a shell, as a value and above the tree", () => {
  expect(outside(["test", "-e", "/home/x"])).toBe("/home/x");
  expect(outside(["sh", "-c", "cat '/home/x' | wc"])).toBe("/home/x");
  expect(outside(["env", "X=/home/y", "true"])).toBe("/home/y");
  expect(outside(["cat", "//home/x"])).toBe("//home/x");
  expect(outside(["cat", "~/x"])).toBe("~/x");
  expect(outside(["test", "-e", "../elsewhere/x"])).toBe("../elsewhere/x");
  expect(outside(["cat", "sub/../../x"])).toBe("sub/../../x");
  expect(outside(["cat", "../../x"], 1)).toBe("../../x");
});

test("what stays in the tree, what only looks like a path, programs of the search path and /dev/null lead nowhere", () => {
  expect(outside(["cat", "../x"], 1)).toBeNull();
  expect(outside(["cat", "sub/../x", "a/..b", "..."])).toBeNull();
  expect(outside(["sed", "/pattern/d", "-e", "s/a/b/"])).toBeNull();
  expect(outside(["/usr/bin/sh", "-c", "true 2>/dev/null"])).toBeNull();
});
