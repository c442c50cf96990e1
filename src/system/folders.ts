/** Small questions about paths. */
import { readdirSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";

export function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** The path with every symbolic link resolved, or as it is when it does not exist. */
export function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** Paths of everything in the folder whose name begins like this. */
export function filesBeginning(folder: string, name: string): string[] {
  try {
    return readdirSync(folder).flatMap((each) => (each.startsWith(name) ? [join(folder, each)] : []));
  } catch {
    return [];
  }
}
