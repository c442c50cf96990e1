/**
 * Makes a browser's part out of modules of ours. Called as a macro: while the program is compiled, or when the importing module
 * is read from source, so that the finished files stand in the program as texts and no bundler is needed to serve them.
 */
import { join } from "node:path";

/**
 * Name → text. The files of the entry are named after it (`page.js`, `page.css`), parts that load later `part-….js`.
 * @param entry path below `src`
 */
export function bundledPage(entry: string): Record<string, string> {
  // Inside a macro the bundler is already busy: it must run in a process of its own.
  const { stdout, stderr, success } = Bun.spawnSync([process.execPath, join(import.meta.dir, "page-bundle.ts"), entry], {
    env: { ...process.env, BUN_BE_BUN: "1" },
  });
  if (!success) throw new Error(stderr.toString());
  return JSON.parse(stdout.toString());
}

async function bundle(entry: string): Promise<Record<string, string>> {
  const built = await Bun.build({
    entrypoints: [join(import.meta.dir, "..", "..", entry)],
    target: "browser",
    minify: true,
    splitting: true,
    naming: { entry: "[name].[ext]", chunk: "part-[hash].[ext]", asset: "[name].[ext]" },
    define: { "process.env.NODE_ENV": '"production"' },
    jsx: { runtime: "automatic", importSource: "preact" },
  });
  return Object.fromEntries(
    await Promise.all(built.outputs.map(async (file) => [file.path.split("/").at(-1)!, await file.text()] as const)),
  );
}

if (import.meta.main) console.log(JSON.stringify(await bundle(process.argv[2]!)));
