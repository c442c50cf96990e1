/** Rules of notify: which thing each is for, and when. */
import { describe, expect, test } from "bun:test";
import { kindsOf, nextNotice, ruleIn, wants } from "../../../src/core/attention/notify.ts";

const AT = Date.parse("2026-01-01T00:00:00.000Z");
const last = (nth: number) => ({ nth, claimed_at: "2026-01-01T00:00:00.000Z" });

describe("a notice is due", () => {
  test("at once, or when the thing has lasted for so long", () => {
    expect(nextNotice({ after_seconds: 0, repeat_seconds: null }, AT, null)).toEqual({ nth: 1, atMs: AT });
    expect(nextNotice({ after_seconds: 60, repeat_seconds: null }, AT, null)).toEqual({ nth: 1, atMs: AT + 60_000 });
  });
  test("once, unless the rule repeats it: then so long after the one before was begun", () => {
    expect(nextNotice({ after_seconds: 60, repeat_seconds: null }, AT, last(1))).toBeNull();
    expect(nextNotice({ after_seconds: 60, repeat_seconds: 5 }, AT - 1e6, last(2))).toEqual({ nth: 3, atMs: AT + 5000 });
  });
});

test("a rule without kinds is for what presses now, another for its kinds", () => {
  const [question, stalled] = [{ kind: "question", weight: "now" } as const, { kind: "stalled", weight: "soon" } as const];
  expect([wants({ on: null }, question), wants({ on: null }, stalled)]).toEqual([true, false]);
  expect([wants({ on: ["stalled"] }, question), wants({ on: ["stalled"] }, stalled)]).toEqual([false, true]);
});

test("kinds are words of ours", () => {
  expect(kindsOf(" question,limit,question, ")).toEqual({ kinds: ["question", "limit"] });
  expect(kindsOf("question,Limit")).toEqual({ unknown: "Limit" });
});

test("what is no rule is none: another form, a program without a whole path, an id that leads elsewhere", () => {
  const rule = {
    id: "notify-1",
    on: null,
    after_seconds: 0,
    repeat_seconds: null,
    added_at: "",
    how: { way: "program", argv: ["/bin/true"] },
  };
  expect(ruleIn(rule)).toEqual(rule as never);
  for (const change of [
    { id: "../notify-1" },
    { on: [] },
    { repeat_seconds: 0 },
    { after_seconds: -1 },
    { how: { way: "program", argv: ["true"] } },
    { how: { way: "shell" } },
  ])
    expect(ruleIn({ ...rule, ...change })).toBeNull();
  expect(ruleIn(null)).toBeNull();
});
