/** In which files a Codex thread is written: one after the other when it is rewound, elsewhere when it is archived. */
import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { codex } from "../../core/codex/codex.ts";

/** Newest first. */
const names = (folder: string): string[] => {
  try {
    return readdirSync(folder).sort().reverse();
  } catch {
    return [];
  }
};

/**
 * The part of a rollout's name that orders the files of one thread: a rewind goes on in a file with an id behind the thread's, and those
 * ids grow with time. Null: it is no file of the thread.
 */
function turnOf(name: string, threadId: string): string | null {
  const bare = name.replace(/\.jsonl(\.zst)?$/, "");
  if (bare === name || !name.startsWith("rollout-")) return null;
  if (bare.endsWith(`-${threadId}`)) return "";
  const at = bare.lastIndexOf(`-${threadId}_`);
  const suffix = at < 0 ? "" : bare.slice(at + threadId.length + 2);
  return codex.isSessionId(suffix) ? suffix : null;
}

const archiveFolder = (home: string): string => join(home, "archived_sessions");

interface ThreadFile {
  readonly path: string;
  readonly turn: string;
}

const filesIn = (folder: string, threadId: string): ThreadFile[] =>
  names(folder).flatMap((name) => {
    const turn = turnOf(name, threadId);
    return turn === null ? [] : [{ path: join(folder, name), turn }];
  });

/** Oldest first; of one that is there twice, the plain one before the packed. */
const inOrder = (files: ThreadFile[]): ThreadFile[] =>
  files.sort((a, b) => (a.turn === b.turn ? b.path.length - a.path.length : a.turn < b.turn ? -1 : 1));

/** Day folders, newest first, from `since` (`2026/11/30`) on. */
function* dayFolders(home: string, since = ""): Generator<string> {
  const root = join(home, "sessions");
  for (const year of names(root)) {
    if (year < since.slice(0, 4)) return;
    for (const month of names(join(root, year))) {
      if (`${year}/${month}` < since.slice(0, 7)) return;
      for (const day of names(join(root, year, month))) {
        if (`${year}/${month}/${day}` < since) return;
        yield join(root, year, month, day);
      }
    }
  }
}

/** The rollout that a thread is written to now, or was last, archived or not; null when there is none. */
export function rolloutOfThread(home: string, threadId: string): string | null {
  if (!codex.isSessionId(threadId)) return null;
  for (const folder of dayFolders(home)) {
    const found = inOrder(filesIn(folder, threadId)).at(-1);
    if (found) return found.path;
  }
  return inOrder(filesIn(archiveFolder(home), threadId)).at(-1)?.path ?? null;
}

/** The files of the thread that are not older than the one at `path`; empty when that path is of another form. */
function filesSince(path: string, threadId: string): ThreadFile[] {
  const home = codex.transcript.homeOf(path);
  if (home === null || !codex.isSessionId(threadId) || turnOf(basename(path), threadId) === null) return [];
  // An archived one tells no day.
  const day = /\/sessions\/(\d+\/\d+\/\d+)\//.exec(path)?.[1];
  const live = [...dayFolders(home, day)].flatMap((folder) => filesIn(folder, threadId));
  const archived = live.length > 0 && existsSync(path) ? [] : filesIn(archiveFolder(home), threadId);
  return inOrder([...archived, ...live]);
}

/** The file in which the thread at `path` goes on after a rewind, the first of them when there are several; null when it does not. */
export function nextRollout(path: string, threadId: string | null): string | null {
  if (threadId === null) return null;
  const turn = turnOf(basename(path), threadId);
  return filesSince(path, threadId).find((file) => turn !== null && file.turn > turn)?.path ?? null;
}

/** The same file where it lies now: archived, packed, or taken out of the archive since; `path` itself when it is nowhere else. */
export function placeOfRollout(path: string, threadId: string | null): string {
  if (threadId === null || existsSync(path)) return path;
  const turn = turnOf(basename(path), threadId);
  return filesSince(path, threadId).findLast((file) => file.turn === turn)?.path ?? path;
}

/** The newest file of the thread at `path`; `path` itself when it is not of the usual form. */
export const newestRollout = (path: string, threadId: string | null): string =>
  (threadId === null ? undefined : filesSince(path, threadId).at(-1)?.path) ?? path;
