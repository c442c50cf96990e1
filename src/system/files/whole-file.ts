/**
 * Files that appear whole or not at all: written beside their place, then renamed. They hold what agents said, so only their owner may read
 * them.
 */
import { randomBytes } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmdirSync, rmSync, writeSync } from "node:fs";
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
  /** Removes what was written and the folders made for it that are empty, unless it was placed. */
  discard(): void;
}

/** A folder with those above it, as far as they are missing. */
class MadeFolders {
  private top: string | undefined;

  constructor(private readonly folder: string) {}

  make(): void {
    let top = this.folder;
    while (!existsSync(dirname(top))) top = dirname(top);
    // Noted before it is tried: on a full disk only some may come to be.
    if (!existsSync(this.folder)) this.top = top;
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
  }

  /** Takes away those that it made and that nothing lies in, from the innermost. */
  remove(): void {
    if (this.top === undefined) return;
    for (let at = this.folder; at.length >= this.top.length; at = dirname(at)) {
      try {
        rmdirSync(at);
      } catch {
        // It never came to be, or something else lies in it by now: then those above it stay, too.
      }
    }
  }
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
  const folders = new MadeFolders(dirname(path));
  let fd: number | null = attempt(path, () => {
    try {
      folders.make();
      return openSync(beside, "wx", 0o600);
    } catch (error) {
      folders.remove();
      throw error;
    }
  });
  let placed = false;
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
      placed = true;
    },
    discard() {
      close();
      rmSync(beside, { force: true });
      if (!placed) folders.remove();
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
    // The first file may have made the folder of all.
    for (const file of files.toReversed()) file.discard();
  }
}
