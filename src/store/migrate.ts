/** Bringing an older file to version 22: a backup beside it first, then everything in one immediate transaction. */
import { Database } from "bun:sqlite";
import { closeSync, lstatSync, openSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Failure } from "../core/failure.ts";
import { quoteWord } from "../core/shell.ts";
import { migrate } from "../schema/migrate.ts";
import { schemaVersion } from "../schema/schema.ts";
import { reasonFor } from "./obstacle.ts";
import { sqliteFailure } from "./sqlite-failure.ts";
import type { Store } from "./store.ts";

/** The first free name: `<file>.bak-v7`, `<file>.bak-v7.2`, … */
const freeName = (file: string, version: number): string => {
  for (let count = 1; ; count++) {
    const path = `${file}.bak-v${version}${count === 1 ? "" : `.${count}`}`;
    if (!lstatSync(path, { throwIfNoEntry: false })) return path;
  }
};

/** Where a backup stands until it is whole. Its maker holds the write lock, so there is one at a time, and what is there is dead. */
const asideOf = (file: string): string => join(dirname(file), `.${basename(file)}.bak`);

const clearAside = (file: string): void => {
  const begun = basename(asideOf(file));
  for (const name of readdirSync(dirname(file)))
    if (name === begun || name === `${begun}-journal`) rmSync(join(dirname(file), name), { force: true });
};

/** Copies the file aside, for its owner only, and renames it when it is whole: a kill leaves no half of a backup under its name. */
const backUp = (file: string, version: number): string => {
  clearAside(file);
  const aside = asideOf(file);
  try {
    closeSync(openSync(aside, "wx", 0o600));
    {
      // Through a connection of its own: the caller's holds the write lock, so that what is copied is what will be migrated.
      using reader = new Database(file, { readonly: true });
      reader.query("vacuum into ?").run(aside);
    }
    const backup = freeName(file, version);
    renameSync(aside, backup);
    return backup;
  } catch (error) {
    rmSync(aside, { force: true });
    if ((error as { syscall?: unknown }).syscall === undefined) throw error;
    throw new Error(`its backup cannot be made: ${reasonFor(error)}`, { cause: error });
  }
};

/** One migration of a file. */
export class FileMigration {
  private backup: string | null = null;

  /** @param from the version that the file has */
  constructor(
    private readonly store: Store,
    private readonly from: number,
  ) {}

  /** Does it, inside an immediate transaction of the caller and with foreign keys off. */
  run(): void {
    const { store, from } = this;
    this.backup = backUp(store.path, from);
    migrate(store.db, { from, now: store.now, newId: store.newId });
  }

  /** After the caller has rolled back: takes the backup away again, and gives the refusal that names the reason. */
  undone(error: unknown): Failure {
    const { store, from } = this;
    if (this.backup !== null) rmSync(this.backup, { force: true });
    const said = sqliteFailure(error, store.path) ?? error;
    if (said instanceof Failure) return said;
    return new Failure(
      `the database ${store.path} could not be migrated from version ${from} to ${schemaVersion} and stays as it was: ` +
        `${(error as Error).message}`,
      { hint: `look at it with: sqlite3 ${quoteWord(store.path)} .schema; or begin anew with another WORKERCTL_STATE_ROOT`, cause: error },
    );
  }
}
