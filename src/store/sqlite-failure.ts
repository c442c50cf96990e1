/** SQLite's own errors, said as one sentence that names the file: what the machine or another program did is no bug of ours. */
import { SQLiteError } from "bun:sqlite";
import { lstatSync } from "node:fs";
import { Failure } from "../core/failure.ts";
import { quoteCommand } from "../core/shell.ts";
import { behindLinks, fileObstacle, growthObstacle, readObstacle, writeObstacle } from "./obstacle.ts";

interface Advice {
  readonly reason: string;
  readonly hint: string;
}

const stands = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

/**
 * How to move a file away so that another can take its place: a log left behind would be played into whatever stands there next. Whoever
 * has it open ends first, or it would write to both.
 * @param as what to put behind the name, with a number when that is taken
 */
function moveAway(path: string, as: string): string {
  const file = behindLinks(path);
  const parts = ["", "-wal", "-shm"];
  let to = `${file}.${as}`;
  for (let count = 2; parts.some((part) => stands(`${to}${part}`)); count++) to = `${file}.${as}.${count}`;
  return parts
    .filter((part) => part === "" || stands(`${file}${part}`))
    .map((part) => quoteCommand(["mv", `${file}${part}`, `${to}${part}`]))
    .join("; ");
}

/** Why a file that is no database is refused, and what to do about it. */
const notADatabase = (path: string): Advice => ({
  reason: "is not an SQLite database",
  hint:
    "choose another file with --path; or, if the database is to be there, end every watch and dashboard on it, then move what is there " +
    `away: ${moveAway(path, "old")}; then lay a backup in its place, if there is one`,
});

/** What to do about a file that is damaged. */
export const damageHint = (path: string): string =>
  `end every watch and dashboard on it, then move it away: ${moveAway(path, "damaged")}; then lay a backup in its place, if there ` +
  "is one (docs/configuration.md tells how)";

const choose = "or choose another place with WORKERCTL_STATE_ROOT";
/** Where SQLite says no more than that it could not, the machine is asked. */
const table: readonly (readonly [code: RegExp, advice: (path: string) => Advice])[] = [
  [/^SQLITE_NOTADB/, notADatabase],
  [/^SQLITE_CORRUPT/, (path) => ({ reason: "is damaged", hint: damageHint(path) })],
  [
    /^SQLITE_(BUSY|LOCKED)/,
    (path) => ({
      reason: "is locked by another program",
      hint: "try again when the other program is done, or find it with: " + quoteCommand(["fuser", "-v", path]),
    }),
  ],
  [
    /^SQLITE_(READONLY|PERM|AUTH)/,
    (path) => ({
      reason: because("cannot be written", writeObstacle(path)),
      hint: `check the permissions of the file and of its folder, ${choose}`,
    }),
  ],
  [
    /^SQLITE_CANTOPEN/,
    (path) => ({
      reason: because("cannot be opened", readObstacle(path) ?? fileObstacle(path) ?? growthObstacle(path)),
      hint: `check the path and the permissions of its folder, ${choose}`,
    }),
  ],
  [/^SQLITE_FULL/, (path) => full(growthObstacle(path) ?? "the disk is full")],
  [
    /^SQLITE_IOERR/,
    (path) => {
      const reason = growthObstacle(path);
      return reason === null ? { reason: "cannot be read or written", hint: "check the disk and its permissions" } : full(reason);
    },
  ],
];

const because = (what: string, reason: string | null): string => (reason === null ? what : `${what}: ${reason}`);
const full = (reason: string): Advice => ({ reason: `cannot grow: ${reason}`, hint: `free some space and try again, ${choose}` });

/** The first line of what SQLite says, and no more than fits on one: it can name a whole statement. */
export const brief = (message: string): string => {
  const line = message.split("\n", 1)[0]!;
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
};
const LONGEST = 160;

/**
 * The refusal that stands for an error of SQLite about the file itself.
 * Gives undefined for anything else (a broken constraint, a mistake in our SQL), which is a bug and keeps its stack.
 */
export function sqliteFailure(error: unknown, path: string): Failure | undefined {
  if (!(error instanceof SQLiteError) || error.code === undefined) return undefined;
  const found = table.find(([code]) => code.test(error.code!))?.[1](path);
  return found && new Failure(`the database ${path} ${found.reason} (${brief(error.message)})`, { hint: found.hint, cause: error });
}

/**
 * Whether a change was refused though the file may well be read: it is locked, full, or not to be written. Who only looks, and would have
 * put on record what it saw, goes on without.
 */
export function isUnwritten(error: unknown): boolean {
  const cause = error instanceof Failure ? error.cause : error;
  return cause instanceof SQLiteError && /^SQLITE_(BUSY|READONLY|FULL|IOERR)/.test(cause.code ?? "");
}

/** Whether another connection has the lock that was asked for. */
export const isBusy = (error: unknown): boolean => error instanceof SQLiteError && error.code?.startsWith("SQLITE_BUSY") === true;
