/** The reader of rollouts: pieces, partial lines, lines longer than a piece and longer than anything sensible. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { World } from "../harness.ts";
import { openRollout } from "../../src/system/files/rollout-reader.ts";

let w: World;
beforeEach(() => void (w = new World()));
afterEach(() => w.close());

async function readAll(content: string | Uint8Array, piece: number, longest = 1 << 20) {
  const file = openRollout(await w.file("r.jsonl", content), piece, longest)!;
  const lines: [number, string | null][] = [];
  let next = 0;
  for (;;) {
    const got = file.read(next);
    lines.push(...got.lines.map((line): [number, string | null] => [line.offset, line.text]));
    next = got.next;
    if (!got.more) break;
  }
  file.close();
  return { lines, next };
}

test("the size of a piece changes nothing", async () => {
  const content = "one\n\nthree is longer\nfünf ✓\nunfinished";
  const whole = await readAll(content, 4096);
  expect(whole).toEqual({
    lines: [
      [0, "one"],
      [4, ""],
      [5, "three is longer"],
      [21, "fünf ✓"],
    ],
    next: 31,
  });
  for (const piece of [1, 2, 3, 5, 7, 16, 31, 41]) expect(await readAll(content, piece)).toEqual(whole);
});

test("a line beyond the limit is passed over without being kept; its successor is read", async () => {
  expect(await readAll(`a\n${"x".repeat(500)}\nb\n`, 8, 64)).toEqual({
    lines: [
      [0, "a"],
      [2, null],
      [503, "b"],
    ],
    next: 505,
  });
  expect(await readAll(`a\n${"x".repeat(500)}`, 8, 64)).toEqual({ lines: [[0, "a"]], next: 2 });
});

test("one line that is not UTF-8 does not spoil its neighbours", async () => {
  const content = Buffer.concat([Buffer.from("ä\n"), Buffer.from([0xc3, 10]), Buffer.from("ö\n")]);
  expect((await readAll(content, 64)).lines).toEqual([
    [0, "ä"],
    [3, null],
    [5, "ö"],
  ]);
});

test("an empty file, a missing one and a folder", async () => {
  expect(await readAll("", 64)).toEqual({ lines: [], next: 0 });
  expect(openRollout(`${w.dir}/nothing`)).toBeNull();
  expect(openRollout(w.dir)).toBeNull();
});
