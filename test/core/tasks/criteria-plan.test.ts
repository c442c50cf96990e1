import { expect, test } from "bun:test";
import { planCriteria } from "../../../src/core/tasks/criteria-plan.ts";

const items = (answer: string) => planCriteria(answer).suggestions.map(({ status, criterion }) => `${status[0]} ${criterion}`);

test("plural headings switch the section", () => {
  expect(items("## Must-haves\n- a\n## Follow-ups\n- b\n**Current tasks:**\n- c\n__Follow ups__\n- d")).toEqual([
    "a a",
    "d b",
    "a c",
    "d d",
  ]);
});

test("prose that merely names a section does not switch it", () => {
  expect(items("Must-have:\n- a\nThe reviewer accepted the first version last week, so this stays.\n- b\nI deferred it.\n- c")).toEqual([
    "a a",
    "a b",
    "a c",
  ]);
  expect(items("Here is what I think we must have before this can be called done:\n- a")).toEqual(["a a"]);
});

test("a checkbox behind a bullet is dropped", () => {
  expect(items("Must-have\n- [ ] open\n* [x] done\n1. [X] third")).toEqual(["a open", "a done", "a third"]);
});

test("line ends of Windows, continuations and backticks", () => {
  expect(items("Must-have:\r\n- `a\r\n  b`  c\r\n\r\n  not an item\r\n- `d`\r\n")).toEqual(["a a b` c", "a d"]);
});

test("warnings tell a missing heading from missing items", () => {
  expect(planCriteria("- a\n- b")).toEqual({ suggestions: [], warnings: [expect.stringContaining("No heading")] });
  expect(planCriteria("Must-have:\n- none\nFollow-up:\n- N/A")).toEqual({
    suggestions: [],
    warnings: [expect.stringContaining("no items")],
  });
  expect(planCriteria("")).toMatchObject({ suggestions: [], warnings: [expect.any(String)] });
});
