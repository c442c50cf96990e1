/** The folder of one worker or session below the state root: configuration, status, capture and log, in the form of the oldest releases. */
import { closeSync, constants, mkdirSync, openSync, readdirSync, writeSync } from "node:fs";
import { join } from "node:path";
import { Failure, reasonOf } from "../core/failure.ts";
import { compactJson, isObject, type JsonObject, prettyJson } from "../core/json.ts";
import { readPlainText } from "./files/text-file.ts";
import { type StagedFile, stageFile } from "./files/whole-file.ts";

/** Any name becomes one harmless folder name. */
const folderName = (name: string): string =>
  /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(name) ? name : encodeURIComponent(name).replace(/^\./, "%2E") || "%20";

export const workerFolder = (root: string, name: string): string => join(root, folderName(name));

/** Names of the folders directly below `root`, sorted; hidden ones are nobody's. None when there is no such root. */
export function folderNames(root: string): string[] {
  try {
    return readdirSync(root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
      .map((entry) => entry.name)
      .sort();
  } catch (error) {
    return absent(error, root, []);
  }
}

function absent<T>(error: unknown, path: string, instead: T): T {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ENOTDIR") return instead;
  throw new Failure(`${path} cannot be read: ${reasonOf(error)}`);
}

type CompatFile = "config.json" | "status.json" | "capture-meta.json";

/** The text of a file of the folder, or null when there is none. */
export function readCompatText(root: string, name: string, file: CompatFile | "events.jsonl" | "transcript.txt"): string | null {
  const path = join(workerFolder(root, name), file);
  try {
    return readPlainText(path);
  } catch (error) {
    return absent(error, path, null);
  }
}

/** The JSON object in a file of the folder, or null when there is none. @throws Failure when it is something else */
export function readCompatJson(root: string, name: string, file: CompatFile): JsonObject | null {
  const text = readCompatText(root, name, file);
  if (text === null) return null;
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch {
    // Said below, with the name of the file.
  }
  throw new Failure(`${join(workerFolder(root, name), file)} is not a JSON object`, { hint: "correct that file, or move it away" });
}

/** A JSON file of the folder, ready to be put in place. */
export const stageCompatJson = (root: string, name: string, file: CompatFile, value: unknown): StagedFile =>
  stageFile(join(workerFolder(root, name), file), `${prettyJson(value)}\n`);

/** `transcript.txt` of the folder, ready to be put in place. */
export const stageTranscript = (root: string, name: string, content: string): StagedFile =>
  stageFile(join(workerFolder(root, name), "transcript.txt"), `${content}\n`);

/** Appends one event to `events.jsonl`. @throws Failure when that is not possible */
export function appendCompatEvent(
  root: string,
  name: string,
  event: { readonly time: string; readonly type: string; readonly [key: string]: unknown },
): void {
  const path = join(workerFolder(root, name), "events.jsonl");
  try {
    mkdirSync(workerFolder(root, name), { recursive: true, mode: 0o700 });
    // The worker may write in there: a link of its making must not lead us to a file that it may not write.
    const fd = openSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
    try {
      writeSync(fd, `${compactJson(event)}\n`);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw new Failure(`${path} could not be written: ${reasonOf(error)}`);
  }
}
