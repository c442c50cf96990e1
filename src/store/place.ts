/** Whether what is open is still what stands at its path, still of a version that we know, and still as it was read. */
import { statSync } from "node:fs";
import { Failure } from "../core/failure.ts";
import { schemaVersion } from "../schema/schema.ts";
import type { Database } from "bun:sqlite";

/** A database that is open: where, and which file it was when it was opened. */
interface Opened {
  readonly db: Database;
  readonly path: string;
  readonly identity: string | null;
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

/** Throws a Failure for a file of a newer schema. */
export function refuseNewer(version: number, file: string): void {
  if (version <= schemaVersion) return;
  throw new Failure(`the database ${file} has schema version ${version}, newer than ${schemaVersion}, the newest this conveyor knows`, {
    hint: "use the newer program that made it, or another file with --path or WORKERCTL_STATE_ROOT",
  });
}

/** Whether the file that is open still stands at its path. */
export const keepsPlace = ({ path, identity }: Pick<Opened, "path" | "identity">): boolean => identityOf(path) === identity;

/**
 * Throws a Failure when the file that is open no longer stands at its path, because it or a folder above it was moved, removed or
 * replaced, or when a newer program has taken it over. What is written then would be lost, or not understood.
 */
export function requirePlace({ db, path, identity }: Opened): void {
  const now = identityOf(path);
  if (now !== identity)
    throw new Failure(
      `the database ${path} was ${now === null ? "moved away or removed" : "replaced by another file"} while it was in use`,
      {
        hint: "conveyor db-doctor looks at what is there now; then start this again",
      },
    );
  refuseNewer(db.query<{ user_version: number }, []>("pragma user_version").get()?.user_version ?? 0, path);
}

/** A number that differs from the last one read on this connection exactly when another connection has committed since. */
export const dataVersion = ({ db }: Pick<Opened, "db">): number =>
  db.query<{ data_version: number }, []>("pragma data_version").get()!.data_version;
