/** One at a time at the worktrees of a repository: a lock in the git folder that they share, which the system drops with its holder. */
import { closeSync, constants, openSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../core/failure.ts";
import { flockCall } from "../processes/libc.ts";

/** LOCK_EX | LOCK_NB, the same on Linux and macOS. */
const EXCLUSIVE_NOW = 2 | 4;

/** @throws Failure when another process holds it; whatever `use` throws */
export async function withRepositoryLock<T>(common: string, use: () => Promise<T>): Promise<T> {
  const file = join(common, "conveyor-worktrees.lock");
  // Never through a link that somebody has laid there.
  const fd = openSync(file, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  try {
    if (flockCall()?.(fd, EXCLUSIVE_NOW) !== 0)
      throw new Failure(`another process is at the worktrees of ${common}`, { hint: "wait until it has come to its end" });
    return await use();
  } finally {
    closeSync(fd);
  }
}
