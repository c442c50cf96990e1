/** The database as a file: what version it says it is, read without SQLite touching it, and how a new one comes to be. */
import { Database } from "bun:sqlite";
import { closeSync, mkdirSync, openSync, readSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { Failure } from "../core/failure.ts";
import { notADatabase } from "./sqlite-failure.ts";

const magic = Buffer.from("SQLite format 3\0", "latin1");
const headerBytes = 100;
const userVersionAt = 60;

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

const reasons: Record<string, string> = {
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the disk is read-only",
  ENOSPC: "the disk is full",
  ENOTDIR: "a part of its path is not a folder",
  EEXIST: "a part of its path is not a folder",
  ELOOP: "its links go in a circle",
  ENAMETOOLONG: "its name is too long",
};

const inTheWay = (path: string, error: unknown): Failure => {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  return new Failure(`the database ${path} cannot be opened: ${reasons[code] ?? (error as Error).message}`, {
    hint: "choose another place with WORKERCTL_STATE_ROOT=FOLDER, or another file with --path where the command has it",
    cause: error,
  });
};

/**
 * The `user_version` of the file at `path`, or null when there is no file or an empty one.
 * Nothing is written: the header is read as bytes, and SQLite is asked (read-only) only when a write-ahead log may hold a newer one.
 * Throws a Failure when it is not an SQLite database or cannot be read.
 */
export function fileVersion(path: string): number | null {
  const header = Buffer.alloc(headerBytes);
  let length: number;
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return null;
    // A pipe would be waited on for ever.
    if (!stat.isFile()) throw new Error(stat.isDirectory() ? "it is a folder" : "it is not a plain file");
    const file = openSync(path, "r");
    try {
      length = readSync(file, header, 0, headerBytes, 0);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw inTheWay(path, error);
  }
  if (length === 0) return null;
  if (length < headerBytes || !header.subarray(0, magic.length).equals(magic)) {
    const { reason, hint } = notADatabase(path);
    throw new Failure(`the file ${path} ${reason}`, { hint });
  }
  return sizeOf(`${path}-wal`) > 0 ? loggedVersion(path) : header.readInt32BE(userVersionAt);
}

const loggedVersion = (path: string): number => {
  const db = new Database(path, { readonly: true });
  try {
    db.run("pragma busy_timeout = 5000");
    return db.query<{ user_version: number }, []>("pragma user_version").get()?.user_version ?? 0;
  } finally {
    db.close(true);
  }
};

/** Makes an empty file that only its owner may read, and the folders above it, unless they are there. Throws a Failure. */
export function createFile(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    closeSync(openSync(path, "a", 0o600));
  } catch (error) {
    throw inTheWay(path, error);
  }
}
