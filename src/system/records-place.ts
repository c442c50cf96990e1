/** Where the records of a folder lie, and whether what lies there may be believed: nobody else made it, and nothing led elsewhere. */
import { lstatSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";
import { realPath } from "./files/folders.ts";
import { runProgramNow } from "./processes/run.ts";

export const RECORDS = ".codex-workers";
export const DATABASE = "workerctl.db";

const look = (path: string) => lstatSync(path, { throwIfNoEntry: false });

/** Looking must not fail where a folder may not be read: it holds nothing for us then. */
function kindOf(path: string, by: typeof lstatSync = lstatSync): "folder" | "file" | "other" | null {
  try {
    const found = by(path, { throwIfNoEntry: false });
    return found === undefined ? null : found.isDirectory() ? "folder" : found.isFile() ? "file" : "other";
  } catch {
    return null;
  }
}

/** As git reads a path from a file: blanks belong to it, ends of line behind it do not. */
function pathIn(file: string): string | null {
  try {
    return readFileSync(file, "utf8").replace(/[\r\n]+$/, "");
  } catch {
    return null;
  }
}

/** What a `.git` file points to; null when it is none. */
function gitFolderOf(dotGit: string): string | null {
  const words = /^gitdir: ([^]+)$/.exec(pathIn(dotGit) ?? "")?.[1];
  return words === undefined ? null : resolve(dirname(dotGit), words);
}

/** The repository in which a folder lies. */
interface Repository {
  readonly root: string;
  readonly gitFolder: string;
}

function repositoryAt(root: string): Repository | null {
  const dotGit = join(root, ".git");
  // Git goes through a link here, to a folder and to a file.
  const kind = kindOf(dotGit, statSync);
  if (kind === null) return null;
  const gitFolder = kind === "file" ? gitFolderOf(dotGit) : dotGit;
  return gitFolder === null ? null : { root, gitFolder };
}

/** Of a linked worktree: the root of the main one. Null for any other repository, also a submodule, and where the main one is bare. */
function mainRootOf({ gitFolder }: Repository): string | null {
  const common = pathIn(join(gitFolder, "commondir"));
  if (common === null) return null;
  const main = resolve(gitFolder, common);
  return basename(main) === ".git" ? dirname(main) : null;
}

/**
 * The folder of the records that somebody in `here` means: the nearest `.codex-workers` from here up to the root of the repository, then
 * that of a linked worktree's main one; else the one here, whether it is there or not. Without a repository only here is looked at.
 */
export function recordsFor(here: string): string {
  const mine = join(here, RECORDS);
  if (kindOf(mine) !== null) return mine;
  let nearest: string | null = null;
  for (let folder = here; ; folder = dirname(folder)) {
    if (nearest === null && folder !== here && kindOf(join(folder, RECORDS)) !== null) nearest = join(folder, RECORDS);
    const repository = repositoryAt(folder);
    if (repository !== null) {
      if (nearest !== null) return nearest;
      const main = mainRootOf(repository);
      return main !== null && kindOf(join(main, RECORDS)) !== null ? join(main, RECORDS) : mine;
    }
    if (dirname(folder) === folder) return mine;
  }
}

/** Whether something lies in the folder of this database, or in that whose records it holds: it came from wherever they came from. */
export function liesWithRecords(path: string, database: string): boolean {
  const records = dirname(realPath(database));
  const folder = basename(records) === RECORDS ? dirname(records) : records;
  const from = relative(folder, realPath(path));
  return from === "" || !(from === ".." || from.startsWith("../") || isAbsolute(from));
}

/** Why these records are not to be used unless they are named on purpose; null: they may be. */
export function mistrust(records: string): string | null {
  const database = join(records, DATABASE);
  for (const path of [records, database]) {
    const found = look(path);
    if (found === undefined) continue;
    if (found.isSymbolicLink()) return `${path} is a link, so they may lie anywhere`;
    if (process.getuid !== undefined && found.uid !== process.getuid()) return `${path} belongs to another user`;
  }
  return look(records) !== undefined && isTracked(records) ? "git tracks them, so they come from whoever wrote the repository" : null;
}

/**
 * Whether an index names any of the records: that of the repository in which they lie, where a submodule of their name is one entry, or
 * that of the repository which they are themselves. Their `.gitignore` alone is none.
 */
function isTracked(records: string): boolean {
  const own = repositoryAt(records);
  if (own !== null && indexNames(own, "")) return true;
  for (let folder = dirname(records); ; folder = dirname(folder)) {
    const repository = repositoryAt(folder);
    if (repository !== null) return indexNames(repository, relative(folder, records));
    if (dirname(folder) === folder) return false;
  }
}

/** @param at the records as the index would name them; empty: they are the whole repository */
function indexNames({ root, gitFolder }: Repository, at: string): boolean {
  let index: Buffer;
  try {
    index = readFileSync(join(gitFolder, "index"));
  } catch {
    // None yet; but a submodule may be called by bytes that are no UTF-8, and then its folder is found by git alone.
    return gitFolder.includes("\uFFFD") && askGit(root, at);
  }
  // Names stand whole in versions 2 and 3. In 4 one tells only in what it differs from the one before, in a split index it may be
  // elsewhere, and in a sparse one (extension "sdir", of no length) a folder stands for all that is in it.
  const whole =
    index.length >= 8 &&
    index.readUInt32BE(4) < 4 &&
    !index.includes("sdir\0\0\0\0") &&
    !filesOf(gitFolder).some((name) => name.startsWith("sharedindex."));
  return whole && !index.includes(at) ? false : askGit(root, at);
}

function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/**
 * Slower, and exact for every kind of index. It reads the index, and of a sparse one the trees that it names: nothing is fetched, and no
 * program that the repository names is run for that. The folder is named as the work tree, since `core.worktree` may name another.
 */
function askGit(root: string, at: string): boolean {
  const env = {
    PATH: process.env.PATH ?? "",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_TERMINAL_PROMPT: "0",
    GIT_NO_LAZY_FETCH: "1",
    GIT_ALLOW_PROTOCOL: "none",
    LC_ALL: "C",
  };
  const words = ["git", "-c", "core.fsmonitor=false", "--git-dir=.git", "--work-tree=.", "ls-files", "-z", "--cached"];
  const done = runProgramNow(words, { env, cwd: root });
  const below = at === "" ? "" : `${at}/`;
  return (
    done.code !== 0 ||
    done.stdout.split("\0").some((name) => name !== "" && (name === at || (name.startsWith(below) && name !== `${below}.gitignore`)))
  );
}

/**
 * Whether the folder is one for records alone, by its name or since it is not there yet: one that a person named may hold anything else.
 */
export const isOurs = (records: string): boolean => basename(records) === RECORDS || kindOf(records) === null;

/** Keeps what this program writes there out of the repository around it. A folder that cannot be written, or has one, is left alone. */
export function hideFromGit(records: string): void {
  try {
    writeFileSync(join(records, ".gitignore"), "*\n", { flag: "wx" });
  } catch {
    return;
  }
}
