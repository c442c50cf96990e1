/**
 * Makes a script for the browser, with its styles, out of modules of ours. Called as a macro: while the program is compiled, or when the importer is
 * read from source, so that the finished texts stand in the program.
 */
import { join } from "node:path";

export interface PageBundle {
  readonly script: string;
  readonly style: string;
}

/** @param entry path below `src` */
export function bundled(entry: string): PageBundle {
  // Inside a macro the bundler is already busy: it must run in a process of its own.
  const { stdout, stderr, success } = Bun.spawnSync([process.execPath, join(import.meta.dir, "page-bundle.ts"), entry], { env: { ...process.env, BUN_BE_BUN: "1" } });
  if (!success) throw new Error(stderr.toString());
  return JSON.parse(stdout.toString()) as PageBundle;
}

async function bundle(entry: string): Promise<PageBundle> {
  const built = await Bun.build({ entrypoints: [join(import.meta.dir, "..", entry)], target: "browser", format: "iife", minify: true });
  const text = async (extension: string) => (await built.outputs.find(({ path }) => path.endsWith(extension))?.text()) ?? "";
  return { script: await text(".js"), style: await text(".css") };
}

if (import.meta.main) console.log(JSON.stringify(await bundle(process.argv[2]!)));
