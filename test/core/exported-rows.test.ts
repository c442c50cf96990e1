/** Lists read from exports that somebody else may have written. */
import { expect, test } from "bun:test";
import { isLink } from "../../src/core/chain.ts";
import { linesOf, listMembers, prettyLines } from "../../src/core/audit/exported-rows.ts";
import { Failure } from "../../src/core/failure.ts";
import { prettyJson } from "../../src/core/json.ts";

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

test("bytes that are no text are refused, wherever they are cut", () => {
  for (const size of [1, 2, 100]) {
    const cut = pieces("\u00e4", 1);
    expect(() => [
      ...linesOf([Buffer.from("a\n"), ...[...cut].slice(0, size === 1 ? 1 : 2).map((b) => Buffer.from(b)), Buffer.of(0xff)]),
    ]).toThrow(Failure);
  }
  expect([...linesOf([Buffer.of(0xef, 0xbb, 0xbf, 0x61)])]).toEqual(["\ufeffa"]);
});

test("lines are those that we write, and no reader can see anything else in them", () => {
  const ours = {
    a: [1, -0.5, 1e30, "x,", 'q"\\', "\u2028 \ud800 \u00e4", true, null, [], {}, [[], [1]]],
    'b"c': { "": 1, a: {}, b: [{ c: 1 }, { c: 2 }] },
    "\u00e9": "end\\",
  };
  for (const value of [ours, [ours, ours], [], {}, 1, "x"]) {
    const lines = prettyJson(value).split("\n");
    expect([...prettyLines(lines)]).toEqual(lines);
  }
  for (const text of [
    '{\n  "a": 1,\n  "a": 2\n}',
    '{\n  "a": 1,\n  "\\u0061": 2\n}',
    '{\n  "b": 1,\n  "a": 2\n}',
    '{\n  "a": 1, "b": 2\n}',
    '{\n  "a": {"b": 1, "b": 2}\n}',
    '{\n  "a": [1]\n}',
    '{\n  "a" : 1\n}',
    '{\n  "a":1\n}',
    '{\n   "a": 1\n}',
    '{\n  "a": 1.0\n}',
    '{\n  "a": "\\u0061"\n}',
    '{\n  "a": 1\n}\n{\n}',
    '{\n  "a": 1\n}\n',
    '{\n  "a": 1\n]',
    "{\n  1\n}",
    '[\n  "a": 1\n]',
    "[\n  1\n",
    "[\r\n  1\r\n]",
    "\ufeff[]",
    "]",
    "{",
    "",
  ])
    expect(() => [...prettyLines(text.split("\n"))], text).toThrow(Failure);
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
