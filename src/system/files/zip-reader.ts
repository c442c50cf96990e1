/** Reading archives member by member, in bounded memory, trusting nothing in them. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { Inflate } from "fflate";
import { Failure } from "../../core/failure.ts";

const END = 0x06054b50;
const END_BYTES = 22;
const COMMENT_MAX = 0xffff;
const ENTRY = 0x02014b50;
const ENTRY_BYTES = 46;
const LOCAL = 0x04034b50;
const LOCAL_BYTES = 30;
const STORED = 0;
const DEFLATED = 8;
const CHUNK = 1 << 14;
/** No export comes near this; a directory of that size is not read into memory. */
const DIRECTORY_MAX = 1 << 24;

interface ZipEntry {
  readonly method: number;
  readonly packed: number;
  readonly at: number;
}

export interface ZipArchive {
  readonly names: readonly string[];
  /** The unpacked bytes of a member, piece by piece. Throws a Failure when they are damaged. */
  read(name: string): Generator<Uint8Array>;
  close(): void;
}

function bytesAt(fd: number, path: string, at: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  if (readSync(fd, bytes, 0, length, at) !== length) throw new Failure(`${path} is no whole archive: it ends too early`);
  return bytes;
}

function directoryOf(fd: number, path: string): Map<string, ZipEntry> {
  const { size } = fstatSync(fd);
  const tail = bytesAt(fd, path, Math.max(0, size - END_BYTES - COMMENT_MAX), Math.min(size, END_BYTES + COMMENT_MAX));
  let end = tail.length - END_BYTES;
  while (end >= 0 && tail.readUInt32LE(end) !== END) end--;
  if (end < 0) throw new Failure(`${path} is no archive`);
  const [count, length, at] = [tail.readUInt16LE(end + 10), tail.readUInt32LE(end + 12), tail.readUInt32LE(end + 16)];
  if (length > DIRECTORY_MAX) throw new Failure(`${path} is no export: its table of contents takes ${length} bytes`);
  const table = bytesAt(fd, path, at, length);
  const entries = new Map<string, ZipEntry>();
  for (let n = 0, pos = 0; n < count; n++) {
    if (pos + ENTRY_BYTES > table.length || table.readUInt32LE(pos) !== ENTRY)
      throw new Failure(`${path} is damaged: its table of contents cannot be read`);
    const [nameLength, extra, comment] = [table.readUInt16LE(pos + 28), table.readUInt16LE(pos + 30), table.readUInt16LE(pos + 32)];
    const name = table.toString("utf8", pos + ENTRY_BYTES, pos + ENTRY_BYTES + nameLength);
    if (entries.has(name)) throw new Failure(`${path} holds ${JSON.stringify(name)} twice`);
    entries.set(name, { method: table.readUInt16LE(pos + 10), packed: table.readUInt32LE(pos + 20), at: table.readUInt32LE(pos + 42) });
    pos += ENTRY_BYTES + nameLength + extra + comment;
  }
  return entries;
}

function* unpack(fd: number, path: string, name: string, entry: ZipEntry): Generator<Uint8Array> {
  const local = bytesAt(fd, path, entry.at, LOCAL_BYTES);
  if (local.readUInt32LE(0) !== LOCAL) throw new Failure(`${path} is damaged: ${JSON.stringify(name)} does not begin where it should`);
  if (entry.method !== STORED && entry.method !== DEFLATED)
    throw new Failure(`${path} holds ${JSON.stringify(name)} in a form that is not known`);
  const start = entry.at + LOCAL_BYTES + local.readUInt16LE(26) + local.readUInt16LE(28);
  const out: Uint8Array[] = [];
  const inflate = new Inflate((piece) => out.push(piece));
  for (let done = 0; done < entry.packed;) {
    const piece = bytesAt(fd, path, start + done, Math.min(CHUNK, entry.packed - done));
    done += piece.length;
    if (entry.method === STORED) out.push(piece);
    else {
      try {
        inflate.push(piece, done === entry.packed);
      } catch (error) {
        throw new Failure(`${path} is damaged: ${JSON.stringify(name)} cannot be unpacked (${(error as Error).message})`);
      }
    }
    yield* out.splice(0);
  }
}

/** @throws Failure naming the file when it is no archive */
export function openZip(path: string): ZipArchive {
  const fd = openSync(path, "r");
  try {
    const entries = directoryOf(fd, path);
    return {
      names: [...entries.keys()],
      read: (name) => unpack(fd, path, name, entries.get(name)!),
      close: () => closeSync(fd),
    };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
