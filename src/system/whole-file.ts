/** Files that appear whole or not at all: written beside their place, then renamed. */
import { randomBytes } from "node:crypto";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Failure } from "../core/failure.ts";

export interface StagedFile {
  readonly path: string;
  /** Puts the file in its place; what stood there is replaced, a symbolic link itself and not what it points to. */
  place(): void;
  /** Removes what was written, unless it was placed. */
  discard(): void;
}

const attempt = <T>(path: string, action: () => T): T => {
  try {
    return action();
  } catch (error) {
    if (typeof (error as { code?: unknown }).code !== "string") throw error;
    throw new Failure(`${path} could not be written: ${(error as Error).message}`, { cause: error });
  }
};

/**
 * Writes the bytes beside `path`, making folders as needed; nobody sees them there before `place`.
 * @throws Failure naming the path when that is not possible
 */
export function stageFile(path: string, content: string | Uint8Array): StagedFile {
  const beside = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}`);
  attempt(path, () => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(beside, content, { flag: "wx" });
  });
  return {
    path,
    place: () => attempt(path, () => renameSync(beside, path)),
    discard: () => rmSync(beside, { force: true }),
  };
}

/** Writes a file whole. @throws Failure naming the path when that is not possible */
export function writeWhole(path: string, content: string | Uint8Array): void {
  const staged = stageFile(path, content);
  try {
    staged.place();
  } finally {
    staged.discard();
  }
}

/** Runs `change` with files staged, and places them all when it has succeeded; a throw, also of the placing, leaves none of those not yet placed. */
export function placing<T>(files: readonly StagedFile[], change: (place: () => void) => T): T {
  try {
    return change(() => files.forEach((file) => file.place()));
  } finally {
    for (const file of files) file.discard();
  }
}
