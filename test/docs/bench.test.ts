/** Every measurement has its line in bench/README.md, with the words it takes. */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const bench = resolve(import.meta.dir, "..", "..", "bench");

test("bench/README.md lists what is there, as each file says it is called", () => {
  const named = [...readFileSync(join(bench, "README.md"), "utf8").matchAll(/^\| `(bench\/\S+\.ts[^`]*)`/gm)].map(([, usage]) => usage!);
  const usages = readdirSync(bench)
    .filter((name) => name.endsWith(".ts") && name !== "program.ts")
    .map((name) => /`(bench\/[^`]*)`/.exec(readFileSync(join(bench, name), "utf8"))?.[1]);
  expect(named.sort()).toEqual(usages.map(String).sort());
});
