/** Files as a proof sees them: read byte for byte by ourselves, with the digests of what they hold. Paths are bytes, written as latin1. */
import { createHash } from "node:crypto";
import {
  closeSync,
  constants,
  copyFileSync,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";

/** Reading more than this of one file would make every look too slow: such a file counts by its size and times, and is named. */
const LARGE_BYTES = 64 << 20;

export interface Seen {
  /** All that counts of it. */
  readonly print: string;
  /** The name that git would give to what it holds; null where it was not read. */
  readonly blob: string | null;
  /** As git writes it: 100644, 100755, 120000; null for what git knows not. */
  readonly mode: string | null;
  /** What of it is not seen. */
  readonly unseen: "large" | "unreadable" | "leads out" | null;
}

/** A path of bytes for the system. */
export const bytes = (path: string): Buffer => Buffer.from(path, "latin1");
/** A path of bytes for people. */
export const shown = (path: string): string => bytes(path).toString("utf8");
/** Whether a file of its own stands there, and no link to one. */
export const isPlainFile = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
/** A split index keeps most of itself in files beside it: they have to go with a copy of it. */
export function copySplitIndex(from: string, to: string): void {
  for (const name of readdirSync(from))
    if (name.startsWith("sharedindex.") && isPlainFile(join(from, name))) copyFileSync(join(from, name), join(to, name));
}
/** Paths of bytes for people, in a sentence: the first five, quoted, and how many more. */
export const shownPaths = (paths: readonly string[]): string =>
  `${paths
    .slice(0, 5)
    .map((path) => JSON.stringify(shown(path)))
    .join(", ")}${paths.length > 5 ? ` and ${paths.length - 5} more` : ""}`;
/** The paths of bytes in what git has printed with `-z`, each ended by a zero byte. */
export const pathsIn = (list: string): string[] => list.split("\0").filter((path) => path !== "");
/** The input of a git that reads paths, or lines that begin with more than that, with `-z`. */
export const pathList = (paths: readonly string[]): Uint8Array<ArrayBuffer> =>
  new Uint8Array(bytes(paths.map((path) => `${path}\0`).join("")));
/** A path of people's as one of bytes: to stand before another one. */
export const inBytes = (path: string): string => Buffer.from(path, "utf8").toString("latin1");

const blobHash = (algorithm: "sha1" | "sha256", size: number) => createHash(algorithm).update(`blob ${size}\0`);

/** Looks at what stands at `path` below `root`, which is no folder. Null: nothing does. */
export function lookAt(root: string, path: string, algorithm: "sha1" | "sha256"): Seen | null {
  const place = bytes(`${inBytes(root)}/${path}`);
  try {
    const stat = lstatSync(place);
    if (stat.isSymbolicLink()) {
      const target = readlinkSync(place, { encoding: "latin1" });
      const blob = blobHash(algorithm, target.length).update(bytes(target)).digest("hex");
      return {
        print: `link ${bytes(target).toString("hex")}`,
        blob,
        mode: "120000",
        unseen: leadsOut(root, path, target) ? "leads out" : null,
      };
    }
    if (!stat.isFile()) return { print: `other ${stat.mode >> 12}`, blob: null, mode: null, unseen: null };
    return readWhole(place, algorithm);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (typeof code !== "string") throw error;
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    return { print: `unreadable ${code}`, blob: null, mode: null, unseen: "unreadable" };
  }
}

const part = Buffer.allocUnsafe(1 << 20);

function readWhole(place: Buffer, algorithm: "sha1" | "sha256"): Seen {
  // Between the look and here it may have become a link or a pipe, which must neither be followed nor waited for.
  const fd = openSync(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(fd, { bigint: true });
    const mode = stat.mode & 0o111n ? "100755" : "100644";
    const large = (): Seen => ({ print: `large ${mode} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`, blob: null, mode, unseen: "large" });
    if (stat.size > LARGE_BYTES) return large();
    const blob = blobHash(algorithm, Number(stat.size));
    const hash = createHash("sha256");
    let size = 0;
    for (let read = readSync(fd, part); read > 0; read = readSync(fd, part)) {
      size += read;
      if (size > LARGE_BYTES) return large();
      blob.update(part.subarray(0, read));
      hash.update(part.subarray(0, read));
    }
    return { print: `${mode} ${size} ${hash.digest("hex")}`, blob: blob.digest("hex"), mode, unseen: null };
  } finally {
    closeSync(fd);
  }
}

/** Whether a link leads to a place whose content is not counted: out of the tree, or into the repository's own folder. */
function leadsOut(root: string, path: string, target: string): boolean {
  const here = `${root}/${shown(path)}`;
  let end: string;
  try {
    end = realpathSync(here);
  } catch {
    end = resolve(dirname(here), shown(target));
  }
  return !(end === root || end.startsWith(`${root}/`)) || end === join(root, ".git") || end.startsWith(join(root, ".git/"));
}
