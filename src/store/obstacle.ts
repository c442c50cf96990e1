/** What of the machine stands between SQLite and its file: SQLite itself only says that it could not. */
import { accessSync, closeSync, constants, openSync, realpathSync, rmSync, statSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { reasonOf } from "../core/failure.ts";

const reasons: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the disk is read-only",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EFBIG: "a file may not grow larger here (ulimit -f)",
  ENOTDIR: "a part of its path is not a folder",
  EEXIST: "a part of its path is not a folder",
  ELOOP: "its links go in a circle",
  ENAMETOOLONG: "its name is too long",
};

/** Why the system refused something, as half a sentence. */
export const reasonFor = (error: unknown): string => reasons[(error as NodeJS.ErrnoException).code ?? ""] ?? reasonOf(error);

const refused = (act: () => void): string | null => {
  try {
    act();
    return null;
  } catch (error) {
    return reasonFor(error);
  }
};

/** The path behind all links, since SQLite keeps its log beside that; as it is when nothing stands there. */
export const behindLinks = (path: string): string => {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
};

/** Bytes in the write-ahead log beside the file. */
export const logBytes = (path: string): number => statSync(`${behindLinks(path)}-wal`, { throwIfNoEntry: false })?.size ?? 0;

/** Why the file cannot be read, or null. The file is not opened. */
export const readObstacle = (path: string): string | null =>
  refused(() => {
    accessSync(dirname(behindLinks(path)), constants.X_OK);
    if (statSync(path, { throwIfNoEntry: false })) accessSync(path, constants.R_OK);
  });

/** Why the file itself cannot be written as far as permissions tell, or null. The file is not opened. */
export const fileObstacle = (path: string): string | null =>
  refused(() => {
    if (statSync(path, { throwIfNoEntry: false })) accessSync(path, constants.W_OK);
  });

/** The same of the file and of what SQLite lays beside it. */
export const writeObstacle = (path: string): string | null =>
  fileObstacle(path) ?? refused(() => accessSync(dirname(behindLinks(path)), constants.W_OK | constants.X_OK));

/** More than SQLite asks for at once: the first part of the index of its log. */
const TRIED_BYTES = 1 << 15;

/**
 * Why the file cannot grow, or null: tried out on another file beside it, which is written where the larger of file and log ends, so that
 * limits on the size of files are met, too. For the way of an error only.
 */
export function growthObstacle(path: string): string | null {
  const real = behindLinks(path);
  const trial = join(dirname(real), `.${process.pid}.trial`);
  const end = Math.max(statSync(real, { throwIfNoEntry: false })?.size ?? 0, logBytes(real));
  return (
    writeObstacle(path) ??
    refused(() => {
      rmSync(trial, { force: true });
      const fd = openSync(trial, "wx", 0o600);
      try {
        const bytes = new Uint8Array(TRIED_BYTES).fill(1);
        for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done, bytes.length - done, end + done);
      } finally {
        closeSync(fd);
        rmSync(trial, { force: true });
      }
    })
  );
}
