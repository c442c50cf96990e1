/** Waiting for the next commit of somebody else on the same database, without polling it, as long as it stands at its path. */
import { basename, dirname } from "node:path";
import { dataVersion, keepsPlace } from "../store/place.ts";
import type { Store } from "../store/store.ts";
import { lookWhereDeaf, watchFolder } from "../system/files/watch.ts";

interface Commits {
  close(): void;
}

/**
 * The log file changes a moment before the commit counts, and a busy machine can stretch that moment. What is told of two commits at once
 * may come when only the first counts, so the looks go on after a find, too.
 */
const LOOK_AGAIN_MS = [1, 3, 12, 100];
/** How often who was given no watch looks for itself: soon enough for a person, and a thousandth of a processor. */
const DEAF_MS = 40;
/** A folder that is moved or removed with all that is in it need not tell those who watch it. */
const PLACE_MS = 2000;

/**
 * Calls `committed` when another connection, of this or another process, has committed, and when the file no longer stands at its path,
 * which `requirePlace` then says. Where the folder cannot be watched it looks by itself, often enough.
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
    if (changed() || !keepsPlace(store)) committed();
  };
  const folder = watchFolder(dirname(store.path), (name) => {
    if (name !== null && !name.startsWith(file)) return;
    clearTimeout(again);
    look(0);
  });
  const lookAlone = (): boolean => {
    const found = changed();
    if (found) committed();
    return found;
  };
  const looks = folder === null ? lookWhereDeaf(lookAlone, true, DEAF_MS) : lookWhereDeaf(lookAlone);
  const place = setInterval(() => {
    if (!keepsPlace(store)) committed();
  }, PLACE_MS);
  return {
    close() {
      clearTimeout(again);
      clearInterval(place);
      looks.close();
      folder?.close();
    },
  };
}
