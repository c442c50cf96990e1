/**
 * Files that appear whole or not at all: written beside their place, then renamed. They hold what agents said, so only their owner may read
 * them.
 */
import { randomBytes } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Failure, reasonOf } from "../../core/failure.ts";

export interface StagedFile {
  readonly path: string;
  /** Where its bytes are until it is placed. */
  readonly aside: string;
  /** Writes all of `content` behind what was written before. */
  append(content: string | Uint8Array): void;
  /** Puts the file in its place; what stood there is replaced, a symbolic link itself and not what it points to. */
  place(): void;
  /** Removes what was written, unless it was placed. */
  discard(): void;
}

export const fileExists = (path: string): boolean => existsSync(path);

const attempt = <T>(path: string, action: () => T): T => {
  try {
    return action();
  } catch (error) {
    if (typeof (error as { code?: unknown }).code !== "string") throw error;
    throw new Failure(`${path} could not be written: ${reasonOf(error)}`, { cause: error });
  }
};

/**
 * Begins a file beside `path`, making folders as needed; nobody sees it there before `place`.
 * @throws Failure naming the path when that is not possible, here and in the file's functions
 */
export function stageFile(path: string, content: string | Uint8Array = ""): StagedFile {
  const beside = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}`);
  let fd: number | null = attempt(path, () => {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    return openSync(beside, "wx", 0o600);
  });
  const close = (): void => {
    if (fd !== null) closeSync(fd);
    fd = null;
  };
  const file: StagedFile = {
    path,
    aside: beside,
    append(more) {
      const bytes = typeof more === "string" ? Buffer.from(more) : more;
      attempt(path, () => {
        for (let done = 0; done < bytes.length;) done += writeSync(fd!, bytes, done);
      });
    },
    place() {
      close();
      attempt(path, () => renameSync(beside, path));
    },
    discard() {
      close();
      rmSync(beside, { force: true });
    },
  };
  try {
    file.append(content);
    return file;
  } catch (error) {
    file.discard();
    throw error;
  }
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

/**
 * Runs `change` with files staged, and places them all when it has succeeded; a throw, also of the placing, leaves none of those not yet
 * placed.
 */
export function placing<T>(files: readonly StagedFile[], change: (place: () => void) => T): T {
  try {
    return change(() => files.forEach((file) => file.place()));
  } finally {
    for (const file of files) file.discard();
  }
}
