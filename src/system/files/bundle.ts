/** An export as it lies on the disk: a directory, or an archive of one. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../core/failure.ts";
import { entriesBelow } from "./folders.ts";
import { readPieces } from "./zip-file.ts";
import { openZip } from "./zip-reader.ts";

export interface Bundle {
  readonly kind: "directory" | "archive";
  /** Names of all files in it, sorted, with `/` between folders. */
  readonly names: readonly string[];
  /** The bytes of a file that is in it. */
  read(name: string): Generator<Uint8Array>;
  close(): void;
}

/** Regular files below a folder; links and special files are not followed and not read. */
const filesBelow = (folder: string): string[] => entriesBelow(folder).flatMap(({ path, kind }) => (kind === "file" ? [path] : []));

/** Opens the export at `path`. @throws Failure naming the path when there is none */
export function openBundle(path: string): Bundle {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) throw new Failure(`there is no export at ${path}`, { hint: "conveyor export-task TASK" });
  if (stat.isDirectory()) {
    const names = filesBelow(path);
    return { kind: "directory", names, read: (name) => readPieces(join(path, name)), close: () => {} };
  }
  if (!stat.isFile()) throw new Failure(`${path} is neither a directory nor an archive`);
  const zip = openZip(path);
  return { kind: "archive", names: [...zip.names].sort(), read: zip.read, close: zip.close };
}
