/** Exports that somebody else made: folders with links in them. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openBundle } from "../../../src/system/files/bundle.ts";
import { entriesBelow } from "../../../src/system/files/folders.ts";
import { compareFolder } from "../../../src/system/files/replace-folder.ts";

let dir: string;
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), "bundle-"))));
afterEach(() => rmSync(dir, { recursive: true }));

test("links are no part of it, whether to files, folders or round in a circle", () => {
  const outside = join(dir, "outside");
  const folder = join(dir, "export");
  mkdirSync(join(folder, "sub"), { recursive: true });
  mkdirSync(outside);
  for (const path of [join(outside, "secret"), join(folder, "a"), join(folder, "sub", "b")]) writeFileSync(path, "x");
  symlinkSync(outside, join(folder, "linked"));
  symlinkSync(join(outside, "secret"), join(folder, "file"));
  for (const name of ["c1", "c2", "c3"]) symlinkSync(".", join(folder, "sub", name));
  expect(entriesBelow(folder).map(({ path, kind }) => `${kind} ${path}`)).toEqual([
    "file a",
    "other file",
    "other linked",
    "folder sub",
    "file sub/b",
    "other sub/c1",
    "other sub/c2",
    "other sub/c3",
  ]);
  const bundle = openBundle(folder);
  expect(bundle.names).toEqual(["a", "sub/b"]);
  bundle.close();
});

test("a link in the place of a folder is not that folder", () => {
  const bytes = new TextEncoder().encode("x");
  const target = join(dir, "target");
  mkdirSync(join(dir, "real"));
  mkdirSync(target);
  writeFileSync(join(dir, "real", "b"), bytes);
  symlinkSync(join(dir, "real"), join(target, "sub"));
  expect(compareFolder(target, [{ path: "sub/b", bytes, executable: false }])).toBe("replaced");
});
