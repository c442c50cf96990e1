/** Plain looks at files: their text, and whether a folder is there. */
import { readFileSync, statSync } from "node:fs";
import { Failure } from "../core/failure.ts";

/** Whether a folder is at this path. */
export const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/**
 * The text of a regular file.
 * @param what the file, for the error: `the worker's response`
 * @throws Failure naming the path when it is missing, no regular file, unreadable or larger than `limit` bytes
 */
export function readTextFile(path: string, what: string, limit: number): string {
  try {
    const found = statSync(path);
    if (!found.isFile()) throw new Failure(`${what} must be a file, which ${path} is not`);
    if (found.size > limit) throw new Failure(`${what} is too large: ${path} holds ${found.size} bytes, ${limit} are the limit`);
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(`${what} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}
