/** A rollout on disk, read forward by byte offsets in pieces: memory stays the same however large the file is. */
import { isUtf8 } from "node:buffer";
import { closeSync, constants, fstatSync, openSync, readSync, statSync } from "node:fs";
import { isPacked, unpacked } from "./packed.ts";
import { Failure } from "../../core/failure.ts";

/** One complete line, without its newline. */
interface Line {
  /** Byte of the file where it begins. */
  readonly offset: number;
  /** null: not UTF-8, or longer than any record can be. */
  readonly text: string | null;
}

export interface Lines {
  readonly lines: readonly Line[];
  /** Byte after the last complete line that was read. */
  readonly next: number;
  /** There may be further complete lines behind `next`. */
  readonly more: boolean;
}

export interface RolloutFile {
  /** Bytes when it was opened; what is written later is not seen by this reader. */
  readonly size: number;
  /** The complete lines from byte `from` on, about one piece of them. */
  read(from: number): Lines;
  close(): void;
}

const NEWLINE = 10;
const PIECE = 1 << 20;
/** Records are at most some megabytes (an image in base64); anything beyond this is no record. */
const LONGEST_LINE = 64 << 20;

/** Bytes of a rollout as it lies on the disk, packed or not; null when there is none. It opens nothing, so it may be asked often. */
export const sizeOnDisk = (path: string): number | null => statSync(path, { throwIfNoEntry: false })?.size ?? null;

/**
 * Opens a rollout for reading; null when there is no regular file.
 * @throws Failure when the file may not be read
 */
export function openRollout(path: string, piece = PIECE, longest = LONGEST_LINE): RolloutFile | null {
  if (isPacked(path)) {
    const whole = unpacked(path);
    return whole && readerOf(whole.length, (into, at, length, from) => whole.copy(into, at, from, from + length), piece, longest);
  }
  let fd: number;
  try {
    // Without waiting: what was a file may be a pipe by now.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw new Failure(`the rollout ${path} cannot be read: ${message}`);
  }
  const stat = fstatSync(fd);
  if (!stat.isFile()) {
    closeSync(fd);
    return null;
  }
  const reader = readerOf(stat.size, (into, at, length, from) => readSync(fd, into, at, length, from), piece, longest);
  return { ...reader, close: () => closeSync(fd) };
}

/** Reads up to `length` bytes from byte `from` into `into` at `at`, and gives how many. */
type ReadBytes = (into: Buffer, at: number, length: number, from: number) => number;

function readerOf(size: number, readBytes: ReadBytes, piece: number, longest: number): RolloutFile {
  let buffer = Buffer.allocUnsafe(Math.min(piece, size));
  const fill = (from: number, into: number, end: number): number => {
    let have = into;
    while (have < end) {
      const got = readBytes(buffer, have, end - have, from + have);
      if (got === 0) break;
      have += got;
    }
    return have;
  };

  /** A line that is too long: passed over without being kept. Its end, or null when it has none yet. */
  const endOfMonster = (from: number): number | null => {
    for (let at = from; at < size;) {
      const got = readBytes(buffer, 0, Math.min(buffer.length, size - at), at);
      if (got === 0) return null;
      const end = buffer.subarray(0, got).indexOf(NEWLINE);
      if (end >= 0) return at + end + 1;
      at += got;
    }
    return null;
  };

  const read = (from: number): Lines => {
    const rest = size - from;
    let have = fill(from, 0, Math.min(buffer.length, rest));
    while (buffer.lastIndexOf(NEWLINE, have - 1) < 0 || have === 0) {
      if (have >= rest || have === 0) return { lines: [], next: from, more: false };
      if (have >= longest) {
        const next = endOfMonster(from + have);
        return next === null ? { lines: [], next: from, more: false } : { lines: [{ offset: from, text: null }], next, more: next < size };
      }
      const larger = Buffer.allocUnsafe(Math.min(buffer.length * 2, rest, longest));
      buffer.copy(larger, 0, 0, have);
      buffer = larger;
      const before = have;
      have = fill(from, have, buffer.length);
      if (have === before) return { lines: [], next: from, more: false };
    }
    const lines = cut(buffer.subarray(0, buffer.lastIndexOf(NEWLINE, have - 1) + 1), from);
    const next = lines.at(-1)!.end;
    return { lines, next, more: from + have < size };
  };
  return { size, read, close: () => {} };
}

function cut(bytes: Buffer, from: number): (Line & { end: number })[] {
  const whole = isUtf8(bytes);
  const lines: (Line & { end: number })[] = [];
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(NEWLINE, start);
    const sound = whole || isUtf8(bytes.subarray(start, end));
    lines.push({ offset: from + start, text: sound ? bytes.toString("utf8", start, end) : null, end: from + end + 1 });
    start = end + 1;
  }
  return lines;
}
