/** Small questions about paths. */
import { accessSync, constants, readdirSync, realpathSync, statSync } from "node:fs";
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

export function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Whether it is a file that this user may run. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return isFile(path);
  } catch {
    return false;
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
