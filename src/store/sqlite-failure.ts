/** SQLite's own errors, said as one sentence that names the file: what the machine or another program did is no bug of ours. */
import { SQLiteError } from "bun:sqlite";
import { Failure } from "../core/failure.ts";
import { quoteCommand } from "../core/shell.ts";

const advice = (code: string, path: string): { reason: string; hint: string } | undefined => {
  if (code === "SQLITE_NOTADB") return notADatabase(path);
  if (code.startsWith("SQLITE_CORRUPT")) {
    return {
      reason: "is damaged",
      hint: `move it away (${quoteCommand(["mv", path, `${path}.damaged`])}) and restore a backup, if there is one`,
    };
  }
  if (code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_LOCKED")) {
    return {
      reason: "is locked by another program",
      hint: "try again when the other program is done, or find it with: " + quoteCommand(["fuser", "-v", path]),
    };
  }
  if (code.startsWith("SQLITE_READONLY") || code === "SQLITE_PERM" || code === "SQLITE_AUTH") {
    return {
      reason: "cannot be written",
      hint: "check the permissions of the file and of its folder, or choose another with WORKERCTL_STATE_ROOT",
    };
  }
  if (code.startsWith("SQLITE_CANTOPEN")) {
    return {
      reason: "cannot be opened",
      hint: "check the path and the permissions of its folder, or choose another with WORKERCTL_STATE_ROOT",
    };
  }
  if (code === "SQLITE_FULL") return { reason: "cannot grow, the disk is full", hint: "free some space and try again" };
  if (code.startsWith("SQLITE_IOERR")) return { reason: "cannot be read or written", hint: "check the disk and its permissions" };
  return undefined;
};

/** Why a file that is no database is refused, and what to do about it. */
export const notADatabase = (path: string): { reason: string; hint: string } => ({
  reason: "is not an SQLite database",
  hint: `choose another file with --path; or, if the database is to be there, move what is there away first: ${quoteCommand(["mv", path, `${path}.old`])}`,
});

/**
 * The refusal that stands for an error of SQLite about the file itself.
 * Gives undefined for anything else (a broken constraint, a mistake in our SQL), which is a bug and keeps its stack.
 */
export function sqliteFailure(error: unknown, path: string): Failure | undefined {
  if (!(error instanceof SQLiteError) || error.code === undefined) return undefined;
  const found = advice(error.code, path);
  return found && new Failure(`the database ${path} ${found.reason} (${error.message})`, { hint: found.hint, cause: error });
}
