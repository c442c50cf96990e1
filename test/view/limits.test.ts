import { expect, test } from "bun:test";
import { budgetText, limitsText } from "../../src/view/limits.ts";

const shown = {
  task: "one",
  budget: null,
  tokens_used: 1810,
  tokens_cached: 24_000,
  window_used_percent: null,
  over: false,
  until: null,
  parked: 0,
};

test("a budget says what is used of what, and what nobody told", () => {
  expect(budgetText(shown)).toBe(
    "one has no budget\ntokens: 1810 used, besides 24000 that were cached\nwindow of its worker's account: nobody told how much is used",
  );
  const budget = { tokens: 100, window_percent: 80 };
  expect(budgetText({ ...shown, budget, over: true, parked: 1 })).toBe(
    [
      "one is over its budget",
      "tokens: 1810 of 100 used, besides 24000 that were cached",
      "window of its worker's account: nobody told how much of 80 % is used",
      "nothing more is said to its worker",
      "1 message for its worker waits",
    ].join("\n"),
  );
  expect(budgetText({ ...shown, budget, window_used_percent: 12.34 })).toContain("account: 12.3 % of 80 % used");
});

test("a session at its limit, and until when where that was told", () => {
  const session = { session: "w1", role: "worker", tasks: ["one"], limited: true, resets_at: null, parked: 0 };
  const line = (more: Partial<typeof session> | { resets_at: string }): string | undefined =>
    limitsText([{ agent: "codex", home: "/h", windows: [], sessions: [{ ...session, ...more }] }])
      .split("\n")
      .at(-1);
  expect(line({})).toBe("w1 (worker of one): limited, and nobody told until when");
  expect(line({ resets_at: "2026-01-01T00:00:00.000Z" })).toBe("w1 (worker of one): limited until 2026-01-01T00:00:00.000Z");
  expect(line({ limited: false, parked: 2 })).toBe("w1 (worker of one): not limited, 2 messages are parked for it");
  expect(line({ session: "m1", role: "manager", tasks: ["one", "two"] })).toStartWith("m1 (manager of one, two): limited");
});
