import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dir, "..", "..");

/** What src/main.ts loads before it has looked at a single word, by the bundler's own account. */
async function loadedAtStart(): Promise<string[]> {
  const outdir = mkdtempSync(join(tmpdir(), "conveyor-graph-"));
  try {
    const { metafile } = await Bun.build({
      entrypoints: [join(root, "src", "main.ts")],
      root,
      target: "bun",
      splitting: true,
      format: "esm",
      metafile: true,
      outdir,
    });
    const inputs = Object.entries(metafile!.inputs);
    const seen = new Set<string>();
    const visit = (path: string): void => {
      if (seen.has(path)) return;
      seen.add(path);
      const input = inputs.find(([name]) => name === path)?.[1];
      for (const { path: next, kind } of input?.imports ?? []) if (kind === "import-statement") visit(next);
    };
    visit(inputs.find(([name]) => name.endsWith("src/main.ts"))![0]);
    return [...seen].sort();
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

// Each of these costs a millisecond or more, as much as an empty program takes altogether (bench/startup.ts measures it).
const SLOW =
  /^(node:)?(tty|util|crypto|child_process|net|http|stream|zlib)$|^bun:sqlite$|node_modules|\/(store|schema|flow|commands|dashboard|system)\//;

test("help and usage errors load no database, no package and no slow built-in module", async () => {
  const loaded = await loadedAtStart();
  expect(loaded.some((path) => path.endsWith("src/run.ts"))).toBe(true);
  expect(loaded.filter((path) => SLOW.test(path))).toEqual([]);
});
