/**
 * The database as a file. SQLite alone opens it: closing any other descriptor of a file takes away the locks that the whole process holds
 * on it, SQLite's among them (https://www.sqlite.org/howtocorrupt.html, 2.2). What else must be known is asked without opening it.
 */
import { constants, Database } from "bun:sqlite";
import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { Failure } from "../core/failure.ts";
import { damageHint } from "./sqlite-failure.ts";
import { behindLinks, fileObstacle, growthObstacle, logBytes, readObstacle, reasonFor, writeObstacle } from "./obstacle.ts";

const inTheWay = (path: string, reason: string, cause?: unknown): Failure =>
  new Failure(`the database ${path} cannot be opened: ${reason}`, {
    hint: "choose another place with WORKERCTL_STATE_ROOT=FOLDER, or another file with --path where the command has it",
    cause,
  });

/** Whether a plain file stands at the path. @throws Failure when something else does, or it cannot be reached */
export function fileStands(path: string): boolean {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    // A pipe would be waited on for ever.
    if (stat?.isFile() === false) throw new Error(stat.isDirectory() ? "it is a folder" : "it is not a plain file");
    if (stat === undefined) return false;
  } catch (error) {
    throw inTheWay(path, reasonFor(error), error);
  }
  const reason = readObstacle(path);
  if (reason !== null) throw inTheWay(path, reason);
  return true;
}

/** Makes an empty file that only its owner may read, and the folders above it, unless they are there. @throws Failure */
export function createFile(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  } catch (error) {
    throw inTheWay(path, reasonFor(error), error);
  }
  // SQLite gives what it makes the widest mode that is allowed; its log gets the mode of the file.
  const mask = process.umask(0o077);
  try {
    new Database(path, { readwrite: true, create: true }).close();
  } catch (error) {
    throw inTheWay(path, growthObstacle(path) ?? (error as Error).message, error);
  } finally {
    process.umask(mask);
  }
}

/** A connection that reads nothing but the file itself, without locks and log, and lays nothing beside it. */
const alone = (path: string): Database => {
  const uri = `file:${encodeURI(behindLinks(path)).replaceAll("?", "%3f").replaceAll("#", "%23")}?immutable=1`;
  return new Database(uri, constants.SQLITE_OPEN_READONLY | constants.SQLITE_OPEN_URI);
};

const versionOf = (db: Database): number => db.query<{ user_version: number }, []>("pragma user_version").get()?.user_version ?? 0;

/**
 * Looks whether the file itself begins as a database does, which its log, read first, can hide. More is not asked of it: a file whose log
 * was carried over in part (the disk was full, the process killed) is only whole together with that log. Beside an empty file SQLite takes
 * a log for a stranger's and removes it, though a file that has one was never empty.
 * @throws SQLiteError; Failure when it is empty
 */
export function requireHeader(path: string): void {
  if (logBytes(path) === 0) return;
  if (statSync(path).size === 0)
    throw new Failure(`the database ${path} is damaged (it is empty, but its log is not)`, { hint: damageHint(path) });
  using db = alone(path);
  try {
    versionOf(db);
  } catch (error) {
    if ((error as { code?: string }).code === "SQLITE_NOTADB") throw error;
  }
}

/** An open file, and why it can only be read, or null. */
interface Opened {
  readonly db: Database;
  readonly version: number;
  readonly readOnly: string | null;
  /** It is read without its log, which could not be laid beside it. */
  readonly alone: boolean;
}

/**
 * Opens a file that stands, for writing, or where nothing can be written for reading.
 * @throws SQLiteError; Failure when it cannot even be read
 */
export function openFile(path: string, busyMs: number): Opened {
  const begun = (db: Database): { db: Database; version: number } => {
    try {
      db.run(`pragma busy_timeout = ${busyMs}; pragma synchronous = normal`);
      return { db, version: versionOf(db) };
    } catch (error) {
      db.close();
      throw error;
    }
  };
  try {
    const opened = begun(new Database(path, { readwrite: true, create: false, strict: true }));
    return { ...opened, readOnly: fileObstacle(path), alone: false };
  } catch (error) {
    const readOnly = writeObstacle(path);
    if (readOnly === null) throw error;
    // SQLite reads a file with a log only where it can lay the index of the log beside it. A file without one needs none.
    if (logBytes(path) > 0) throw inTheWay(path, `${readOnly}, and its write-ahead log needs a folder that can be written`, error);
    return { ...begun(alone(path)), readOnly, alone: true };
  }
}

/** Closes a connection to a file that is not to be touched. */
export const closeUntouched = (db: Database, path: string): void => (logBytes(path) === 0 ? db.close() : closeLeavingLog(db, path));

/** Closes a connection without its log: the last one to go would carry that into the file, which one for reading cannot. */
export function closeLeavingLog(db: Database, path: string): void {
  const reader = new Database(path, { readonly: true });
  try {
    versionOf(reader);
  } catch {
    // Then the log cannot be carried over either.
  }
  db.close();
  reader.close();
}
