/** Lists read from exports that somebody else may have written. */
import { expect, test } from "bun:test";
import { isLink } from "../../src/core/chain.ts";
import { linesOf, listMembers } from "../../src/core/audit/exported-rows.ts";
import { Failure } from "../../src/core/failure.ts";

const pieces = (text: string, size: number) =>
  (function* () {
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  })();

test("lines are the same however the bytes come", () => {
  const text = "a\n\nbé€\n\nlong line\nend";
  for (const size of [1, 2, 3, 7, 100]) expect([...linesOf(pieces(text, size))]).toEqual(text.split("\n"));
  expect([...linesOf(pieces("a\n", 1))]).toEqual(["a"]);
});

test("a line without end is refused before it fills the memory", () => {
  let given = 0;
  const endless = function* () {
    for (const piece = new Uint8Array(1 << 20).fill(0x61); ; given++) yield piece;
  };
  expect(() => [...linesOf(endless())]).toThrow(Failure);
  expect(given).toBeLessThan(100);
});

test("what is no record of ours is refused in words", () => {
  expect([...listMembers(["[", "  {", '    "a": 1', "  },", "  {}", "]"])]).toEqual([{ a: 1 }, {}]);
  for (const row of [
    ["  {bad", "  }"],
    ["  null", "  }"],
    [`  ${"[".repeat(200_000)}`, "  }"],
  ])
    expect(() => [...listMembers(["[", ...row, "]"])]).toThrow(Failure);
});

test("links have the form of links", () => {
  expect(isLink({ hash: "h", id: 1, row_sha256: null, table: "events" })).toBe(true);
  for (const wrong of [{ table: "toString" }, { table: {} }, { id: [] }, { hash: 1 }, { row_sha256: 1 }]) {
    expect(isLink({ hash: "h", id: 1, row_sha256: null, table: "events", ...wrong })).toBe(false);
  }
});
