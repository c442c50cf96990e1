/** Files that appear whole or not at all. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { placing, stageFile, writeWhole } from "../../../src/system/files/whole-file.ts";

let dir: string;
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), "whole-"))));
afterEach(() => rmSync(dir, { recursive: true }));

test("folders are made and nothing is left beside the file", () => {
  writeWhole(join(dir, "a/b/c.txt"), "x");
  writeWhole(join(dir, "a/b/c.txt"), "y");
  expect(readFileSync(join(dir, "a/b/c.txt"), "utf8")).toBe("y");
  expect(readdirSync(join(dir, "a/b"))).toEqual(["c.txt"]);
});

test("a link is replaced and not written through", () => {
  writeFileSync(join(dir, "target"), "kept");
  symlinkSync(join(dir, "target"), join(dir, "link"));
  writeWhole(join(dir, "link"), "new");
  expect(readFileSync(join(dir, "target"), "utf8")).toBe("kept");
  expect(readFileSync(join(dir, "link"), "utf8")).toBe("new");
});

test("a change that fails leaves no file", () => {
  const file = stageFile(join(dir, "f"), "x");
  expect(() =>
    placing([file], () => {
      throw new Error("no");
    }),
  ).toThrow("no");
  expect(readdirSync(dir)).toEqual([]);
});

test("folders that were made for files that come to nothing go with them, others stay", () => {
  writeFileSync(join(dir, "mine"), "");
  const files = ["new/sub/a", "new/b", "new/other/c"].map((name) => stageFile(join(dir, name), "x"));
  expect(() =>
    placing(files, () => {
      throw new Error("no");
    }),
  ).toThrow("no");
  expect(readdirSync(dir)).toEqual(["mine"]);
  const kept = [stageFile(join(dir, "new/a"), "x"), stageFile(join(dir, "new/sub/b"), "x")];
  writeFileSync(join(dir, "new/by-somebody-else"), "");
  expect(() =>
    placing(kept, () => {
      throw new Error("no");
    }),
  ).toThrow("no");
  expect(readdirSync(join(dir, "new"))).toEqual(["by-somebody-else"]);
  // A folder that cannot be made to the end, and a file that cannot be made in one that was.
  expect(() => writeWhole(join(dir, `fresh/${"n".repeat(300)}/x`), "x")).toThrow("could not be written");
  expect(() => writeWhole(join(dir, `fresh/${"n".repeat(300)}`), "x")).toThrow("could not be written");
  expect(readdirSync(dir).sort()).toEqual(["mine", "new"]);
});

test("what cannot be written is named", () => {
  writeFileSync(join(dir, "file"), "");
  expect(() => writeWhole(join(dir, "file/below"), "x")).toThrow(join(dir, "file/below"));
  expect(existsSync(join(dir, "file"))).toBe(true);
});

test("only the owner may read it, and the folders that were made for it", () => {
  writeWhole(join(dir, "a/b/c.txt"), "x");
  expect(["a", "a/b", "a/b/c.txt"].map((name) => (statSync(join(dir, name)).mode & 0o777).toString(8))).toEqual(["700", "700", "600"]);
});
