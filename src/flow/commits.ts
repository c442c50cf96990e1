/** Waiting for the next commit of somebody else on the same database, without polling it. */
import { basename, dirname } from "node:path";
import { dataVersion } from "../store/changes.ts";
import type { Store } from "../store/store.ts";
import { lookWhereDeaf, watchFolder } from "../system/files/watch.ts";

export interface Commits {
  close(): void;
}

/**
 * The log file changes a moment before the commit counts, and a busy machine can stretch that moment. What is told of two commits at once
 * may come when only the first counts, so the looks go on after a find, too.
 */
const LOOK_AGAIN_MS = [1, 3, 12, 100];

/**
 * Calls `committed` when another connection, of this or another process, has committed. Where the folder cannot be watched
 * nothing is called, so whoever waits must have a longest sleep of its own.
 */
export function watchCommits(store: Store, committed: () => void): Commits {
  const file = basename(store.path);
  let last = dataVersion(store);
  let again: ReturnType<typeof setTimeout> | undefined;
  const changed = (): boolean => {
    try {
      const now = dataVersion(store);
      if (now === last) return false;
      last = now;
    } catch {
      // Whoever is called looks for itself, and can say what is wrong with the database.
    }
    return true;
  };
  const look = (round: number): void => {
    again = round < LOOK_AGAIN_MS.length ? setTimeout(look, LOOK_AGAIN_MS[round]!, round + 1) : undefined;
    if (changed()) committed();
  };
  const folder = watchFolder(dirname(store.path), (name) => {
    if (name !== null && !name.startsWith(file)) return;
    clearTimeout(again);
    look(0);
  });
  const looks = lookWhereDeaf(() => {
    const found = changed();
    if (found) committed();
    return found;
  });
  return {
    close() {
      clearTimeout(again);
      looks.close();
      folder?.close();
    },
  };
}
