/** Writes what is generated into docs/: `bun scripts/docs.ts`. test/docs/reference.test.ts keeps it up to date. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../build.ts";
import { VERSION } from "../src/version.ts";
import { declarations } from "./declarations.ts";
import { commandsPage, manualPage } from "./reference.ts";

const docs = join(root, "docs");

/** The generated files with the text they must have. */
export async function generated(): Promise<Record<string, string>> {
  const all = await declarations();
  return {
    [join(docs, "commands.md")]: commandsPage(all),
    [join(docs, "conveyor.1")]: manualPage(all, VERSION, readFileSync(join(docs, "configuration.md"), "utf8")),
  };
}

if (import.meta.main) for (const [path, text] of Object.entries(await generated())) writeFileSync(path, text);
