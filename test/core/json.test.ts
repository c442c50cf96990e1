/** JSON as the tool writes it. */
import { expect, test } from "bun:test";
import { compactJson, parseStored, prettyJson } from "../../src/core/json.ts";

test("keys are sorted by code unit at every level, also those that look like numbers", () => {
  expect(compactJson({ b: [{ z: 1, A: 2, a: 3 }], "10": 1, "9": 2, é: 0 })).toBe('{"10":1,"9":2,"b":[{"A":2,"a":3,"z":1}],"é":0}');
});

test("undefined members are left out, empty containers stay short, other values as JSON has them", () => {
  expect(compactJson({ a: undefined, b: null, c: [], d: {}, e: [undefined], f: Number.NaN, g: "\u2028\n" })).toBe(
    JSON.stringify({ b: null, c: [], d: {}, e: [null], f: null, g: "\u2028\n" }),
  );
});

test("pretty is JSON.stringify with two spaces when the keys are in order", () => {
  const value = { a: [1, { b: "x" }, []], c: {}, d: [[2]] };
  expect(prettyJson(value)).toBe(JSON.stringify(value, null, 2));
});

test("a key called __proto__ is a key", () => {
  expect(compactJson(JSON.parse('{"__proto__":{"x":1},"a":2}'))).toBe('{"__proto__":{"x":1},"a":2}');
});

test("broken stored text gives the fallback", () => {
  expect(parseStored("{", { ok: true })).toEqual({ ok: true });
  expect(parseStored(null, [])).toEqual([]);
  expect(parseStored('{"a":1}', {})).toEqual({ a: 1 });
});
