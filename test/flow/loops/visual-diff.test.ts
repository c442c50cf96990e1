/** The comparison of two pictures, judged by pixelmatch where both define the same, and its outputs. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pixelmatch from "pixelmatch";
import { PNG } from "pngjs";
import { type DiffInput, compareFiles } from "../../../src/flow/loops/visual-diff.ts";
import { PngWriter } from "../../../src/system/files/png-file.ts";
import { stageFile } from "../../../src/system/files/whole-file.ts";
import { type Kind, makePng } from "../../png.ts";

let dir: string;
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), "diff-"))));
afterEach(() => rmSync(dir, { recursive: true }));

const put = (name: string, kind: Kind, sample: (x: number, y: number, c: number) => number): string => {
  const path = join(dir, name);
  writeFileSync(path, makePng(kind, sample));
  return path;
};
const read = (path: string): Uint8Array => Uint8Array.from(PNG.sync.read(readFileSync(path)).data as Uint8Array);

async function compare(input: Omit<DiffInput, "threshold"> & { threshold?: number }) {
  const { diff, files } = await compareFiles({ threshold: 0, ...input });
  for (const file of files) file.place();
  return diff;
}

/** A gradient, opaque, on which `spoilt` pixels are one step off. */
const scene = (spoilt: (x: number, y: number) => boolean) => (x: number, y: number, c: number) =>
  c === 3 ? 255 : ((x * 7 + y * 3 + c * 40) & 254) + (spoilt(x, y) ? 1 : 0);

describe("agrees with pixelmatch at threshold 0", () => {
  const fixtures: [string, (x: number, y: number) => boolean][] = [
    ["nothing changed", () => false],
    ["one pixel", (x, y) => x === 3 && y === 4],
    ["a line", (_, y) => y === 9],
    ["a third", (x, y) => (x + y) % 3 === 0],
    ["all", () => true],
  ];
  for (const [what, spoilt] of fixtures) {
    test(what, async () => {
      const size = { width: 40, height: 30 };
      const reference = put(
        "a.png",
        size,
        scene(() => false),
      );
      const candidate = put("b.png", { ...size, interlaced: true }, scene(spoilt));
      const count = pixelmatch(read(reference), read(candidate), undefined, 40, 30, { threshold: 0, includeAA: true });
      const diff = await compare({ reference, candidate });
      expect(diff).toMatchObject({
        changed_pixels: count,
        total_pixels: 1200,
        diff_score: count / 1200,
        below_threshold: count === 0,
        viewport: "40x30",
      });
    });
  }
});

test("alpha alone is a change, and RGB is opaque RGBA", async () => {
  const size = { width: 2, height: 1 };
  const rgb = put("rgb.png", { ...size, colourType: 2 }, () => 7);
  expect(await compare({ reference: rgb, candidate: put("rgba.png", size, (_, __, c) => (c === 3 ? 255 : 7)) })).toMatchObject({
    changed_pixels: 0,
  });
  expect(
    await compare({ reference: rgb, candidate: put("thin.png", size, (x, _, c) => (c === 3 ? 255 - x : 7)), threshold: 0.5 }),
  ).toMatchObject({ changed_pixels: 1, below_threshold: true });
});

test("16 bits are compared as 16 bits, also with 8", async () => {
  const size = { width: 3, height: 1 };
  const eight = put("8.png", { ...size, colourType: 0 }, (x) => x * 100);
  expect(
    await compare({ reference: eight, candidate: put("16.png", { ...size, colourType: 0, depth: 16 }, (x) => x * 100 * 257) }),
  ).toMatchObject({ changed_pixels: 0 });
  expect(
    await compare({
      reference: eight,
      candidate: put("off.png", { ...size, colourType: 0, depth: 16 }, (x) => x * 100 * 257 + (x === 1 ? 1 : 0)),
    }),
  ).toMatchObject({ changed_pixels: 1 });
});

