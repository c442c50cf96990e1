/** Links and files that the pages name are there. */
import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

const root = resolve(import.meta.dir, "..", "..");
const pages = [
  "README.md",
  "bench/README.md",
  ...["docs", "skills"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((path) => join(folder, path)),
  ),
].filter((path) => path.endsWith(".md"));
const FOLDERS = /^(src|test|bench|scripts|docs|npm|skills|\.ci)\//;
const ROOMS = /^(args|commands|core|dashboard|flow|schema|store|system|view)\/[\w-]+$/;

test.each(pages)("%s", (page) => {
  const text = readFileSync(join(root, page), "utf8");
  const links = [...text.matchAll(/\]\(([^)#\s:]+)(?:#[^)]*)?\)/g)].map(([, path]) => join(dirname(page), path!));
  const named = [...text.matchAll(/`([\w./-]+)`/g)].flatMap(([, path]) =>
    FOLDERS.test(path!) ? [path!] : ROOMS.test(path!) ? [`src/${path}.ts`] : [],
  );
  expect([...links, ...named].filter((path) => !existsSync(join(root, path)))).toEqual([]);
});
