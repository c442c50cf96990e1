/** Files that travel inside the binary; when the program runs from its sources they are the repository's own. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { FolderFile } from "./files/replace-folder.ts";
import { compiled } from "./processes/self.ts";

const base = compiled ? import.meta.dir : join(import.meta.dir, "..", "..");

export interface Asset {
  /** Where it comes from, for people: a path, or a label when it is inside the binary. */
  readonly source: string;
  readonly files: readonly FolderFile[];
}

/** All files of an embedded folder such as `skills/codex-review`, in the order of their paths. */
export function readAsset(folder: string): Asset {
  const root = join(base, folder);
  const files = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const file = join(entry.parentPath, entry.name);
      const bytes = new Uint8Array(readFileSync(file));
      // Embedding loses the run bit; a file that begins with #! had it.
      return { path: file.slice(root.length + 1), bytes, executable: bytes[0] === 0x23 && bytes[1] === 0x21 };
    });
  return { source: compiled ? `embedded:${folder}` : root, files: files.sort((a, b) => (a.path < b.path ? -1 : 1)) };
}
