/** Text files that a user names. */
import { existsSync, readFileSync } from "node:fs";
import { Failure } from "../core/failure.ts";

/** The whole file as text. @throws Failure naming it when it cannot be read */
export function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new Failure(`${path} cannot be read: ${(error as Error).message}`);
  }
}

/** Whether there is anything at this path. */
export const isThere = (path: string): boolean => existsSync(path);
