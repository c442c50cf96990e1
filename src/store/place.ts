/** Whether what is open is still what stands at its path, still of a version that we know, and still as it was read. */
import { statSync } from "node:fs";
import { Failure } from "../core/failure.ts";
import { schemaVersion } from "../schema/schema.ts";
import { behindLinks } from "./obstacle.ts";
import type { Database } from "bun:sqlite";

/** A database that is open: where, and which file it was when it was opened. */
interface Opened {
  readonly db: Database;
  readonly path: string;
  readonly identity: string | null;
  /** Which log was written beside it (`logIdentity`); null without one. */
  readonly log: string | null;
}

/** Which file stands at the path, links followed; null when none does or it cannot be asked. */
export function identityOf(path: string): string | null {
  try {
    const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
    return stat === undefined ? null : `${stat.dev}:${stat.ino}`;
  } catch {
    return null;
  }
}

/**
 * Which log belongs to a file that is open, by the index beside it: that stands as long as anybody has the file open, whatever the log
 * holds. Null where there is none.
 */
export const logIdentity = (path: string): string | null => identityOf(`${behindLinks(path)}-shm`);

/** Whether the log that is written is the one that others read. If it is not, neither sees what the other writes. */
export const keepsLog = ({ path, log }: Pick<Opened, "path" | "log">): boolean => log === null || logIdentity(path) === log;

/** Throws a Failure for a file of a newer schema. */
export function refuseNewer(version: number, file: string): void {
  if (version <= schemaVersion) return;
  throw new Failure(`the database ${file} has schema version ${version}, newer than ${schemaVersion}, the newest this conveyor knows`, {
    hint: "use the newer program that made it, or another file with --path or WORKERCTL_STATE_ROOT",
  });
}

/** Whether the file that is open still stands at its path, with its log. */
export const keepsPlace = (opened: Omit<Opened, "db">): boolean => identityOf(opened.path) === opened.identity && keepsLog(opened);

/**
 * Throws a Failure when the file that is open no longer stands at its path, because it, its log, or a folder above it was moved, removed
 * or replaced, or when a newer program has taken it over. What is written then would be lost, or not understood.
 */
export function requirePlace({ db, path, identity, log }: Opened): void {
  const now = identityOf(path);
  if (now !== identity)
    throw new Failure(
      `the database ${path} was ${now === null ? "moved away or removed" : "replaced by another file"} while it was in use`,
      {
        hint: "conveyor db-doctor looks at what is there now; then start this again",
      },
    );
  if (!keepsLog({ path, log }))
    throw new Failure(`the write-ahead log of the database ${path} was removed or replaced while it was in use`, {
      hint: "conveyor db-doctor looks at what is left of it; leave the files beside the database alone while a watch or dashboard runs",
    });
  refuseNewer(db.query<{ user_version: number }, []>("pragma user_version").get()?.user_version ?? 0, path);
}

/** A number that differs from the last one read on this connection exactly when another connection has committed since. */
export const dataVersion = ({ db }: Pick<Opened, "db">): number =>
  db.query<{ data_version: number }, []>("pragma data_version").get()!.data_version;
