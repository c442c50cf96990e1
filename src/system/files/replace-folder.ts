/** A folder put in place whole: written beside its target, then renamed, and never through a symbolic link. */
import { randomBytes } from "node:crypto";
import { lstatSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Failure, reasonOf } from "../../core/failure.ts";
import { entriesBelow } from "./folders.ts";

/** A file that is to stand in the folder. */
export interface FolderFile {
  /** Path below the folder, with slashes. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly executable: boolean;
}

type Placed = "installed" | "replaced" | "unchanged";

/** What stands at `path` itself, links not followed; undefined when nothing can stand there. */
function kind(path: string) {
  try {
    return lstatSync(path);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as { code?: string }).code ?? "")) return undefined;
    throw error;
  }
}

/** What `replaceFolder` would do: compares names, bytes and run bits; a link in the place of a file or folder differs. */
export function compareFolder(target: string, files: readonly FolderFile[]): Placed {
  const there = kind(target);
  if (!there) return "installed";
  if (!there.isDirectory()) return "replaced";
  const entries = entriesBelow(target);
  const present = entries.filter((entry) => entry.kind !== "folder");
  const folders = new Set(files.flatMap((file) => (file.path.includes("/") ? parents(file.path) : [])));
  if (present.length !== files.length || entries.length - present.length !== folders.size) return "replaced";
  const same = files.every((file) => {
    const path = join(target, file.path);
    const stat = kind(path);
    return stat?.isFile() && ((stat.mode & 0o111) !== 0) === file.executable && readFileSync(path).equals(file.bytes);
  });
  return same ? "unchanged" : "replaced";
}

/** `a/b/c` → `a`, `a/b`. */
function parents(path: string): string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, at) => parts.slice(0, at + 1).join("/"));
}

/** The real path of a folder that may not be there yet: links in what exists of it are resolved. */
export function realFolder(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path === dirname(path) ? path : join(realFolder(dirname(path)), path.slice(dirname(path).length));
  }
}

/**
 * Makes `target` hold exactly `files`, and the folders above it as needed. A link or file that stands there is itself
 * moved away, not followed. Either the old or the new folder stands when this returns or throws.
 * @throws Failure when the folder cannot be written
 */
export function replaceFolder(target: string, files: readonly FolderFile[]): Placed {
  try {
    const outcome = compareFolder(target, files);
    if (outcome !== "unchanged") writeWhole(target, files);
    return outcome;
  } catch (error) {
    if (typeof (error as { code?: unknown }).code !== "string") throw error;
    throw new Failure(`${target} could not be written: ${reasonOf(error)}`, { cause: error });
  }
}

function writeWhole(target: string, files: readonly FolderFile[]): void {
  const beside = join(dirname(target), `.conveyor-${randomBytes(6).toString("hex")}`);
  const fresh = join(beside, "new");
  mkdirSync(fresh, { recursive: true });
  try {
    for (const file of files) {
      const path = join(fresh, file.path);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, file.bytes, { flag: "wx", mode: file.executable ? 0o755 : 0o644 });
    }
    exchange(fresh, target, join(beside, "old"));
  } finally {
    rmSync(beside, { recursive: true });
  }
}

/** Moves `fresh` to `target`; what stood there goes to `old`, and comes back when the move fails. */
function exchange(fresh: string, target: string, old: string): void {
  const occupied = kind(target) !== undefined;
  if (occupied) renameSync(target, old);
  try {
    renameSync(fresh, target);
  } catch (error) {
    if (occupied) renameSync(old, target);
    throw error;
  }
}
