/** JSON in pieces is the same as JSON at once. */
import { expect, test } from "bun:test";
import { prettyJson } from "../../src/core/json.ts";
import { jsonParts, Late, Stream } from "../../src/view/json-stream.ts";

const streamed = (value: unknown) => [...jsonParts(value)].join("");

const values: unknown[] = [
  null,
  1,
  "a\nb",
  [],
  {},
  [[], {}],
  [1, [2, { b: 1, a: [3] }]],
  { 10: 1, 9: [{ x: "\u2028</script>" }], u: undefined, deep: { er: [{}, { n: null }] } },
];
for (const value of values) test(JSON.stringify(value), () => expect(streamed(value)).toBe(prettyJson(value)));

test("streams stand where lists would, at any depth, and what is late is asked for late", () => {
  let count = 0;
  const members = function* () {
    for (const member of [{ b: 1, a: [] }, "x\ny"]) {
      count++;
      yield member;
    }
  };
  const value = (list: unknown, late: unknown, none: unknown) => ({ z: late, list, within: [{ list }], none });
  expect(streamed(value(new Stream(members), new Late(() => count), new Stream(() => [])))).toBe(prettyJson(value([...members()], 4, [])));
});
