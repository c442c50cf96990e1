/** PNG files of every kind read as pngjs reads them, and broken ones refused by name. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { PNG } from "pngjs";
import { openPng, PngWriter } from "../../../src/system/files/png-file.ts";
import { stageFile } from "../../../src/system/files/whole-file.ts";
import { chunk, header, type Kind, makePng, rawData, SIGNATURE } from "../../png.ts";

let dir: string;
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), "png-"))));
afterEach(() => rmSync(dir, { recursive: true }));

const put = (name: string, bytes: Uint8Array): string => {
  const path = join(dir, name);
  writeFileSync(path, bytes);
  return path;
};

async function pixels(path: string, bits: 8 | 16 = 8): Promise<number[]> {
  const file = openPng(path);
  try {
    const all: number[] = [];
    for await (const row of file.rows(bits)) all.push(...row);
    return all;
  } finally {
    file.close();
  }
}

/** Steady, and without a pattern that a filter could hide. */
const noise = (depth: number) => (x: number, y: number, channel: number) =>
  (((x * 2654435761) ^ (y * 40503 + channel * 9176 + 77) ^ ((x * y) << 3)) >>> 0) & (2 ** depth - 1);

const PALETTE = Array.from({ length: 256 }, (_, i) => [i, 255 - i, (i * 7) & 255] as [number, number, number]);
const KINDS: [number, number][] = [
  [0, 1],
  [0, 2],
  [0, 4],
  [0, 8],
  [0, 16],
  [2, 8],
  [2, 16],
  [3, 1],
  [3, 2],
  [3, 4],
  [3, 8],
  [4, 8],
  [4, 16],
  [6, 8],
  [6, 16],
];

describe("reads like pngjs", () => {
  for (const [colourType, depth] of KINDS) {
    for (const interlaced of [false, true]) {
      test(`colour type ${colourType}, depth ${depth}${interlaced ? ", interlaced" : ""}`, async () => {
        const sizes: [number, number][] = [
          [1, 1],
          [2, 3],
          [5, 1],
          [9, 7],
          [33, 17],
        ];
        for (const [width, height] of sizes) {
          const kind: Kind = {
            width,
            height,
            depth,
            colourType,
            interlaced,
            ...(colourType === 3 ? { palette: PALETTE.slice(0, 2 ** depth), transparency: Uint8Array.of(0, 128) } : {}),
          };
          const bytes = makePng(kind, noise(depth));
          const path = put("p.png", bytes);
          if (depth === 16) expect(await pixels(path, 16)).toEqual([...PNG.sync.read(bytes, { skipRescale: true }).data]);
          else expect(await pixels(path)).toEqual([...PNG.sync.read(bytes).data]);
        }
      });
    }
  }
});

test("small samples are widened exactly to 16 bits", async () => {
  const path = put(
    "p.png",
    makePng({ width: 4, height: 1, depth: 2, colourType: 0 }, (x) => x),
  );
  expect(await pixels(path, 16)).toEqual([0, 21845, 43690, 65535].flatMap((v) => [v, v, v, 65535]));
});

test("a colour that is named transparent is, and keeps its colour", async () => {
  const path = put(
    "p.png",
    makePng({ width: 2, height: 1, colourType: 2, transparency: Uint8Array.of(0, 9, 0, 9, 0, 9) }, (x) => (x === 0 ? 9 : 8)),
  );
  expect(await pixels(path)).toEqual([9, 9, 9, 0, 8, 8, 8, 255]);
});

test("split data, foreign chunks, wrong checksums, a missing end and bytes behind it are no matter", async () => {
  const kind = { width: 3, height: 5 };
  const data = deflateSync(rawData(kind, noise(8)));
  const wrong = chunk("tEXt", Buffer.from("k\0v"));
  wrong[wrong.length - 1]! ^= 1;
  const head = [
    SIGNATURE,
    header(kind),
    wrong,
    ...Array.from(data, (byte) => chunk("IDAT", Uint8Array.of(byte))),
    chunk("IDAT", new Uint8Array()),
  ];
  const expected = await pixels(put("whole.png", makePng(kind, noise(8))));
  expect(await pixels(put("no-end.png", Buffer.concat(head)))).toEqual(expected);
  expect(await pixels(put("behind.png", Buffer.concat([...head, chunk("IEND", new Uint8Array()), Buffer.from("tail")])))).toEqual(expected);
});

