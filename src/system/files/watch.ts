/**
 * Folder watches: being told at once when something below a folder changes, and looking by oneself where the system does not tell. The
 * folder is watched, never a file: a watched file goes deaf after a rename.
 */
import { watch } from "node:fs";

export interface FolderWatch {
  close(): void;
}

/** Where appending to a file that stays open gives no event. */
const deafToAppends = process.platform === "darwin";

const SOONEST_MS = 10;
const LATEST_MS = 250;

/**
 * How long until the next look, when nothing has changed for `quietMs`: soon while things happen, seldom and thus nearly for nothing
 * afterwards.
 */
export const lookAfter = (quietMs: number): number => Math.min(LATEST_MS, Math.max(SOONEST_MS, quietMs / 20));

/**
 * Looks again and again where appends give no event, or where no watch was given (a user has 128 on most Linuxes); elsewhere this does
 * nothing.
 * @param look says whether it found anything changed @param latestMs the longest time between two looks
 */
export function lookWhereDeaf(look: () => boolean, deaf: boolean = deafToAppends, latestMs = LATEST_MS): FolderWatch {
  let changedAt = performance.now();
  let next: ReturnType<typeof setTimeout> | undefined;
  const again = (): void => {
    next = setTimeout(
      () => {
        if (look()) changedAt = performance.now();
        if (next !== undefined) again();
      },
      Math.min(latestMs, lookAfter(performance.now() - changedAt)),
    );
  };
  if (deaf) again();
  return {
    close() {
      clearTimeout(next);
      next = undefined;
    },
  };
}

/**
 * Calls `changed` with the name of what changed directly in `folder` (null when the system does not say).
 * @returns null when the folder cannot be watched (missing, too many watches): the caller's own timer must do
 */
export function watchFolder(folder: string, changed: (name: string | null) => void): FolderWatch | null {
  try {
    const watcher = watch(folder, { persistent: true }, (_event, name) => changed(name));
    // A watch that breaks later (folder removed) only stops telling.
    watcher.on("error", () => watcher.close());
    return watcher;
  } catch {
    return null;
  }
}
