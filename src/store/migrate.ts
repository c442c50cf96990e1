/** Bringing an older file to version 22: a backup beside it first, then everything in one immediate transaction. */
import { Database } from "bun:sqlite";
import { closeSync, openSync, rmSync } from "node:fs";
import { Failure } from "../core/failure.ts";
import { quoteWord } from "../core/shell.ts";
import { migrate } from "../schema/migrate.ts";
import { schemaVersion } from "../schema/schema.ts";
import type { Store } from "./store.ts";

/** An empty file that only its owner may read, under the first free name: `<file>.bak-v7`, `<file>.bak-v7.2`, … */
const freeBackup = (file: string, version: number): string => {
  for (let count = 1; ; count++) {
    const path = `${file}.bak-v${version}${count === 1 ? "" : `.${count}`}`;
    try {
      closeSync(openSync(path, "wx", 0o600));
      return path;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST")
        throw new Failure(`the backup ${path} cannot be made: ${(error as Error).message}`);
    }
  }
};

/** Through a connection of its own: the caller's holds the write lock, so that what is copied is what will be migrated. */
const copy = (file: string, backup: string): void => {
  using reader = new Database(file, { readonly: true });
  reader.query("vacuum into ?").run(backup);
};

/**
 * Migrates the file of `store` from version `from`. Inside an immediate transaction of the caller, with foreign keys off.
 * Throws a Failure that names the reason when it cannot be done; the caller rolls back and the backup is taken away again.
 */
export function migrateFile(store: Store, from: number): void {
  const backup = freeBackup(store.path, from);
  try {
    copy(store.path, backup);
    migrate(store.db, { from, now: store.now, newId: store.newId });
  } catch (error) {
    rmSync(backup, { force: true });
    if ((error as { code?: string }).code === "SQLITE_FULL") throw error;
    throw new Failure(
      `the database ${store.path} could not be migrated from version ${from} to ${schemaVersion} and stays as it was: ` +
        `${(error as Error).message}`,
      { hint: `look at it with: sqlite3 ${quoteWord(store.path)} .schema; or begin anew with another WORKERCTL_STATE_ROOT`, cause: error },
    );
  }
}
