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

interface Below {
  /** Path below the folder, with slashes. */
  readonly path: string;
  readonly kind: "file" | "folder" | "other";
}

/** Everything below a folder, sorted. A link is "other" and is not followed, which `readdir` of Bun would do. */
export function entriesBelow(folder: string): Below[] {
  const found: Below[] = [];
  const look = (below: string): void => {
    for (const entry of readdirSync(join(folder, below), { withFileTypes: true })) {
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      const kind = entry.isFile() ? "file" : entry.isDirectory() ? "folder" : "other";
      found.push({ path, kind });
      if (kind === "folder") look(path);
    }
  };
  look("");
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
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
