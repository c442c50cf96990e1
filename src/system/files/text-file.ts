/** Text files: those that a user names, and those in folders where others write too. */
import { closeSync, constants, existsSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { Failure } from "../../core/failure.ts";

const MOST_BYTES = 8 << 20;

/** The whole file, or what a pipe gives, as text. @throws Failure naming it when it cannot be read or holds more than 8 MiB */
export function readText(path: string): string {
  const bytes = readUpTo(path, MOST_BYTES + 1);
  if (bytes.length > MOST_BYTES)
    throw new Failure(`${path} holds more than ${MOST_BYTES} bytes`, { hint: "cut the part out that matters" });
  return new TextDecoder().decode(bytes);
}

function readUpTo(path: string, most: number): Uint8Array {
  const parts: Uint8Array[] = [];
  let file: number | undefined;
  try {
    file = openSync(path, "r");
    for (let left = most; left > 0;) {
      const part = new Uint8Array(Math.min(left, 1 << 16));
      const length = readSync(file, part, 0, part.length, null);
      if (length === 0) break;
      parts.push(part.subarray(0, length));
      left -= length;
    }
    return Buffer.concat(parts);
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    const reason = code === "ENOENT" ? "there is no such file" : code === "EISDIR" ? "it is a folder" : message;
    throw new Failure(`${path} cannot be read: ${reason}`, { hint: "give the path of a text file" });
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/**
 * The whole text of a file in a folder where a worker may write: neither a link is followed there nor a pipe waited for.
 * What is no file, or holds more than `most` bytes, is EINVAL.
 * Throws the error of the system when it cannot be read.
 */
export function readPlainText(path: string, most = Number.POSITIVE_INFINITY): string {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) throw Object.assign(new Error("it is not a plain file"), { code: "EINVAL" });
    if (stat.size > most) throw Object.assign(new Error(`it holds more than ${most} bytes`), { code: "EINVAL" });
    return readFileSync(file, "utf8");
  } finally {
    closeSync(file);
  }
}

/** Whether there is anything at this path. */
export const isThere = (path: string): boolean => existsSync(path);