describe("refuses, naming the file", () => {
  const kind = { width: 2, height: 2 };
  const whole = makePng(kind, noise(8));
  const withData = (data: Uint8Array, of: Kind = kind) =>
    Buffer.concat([SIGNATURE, header(of), chunk("IDAT", data), chunk("IEND", new Uint8Array())]);
  const raw = rawData(kind, noise(8));
  const deflated = deflateSync(raw);
  const cases: [string, Uint8Array, string][] = [
    ["an empty file", new Uint8Array(), "not a PNG"],
    ["another format", Buffer.from("GIF89a, or so"), "not a PNG"],
    ["a truncated chunk", whole.subarray(0, whole.length - 20), "middle of a chunk"],
    ["no header", Buffer.concat([SIGNATURE, chunk("IEND", new Uint8Array())]), "no IHDR"],
    ["no width", Buffer.concat([SIGNATURE, header({ width: 0, height: 2 })]), "0x2"],
    ["a huge size", Buffer.concat([SIGNATURE, header({ width: 60_000, height: 60_000 })]), "60000x60000"],
    ["a kind that does not exist", Buffer.concat([SIGNATURE, header({ ...kind, depth: 4 })]), "supported"],
    ["data that is not deflated", withData(Buffer.from("no zlib here")), "damaged"],
    ["data cut short", withData(deflated.subarray(0, deflated.length - 6)), "damaged"],
    ["too few rows", withData(deflateSync(raw.subarray(0, 9))), "shorter"],
    ["no data at all", Buffer.concat([SIGNATURE, header(kind), chunk("IEND", new Uint8Array())]), "cannot be compared"],
    ["too much data", withData(deflateSync(Buffer.concat([raw, Buffer.of(0)]))), "longer"],
    ["an unknown filter", withData(deflateSync(Buffer.concat([Buffer.of(5), raw.subarray(1)]))), "filter 5"],
    ["a palette that is missing", withData(deflateSync(Buffer.from([0, 1, 1])), { width: 2, height: 1, colourType: 3 }), "PLTE"],
    [
      "a colour outside the palette",
      makePng({ width: 2, height: 1, colourType: 3, filter: () => 0, palette: [[1, 2, 3]] }, (x) => x),
      "colour 1",
    ],
  ];
  for (const [what, bytes, why] of cases) {
    test(what, async () => {
      const path = put("bad.png", bytes);
      const failure = await pixels(path).then(
        () => null,
        (error: Error) => error,
      );
      expect(failure?.name).toBe("Failure");
      expect(failure?.message).toContain(path);
      expect(failure?.message).toContain(why);
    });
  }

  test("a folder, and nothing", async () => {
    for (const path of [dir, join(dir, "none.png")]) expect(() => openPng(path)).toThrow(path);
  });

  test("a bomb, after one row too many", async () => {
    const bomb = put("bomb.png", withData(deflateSync(Buffer.alloc(200 << 20))));
    const before = process.memoryUsage.rss();
    expect(
      await pixels(bomb).then(
        () => null,
        (error: Error) => error.message,
      ),
    ).toContain("longer");
    expect(process.memoryUsage.rss() - before).toBeLessThan(100 << 20);
  });
});

test("a written picture reads back, here and in pngjs", async () => {
  const path = join(dir, "deep", "out.png");
  const file = stageFile(path);
  const writer = new PngWriter(file, 300, 200);
  const rows = Array.from({ length: 200 }, (_, y) => Uint8Array.from({ length: 1200 }, (_, i) => noise(8)(i >> 2, y, i & 3)));
  for (const row of rows) await writer.row(row);
  await writer.end();
  file.place();
  const expected = rows.flatMap((row) => [...row]);
  expect(await pixels(path)).toEqual(expected);
  expect([...PNG.sync.read(readFileSync(path)).data]).toEqual(expected);
});
