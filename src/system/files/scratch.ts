/** Folders that live only as long as something runs in them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { realPath } from "./folders.ts";

/** Runs `use` with a fresh folder, seen by this user only, and removes it afterwards. */
export async function withScratch<T>(prefix: string, use: (folder: string) => Promise<T>): Promise<T> {
  const folder = realPath(mkdtempSync(join(tmpdir(), prefix)));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once("exit", remove);
  try {
    return await use(folder);
  } finally {
    process.off("exit", remove);
    remove();
  }
}