test("the mask is red or nothing, the overlay a pale picture with red in it, the report the outcome", async () => {
  const size = { width: 3, height: 2 };
  const reference = put("a.png", size, (_, __, c) => (c === 3 ? 255 : 0));
  const candidate = put("b.png", size, (x, y, c) => (c === 3 ? 255 : x === 1 && y === 1 ? 5 : 0));
  const [diffOutput, overlayOutput, reportOutput] = ["out/mask.png", "out/seen.png", "out/report.json"].map((name) => join(dir, name));
  const diff = await compare({ reference, candidate, diffOutput, overlayOutput, reportOutput });
  expect([...read(diffOutput!)]).toEqual([...Array(16).fill(0), 255, 0, 0, 255, ...Array(4).fill(0)]);
  const overlay = read(overlayOutput!);
  expect([...overlay.subarray(16, 20)]).toEqual([255, 0, 0, 255]);
  expect([...overlay.subarray(0, 4)]).toEqual([204, 204, 204, 255]);
  expect(JSON.parse(readFileSync(reportOutput!, "utf8"))).toEqual(diff);
  expect(readdirSync(join(dir, "out")).sort()).toEqual(["mask.png", "report.json", "seen.png"]);
});

describe("refuses and leaves nothing", () => {
  const outputs = () => ({ diffOutput: join(dir, "out/mask.png"), reportOutput: join(dir, "out/report.json") });
  const left = () => readdirSync(dir, { recursive: true }).filter((name) => String(name).startsWith("out/"));

  test("different sizes, naming both", async () => {
    const reference = put("a.png", { width: 3, height: 2 }, () => 1);
    const candidate = put("b.png", { width: 2, height: 3 }, () => 1);
    await expect(compare({ reference, candidate, ...outputs() })).rejects.toThrow(/3x2.*2x3/);
    expect(left()).toEqual([]);
  });

  test("damage that shows only at the end", async () => {
    const reference = put("a.png", { width: 3, height: 9 }, () => 1);
    const bytes = makePng({ width: 3, height: 9, filter: (y) => (y === 8 ? 7 : 0) }, () => 1);
    const candidate = join(dir, "b.png");
    writeFileSync(candidate, bytes);
    await expect(compare({ reference, candidate, ...outputs() })).rejects.toThrow(candidate);
    expect(left()).toEqual([]);
  });

  test("an output that is an input or another output, also by another way there", async () => {
    const reference = put("a.png", { width: 1, height: 1 }, () => 1);
    mkdirSync(join(dir, "real"));
    symlinkSync(dir, join(dir, "way"));
    for (const output of [
      { diffOutput: reference },
      { overlayOutput: join(dir, "way", "a.png") },
      { reportOutput: join(dir, "x"), diffOutput: join(dir, "way", "x") },
    ]) {
      await expect(compare({ reference, candidate: reference, ...output })).rejects.toThrow("written over");
    }
  });
});

test("8,000 × 8,000 pixels stay far below a gigabyte", async () => {
  const write = async (name: string, spot: number): Promise<string> => {
    const file = stageFile(join(dir, name));
    const writer = new PngWriter(file, 8000, 8000);
    const row = new Uint8Array(32_000).fill(200);
    for (let y = 0; y < 8000; y++) await writer.row(y === spot ? row.slice().fill(90, 0, 400) : row);
    await writer.end();
    file.place();
    return file.path;
  };
  const [reference, candidate] = [await write("a.png", -1), await write("b.png", 7999)];
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "compare-child.ts"), reference, candidate, join(dir, "seen.png")], {
    stdout: "pipe",
  });
  const { changed_pixels, total_pixels, memory } = JSON.parse(await new Response(child.stdout).text());
  expect({ changed_pixels, total_pixels }).toEqual({ changed_pixels: 100, total_pixels: 64_000_000 });
  expect(memory).toBeLessThan(400 << 20);
});
