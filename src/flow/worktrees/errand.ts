/** A command of a worker whose sandbox is closed to the records: left as a file beside its work, and answered from outside. */
import { accessSync, constants, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Context } from "../../context.ts";
import { type Errand, type ErrandAnswer, ERRANDS, errandMs } from "../../core/errand.ts";
import { Failure } from "../../core/failure.ts";
import { quoteWord } from "../../core/shell.ts";
import { Bell } from "../../system/files/bell.ts";
import { watchFolder } from "../../system/files/watch.ts";

const isFolder = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

interface Asked extends Pick<Errand, "command" | "task"> {
  readonly flags: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;
}

/**
 * Where the answers for the worktree at `path` are left: beside the records, which its worker reads and does not write. Each worker has a
 * folder, so that none can have another's answered by an errand of the same id.
 */
export const answersFor = (path: string): string => join(dirname(dirname(path)), "artifacts", "errands", basename(path));

/**
 * Lets the worker of this worktree leave errands there. The worker may have been there before and laid links, through which nothing is
 * written: they lead where its sandbox does not let it.
 * @throws Failure when something else than a folder stands there
 */
export function openErrands(path: string): void {
  const folder = join(path, ERRANDS);
  const found = lstatSync(folder, { throwIfNoEntry: false });
  if (found === undefined) mkdirSync(folder, { mode: 0o700 });
  else if (!found.isDirectory())
    throw new Failure(`${folder} is no folder, and a sandboxed worker has to leave there what is done for it outside`, {
      hint: `look at it, and take it away: rm ${quoteWord(folder)}`,
    });
  try {
    writeFileSync(join(folder, ".gitignore"), "*\n", { flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  mkdirSync(answersFor(path), { recursive: true, mode: 0o700 });
}

/** The worktree from which errands are sent; null: the records can be written from here, or nothing is known that would carry one. */
function sender(cx: Context, database: string): string | null {
  try {
    accessSync(database, constants.W_OK);
    return null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
  }
  for (let here = cx.cwd; ; here = dirname(here)) {
    if (isFolder(join(here, ERRANDS)) && lstatSync(join(here, ".git"), { throwIfNoEntry: false })?.isFile()) return here;
    if (dirname(here) === here) return null;
  }
}

/** Whether the records are closed to this process, and somebody outside may write them for it. */
export const isClosed = (cx: Context, path: string | undefined): boolean => sender(cx, cx.storePath(path)) !== null;

/**
 * Has the command done outside, when this process may not write the records.
 * @param stdin gives what it reads, once it is known that it is needed
 * @returns its exit code, all of it printed; null: it can be done here
 * @throws Failure when nobody answers
 */
export async function sendErrand(
  cx: Context,
  path: string | undefined,
  what: Asked,
  stdin: () => string | null = () => null,
): Promise<number | null> {
  const answer = await askOutside(cx, path, what, stdin);
  if (answer === null) return null;
  if (answer.stderr !== "") cx.err(answer.stderr.trimEnd());
  if (answer.stdout !== "") cx.out(answer.stdout.trimEnd());
  return answer.exit;
}

/** The same, with nothing printed; null: it can be done here. @throws Failure when nobody answers */
export async function askOutside(
  cx: Context,
  path: string | undefined,
  what: Asked,
  stdin: () => string | null,
): Promise<ErrandAnswer | null> {
  const from = sender(cx, cx.storePath(path));
  if (from === null) return null;
  const flags = Object.entries(what.flags).flatMap(([name, value]) => {
    if (value === true) return [`--${name}`];
    if (value === undefined || value === false) return [];
    return (Array.isArray(value) ? value : [value]).map((each) => `--${name}=${each}`);
  });
  return answered(cx, from, { command: what.command, task: what.task, flags, stdin: stdin() });
}

/** It is noticed at once where the system tells of changes; the sandbox of an agent may keep it from that. */
const LOOK_MS = 500;

async function answered(cx: Context, from: string, errand: Errand): Promise<ErrandAnswer> {
  const id = cx.newId("errand").slice("errand-".length);
  const file = join(from, ERRANDS, `${id}.json`);
  const reply = join(answersFor(from), `${id}.json`);
  const bell = new Bell();
  const watch = watchFolder(dirname(reply), () => bell.ring());
  try {
    writeFileSync(`${file}.part`, JSON.stringify(errand), { mode: 0o600 });
    renameSync(`${file}.part`, file);
    for (const end = performance.now() + errandMs(errand); performance.now() < end;) {
      if (lstatSync(reply, { throwIfNoEntry: false }) !== undefined) return JSON.parse(readFileSync(reply, "utf8")) as ErrandAnswer;
      await bell.wait(LOOK_MS);
    }
  } finally {
    watch?.close();
    rmSync(file, { force: true });
  }
  throw new Failure("the records cannot be written from this sandbox, and nobody outside of it has answered", {
    hint: `your manager, or whoever started you, runs ${cx.program} dispatch --watch; then try again`,
  });
}
