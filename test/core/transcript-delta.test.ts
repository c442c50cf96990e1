/** What is new on a screen, and what of it is kept by mode. */
import { expect, test } from "bun:test";
import { screenLines, segmentByMode, transcriptDelta } from "../../src/core/observe/transcript-delta.ts";

/** The rule as it is written, the slow way. */
function naive(before: string, after: string): number {
  const [old, fresh] = [screenLines(before), screenLines(after)];
  for (let k = Math.min(old.length, fresh.length); k > 0; k -= 1) if (old.slice(-k).every((line, at) => line === fresh[at])) return k;
  return 0;
}

test("the largest overlap is found, as by the plain rule", () => {
  let seed = 7;
  const random = (below: number) => (seed = (seed * 1103515245 + 12345) % 2147483648) % below;
  for (let round = 0; round < 2000; round += 1) {
    const text = () => Array.from({ length: 1 + random(12) }, () => "ab"[random(2)]).join("\n");
    const [before, after] = [text(), text()];
    const k = naive(before, after);
    const delta = transcriptDelta(before, after);
    const expected = screenLines(after).slice(k);
    expect(delta?.lines ?? []).toEqual(expected);
    if (delta) expect([delta.kind, delta.start, delta.end]).toEqual([k > 0 ? "segment" : "reset", k + 1, screenLines(after).length]);
  }
});

test("blank lines below a half-empty screen are nobody's", () => {
  expect(transcriptDelta("one\ntwo\n\n\n\n", "one\ntwo\nthree\n\n\n")).toEqual({ kind: "segment", lines: ["three"], start: 3, end: 3 });
  expect(transcriptDelta("one\n\n", "one\n\n\n\n")).toBeNull();
  expect(transcriptDelta("one", "\n\n")).toBeNull();
});

test("no earlier screen, or nothing in common, begins anew", () => {
  expect(transcriptDelta(null, "a\nb\n")).toEqual({ kind: "reset", lines: ["a", "b"], start: 1, end: 2 });
  expect(transcriptDelta("x", "a\nb\n")?.kind).toBe("reset");
});

test("ten thousand equal lines take no time", () => {
  const many = (n: number) => "same\n".repeat(n);
  expect(transcriptDelta(many(10_000), many(10_001))?.lines).toEqual(["same"]);
});

test("what each mode keeps", () => {
  const after = Array.from({ length: 60 }, (_, n) => `line ${n + 1}`).join("\n");
  const before = "line 1\nline 2";
  expect(segmentByMode("segment", before, after)).toMatchObject({ kind: "segment", start: 3, end: 60, lineCount: 58 });
  expect(segmentByMode("full", null, after)).toMatchObject({ kind: "reset", start: 1, end: 60 });
  expect(segmentByMode("excerpt", before, after)).toMatchObject({ kind: "excerpt", start: 21, end: 60, lineCount: 40 });
  expect(segmentByMode("excerpt", after, `${after}\nlast`)).toMatchObject({ kind: "excerpt", start: 61, end: 61, text: "last" });
  expect(segmentByMode("snapshot", before, after)).toMatchObject({ kind: "snapshot", start: 1, end: 60 });
  expect(segmentByMode("snapshot", after, after)).toBeNull();
  expect(segmentByMode("metadata", after, after)).toMatchObject({ kind: "metadata", text: null, start: null, end: null, lineCount: 0 });
});
