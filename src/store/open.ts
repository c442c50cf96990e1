/** Opening the database: look first, then create, migrate or use it. The only place that makes a connection for writing. */
import { Database } from "bun:sqlite";
import { resolve } from "node:path";
import { Failure } from "../core/failure.ts";
import { type Extension, applyExtensions, extensions, lacksExtensions } from "../schema/extensions.ts";
import { schemaVersion, tableNames } from "../schema/schema.ts";
import { quoteCommand } from "../core/shell.ts";
import { closeLeavingLog, closeUntouched, createFile, fileStands, openFile, requireHeader } from "./file.ts";
import type { FileMigration } from "./migrate.ts";
import { logBytes } from "./obstacle.ts";
import { identityOf, keepsLog, logIdentity, refuseNewer, requirePlace } from "./place.ts";
import { isBusy, sqliteFailure } from "./sqlite-failure.ts";
import { type Store, tx } from "./store.ts";

/** Where times and ids come from. */
export type Source = Pick<Store, "now" | "newId">;

interface OpenOptions {
  /** false: a missing file is refused instead of made. Default true. */
  readonly create?: boolean;
  /** The extension tables to hold the file to; all that this tool knows unless a test says otherwise. */
  readonly extensions?: readonly Extension[];
}

const busyMs = 5000;

/**
 * The store in the file at `path`, at version 22 with all extensions: a missing or empty file is created, an older one migrated
 * (with a backup beside it). Throws a Failure when the file is newer, is no database, or cannot be opened; it is then unchanged.
 */
export function openStore(path: string, source: Source, options: OpenOptions = {}): Store {
  const file = resolve(path);
  const known = options.extensions ?? extensions;
  try {
    if (!fileStands(file)) {
      if (options.create === false)
        throw new Failure(`there is no database at ${file}`, { hint: "conveyor tasks --create NAME --goal TEXT" });
      createFile(file);
    } else requireHeader(file);
    return connect(file, source, known);
  } catch (error) {
    throw sqliteFailure(error, file) ?? error;
  }
}

const connect = (file: string, source: Source, known: readonly Extension[]): Store => {
  const identity = identityOf(file);
  const { db, version, readOnly, alone } = openFile(file, busyMs);
  let store: Store = { db, path: file, identity, log: null, alone, now: source.now, newId: source.newId };
  try {
    refuseNewer(version, file);
    if (version < schemaVersion) refuseForeign(db, file);
    if (readOnly !== null) requireToday(store, version, known, readOnly);
    else bringToday(store, version, known);
    enforceForeignKeys(store);
    store = { ...store, log: logIdentity(file) };
    requirePlace(store);
    return store;
  } catch (error) {
    closeUntouched(db, file);
    throw error;
  }
};

/**
 * Closes it. What was written into a log that is no longer the file's would take the place of what others have written since. A file that
 * was moved away has its log with it.
 */
export function closeStore(store: Store): void {
  if (identityOf(store.path) === store.identity && !keepsLog(store)) closeLeavingLog(store.db, store.path);
  else store.db.close();
}

/** Gives the file what it lacks of today's schema. */
const bringToday = (store: Store, version: number, known: readonly Extension[]): void => {
  const { db } = store;
  // An old file keeps its journal mode until it is migrated: when that fails, no byte of it has changed.
  if (version < schemaVersion && tablesOf(db).length > 0) upgrade(store);
  useWriteAheadLog(db);
  if (userVersion(db) < schemaVersion) upgrade(store);
  if (lacksExtensions(db, known)) tx(store, () => applyExtensions(db, known, store.now()));
};

/** Throws a Failure when a file that cannot be written lacks something. */
const requireToday = ({ db, path }: Store, version: number, known: readonly Extension[], reason: string): void => {
  if (version === schemaVersion && !lacksExtensions(db, known)) return;
  throw new Failure(`the database ${path} must be brought up to date before it can be read, and cannot be written: ${reason}`, {
    hint: `copy it to a folder of your own (${quoteCommand(["cp", path, ...(logBytes(path) > 0 ? [`${path}-wal`] : []), "."])} there) and name the copy with --path`,
  });
};

const enforceForeignKeys = ({ db, path }: Store): void => {
  db.run("pragma foreign_keys = on");
  const row = db.query<{ foreign_keys: number }, []>("pragma foreign_keys").get();
  if (row?.foreign_keys !== 1) throw new Failure(`foreign keys cannot be enabled for the database ${path}`);
};

const userVersion = (db: Database): number => db.query<{ user_version: number }, []>("pragma user_version").get()?.user_version ?? 0;

/**
 * SQLite switches the mode only while nobody else is connected and does not wait for that by itself; another first opening may be at it.
 */
const useWriteAheadLog = (db: Database): void => {
  for (const end = performance.now() + busyMs; ;) {
    try {
      db.query("pragma journal_mode = wal").get();
      return;
    } catch (error) {
      if (!isBusy(error) || performance.now() > end) throw error;
      Bun.sleepSync(5);
    }
  }
};

/** What the file needs is decided inside the transaction: another opening may have been faster. */
const upgrade = (store: Store): void => {
  // Rebuilding a table drops one that others refer to; the switch has no effect inside a transaction.
  store.db.run("pragma foreign_keys = off");
  let migration: FileMigration | undefined;
  try {
    tx(store, () => {
      const version = userVersion(store.db);
      if (version >= schemaVersion) return;
      // Loaded only here: opening a file of today, which every command does, needs neither.
      if (tablesOf(store.db).length === 0) {
        const { createSchema } = require("../schema/create.ts") as typeof import("../schema/create.ts");
        createSchema(store.db, store.now());
      } else {
        const { FileMigration } = require("./migrate.ts") as typeof import("./migrate.ts");
        migration = new FileMigration(store, version);
        migration.run();
      }
    });
  } catch (error) {
    throw migration?.undone(error) ?? error;
  }
};

const tablesOf = (db: Database): string[] =>
  db
    .query<{ name: string }, []>("select name from sqlite_master where type = 'table' and name not like 'sqlite\\_%' escape '\\'")
    .all()
    .map((row) => row.name);

/** A file of some other program is not ours to migrate, whatever its version says. */
const refuseForeign = (db: Database, file: string): void => {
  const tables = tablesOf(db);
  if (tables.length === 0 || tables.some((name) => tableNames().includes(name))) return;
  throw new Failure(`the database ${file} belongs to another program: it has tables, but none of ours`, {
    hint: "choose another file with --path or WORKERCTL_STATE_ROOT",
  });
};
