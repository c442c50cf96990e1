/** Folder watches: being told at once when something below a folder changes. The folder is watched, never a file: a watched file goes deaf after a rename. */
import { watch } from "node:fs";

export interface FolderWatch {
  close(): void;
}

/** Where appending to a file that stays open gives no event (macOS): who watches must look by itself now and then. */
export const deafToAppends = process.platform === "darwin";

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
