/**
 * Reading archives member by member, in bounded memory, trusting nothing in them.
 *
 * An archive says everything twice, before each member and in the table at its end, and programs differ in which they believe: what one
 * unpacks another may not see. So only an archive that leaves no choice is read: members without a gap from the first byte on, each
 * described alike in both places, then the table, then the end, and nothing besides. What `stageZip` writes is of that form.
 * The format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { crc32 } from "node:zlib";
import { Inflate } from "fflate";
import { firstClash, isPlainFileName } from "../../core/audit/file-names.ts";
import { Failure } from "../../core/failure.ts";

const END = 0x06054b50;
const END_BYTES = 22;
const COMMENT_MAX = 0xffff;
const ENTRY = 0x02014b50;
const ENTRY_BYTES = 46;
const LOCAL = 0x04034b50;
const LOCAL_BYTES = 30;
const DESCRIPTOR = 0x08074b50;
const DESCRIPTOR_BYTES = 16;
const STORED = 0;
const DEFLATED = 8;
/** The first version of the format that has DEFLATE; later ones bring large files, encryption and other methods. */
const VERSION = 20;
/** Flag: checksum and sizes stand behind the data, since they were not known before it. */
const BEHIND = 0x8;
/** How well it was packed, checksum behind the data, a name in UTF-8. Others mean encryption, patches, or nothing yet. */
const FLAGS = 0x2 | 0x4 | BEHIND | 0x800;
/** What both descriptions of a member share, in the same order: version, flags, method, time, checksum, sizes, lengths of name and extra. */
const SHARED_BYTES = 26;
/** Of those: checksum and sizes. */
const [MEASURES_FROM, MEASURES_TO] = [10, 22];
/** Attributes of DOS that say that a member is no file: a label, a folder. */
const DOS_NO_FILE = 0x8 | 0x10;
const CHUNK = 1 << 14;
/** No export comes near this; a directory of that size is not read into memory. */
const DIRECTORY_MAX = 1 << 24;

interface ZipEntry {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  /** Where its first description begins. */
  readonly at: number;
  readonly behind: boolean;
  /** What must stand there, too: the shared part of the description in the table, then the name. */
  readonly shared: Buffer;
}

export interface ZipArchive {
  readonly names: readonly string[];
  /** The unpacked bytes of a member, piece by piece. Throws a Failure when they are damaged. */
  read(name: string): Generator<Uint8Array>;
  close(): void;
}

const named = (name: string): string => JSON.stringify(name);

const ambiguous = (path: string, what: string): Failure =>
  new Failure(`${path} is not as export-task packs it, and programs would unpack it differently: ${what}`, {
    hint: "unpack it and verify the directory",
  });

function bytesAt(fd: number, path: string, at: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  if (readSync(fd, bytes, 0, length, at) !== length) throw new Failure(`${path} is no whole archive: it ends too early`);
  return bytes;
}

/** The table of contents, which must reach to the end record, and that to the end of the file. */
function tableOf(fd: number, path: string): { at: number; count: number; table: Buffer } {
  const { size } = fstatSync(fd);
  const tail = bytesAt(fd, path, Math.max(0, size - END_BYTES - COMMENT_MAX), Math.min(size, END_BYTES + COMMENT_MAX));
  const end = tail.length - END_BYTES;
  if (end < 0 || tail.readUInt32LE(end) !== END) {
    const earlier = tail.lastIndexOf(Buffer.of(0x50, 0x4b, 0x05, 0x06));
    if (earlier === -1 || earlier > end) throw new Failure(`${path} is no archive, or no whole one: it has no end record`);
    throw ambiguous(path, "there is something behind its end");
  }
  const [disk, tableDisk, here, count] = [4, 6, 8, 10].map((at) => tail.readUInt16LE(end + at)) as [number, number, number, number];
  const [length, at] = [tail.readUInt32LE(end + 12), tail.readUInt32LE(end + 16)];
  if (disk !== 0 || tableDisk !== 0 || here !== count) throw ambiguous(path, "it claims to be one of several parts");
  if (tail.readUInt16LE(end + 20) !== 0) throw ambiguous(path, "its end record speaks of a comment");
  if (length > DIRECTORY_MAX) throw new Failure(`${path} is no export: its table of contents takes ${length} bytes`);
  if (at + length !== size - END_BYTES) throw ambiguous(path, "its table of contents does not reach from where it should to its end");
  return { at, count, table: bytesAt(fd, path, at, length) };
}

function entryAt(path: string, table: Buffer, pos: number): ZipEntry {
  if (pos + ENTRY_BYTES > table.length || table.readUInt32LE(pos) !== ENTRY)
    throw new Failure(`${path} is damaged: its table of contents cannot be read`);
  const [nameLength, extra, comment, disk] = [28, 30, 32, 34].map((at) => table.readUInt16LE(pos + at)) as [number, number, number, number];
  const rawName = table.subarray(pos + ENTRY_BYTES, pos + ENTRY_BYTES + nameLength);
  const name = rawName.toString("latin1");
  if (rawName.length < nameLength || !isPlainFileName(name)) throw ambiguous(path, `it holds a member of the name ${named(name)}`);
  const [version, flags, method] = [6, 8, 10].map((at) => table.readUInt16LE(pos + at)) as [number, number, number];
  const [crc, packed, size] = [16, 20, 24].map((at) => table.readUInt32LE(pos + at)) as [number, number, number];
  const attributes = table.readUInt32LE(pos + 38);
  if (extra !== 0 || comment !== 0) throw ambiguous(path, `it says more about ${named(name)} than an archive needs to`);
  if (disk !== 0 || version > VERSION || (flags & ~FLAGS) !== 0 || (method !== STORED && method !== DEFLATED))
    throw ambiguous(path, `${named(name)} is in a form that not every program knows`);
  // Without a length before it, stored data ends where a program believes that it does.
  if (method === STORED && ((flags & BEHIND) !== 0 || packed !== size)) throw ambiguous(path, `nothing tells where ${named(name)} ends`);
  if (![0, 0x8000].includes((attributes >>> 16) & 0xf000) || (attributes & DOS_NO_FILE) !== 0)
    throw ambiguous(path, `${named(name)} is not marked as a plain file`);
  return {
    name,
    method,
    crc,
    packed,
    size,
    at: table.readUInt32LE(pos + 42),
    behind: (flags & BEHIND) !== 0,
    shared: Buffer.concat([table.subarray(pos + 6, pos + 6 + SHARED_BYTES), rawName]),
  };
}

const dataStart = (entry: ZipEntry): number => entry.at + LOCAL_BYTES + entry.name.length;

/** Where the member ends, with what stands behind its data. Throws a Failure unless it is described there as in the table. */
function endOf(fd: number, path: string, entry: ZipEntry): number {
  const local = bytesAt(fd, path, entry.at, LOCAL_BYTES + entry.name.length);
  if (local.readUInt32LE(0) !== LOCAL) throw new Failure(`${path} is damaged: ${named(entry.name)} does not begin where it should`);
  const before = local.subarray(4);
  if (entry.behind && before.subarray(MEASURES_FROM, MEASURES_TO).every((byte) => byte === 0))
    entry.shared.copy(before, MEASURES_FROM, MEASURES_FROM, MEASURES_TO);
  if (!before.equals(entry.shared))
    throw ambiguous(path, `its table of contents tells something else of ${named(entry.name)} than the member`);
  const end = dataStart(entry) + entry.packed;
  if (!entry.behind) return end;
  const descriptor = bytesAt(fd, path, end, DESCRIPTOR_BYTES);
  if (descriptor.readUInt32LE(0) !== DESCRIPTOR || !descriptor.subarray(4).equals(entry.shared.subarray(MEASURES_FROM, MEASURES_TO)))
    throw ambiguous(path, `its table of contents tells something else of ${named(entry.name)} than what stands behind the member`);
  return end + DESCRIPTOR_BYTES;
}

/** The members by name. Throws a Failure unless they fill the file from its beginning to the table, each once. */
function entriesOf(fd: number, path: string): Map<string, ZipEntry> {
  const { at, count, table } = tableOf(fd, path);
  const entries: ZipEntry[] = [];
  let pos = 0;
  for (let n = 0; n < count; n++) {
    const entry = entryAt(path, table, pos);
    pos += ENTRY_BYTES + entry.name.length;
    entries.push(entry);
  }
  if (pos !== table.length) throw ambiguous(path, "its table of contents holds more than its end record counts");
  const clash = firstClash(entries.map(({ name }) => name));
  if (clash) throw ambiguous(path, `${named(clash[0])} and ${named(clash[1])} would take each other's place`);
  let next = 0;
  for (const entry of entries.toSorted((a, b) => a.at - b.at)) {
    if (entry.at !== next)
      throw ambiguous(path, `${named(entry.name)} begins at byte ${entry.at}, but what is before it ends at byte ${next}`);
    next = endOf(fd, path, entry);
  }
  if (next !== at) throw ambiguous(path, `its table of contents begins at byte ${at}, but the last member ends at byte ${next}`);
  return new Map(entries.map((entry) => [entry.name, entry]));
}

/**
 * Whether the packed data is at its end before the last byte of `piece`, which is its last piece. The library does not tell how far it
 * has read, so a copy of it goes on without that byte, and must find that something is missing.
 */
function endsBefore({ ondata: _, ...state }: Inflate, piece: Uint8Array): boolean {
  const copy = Object.assign(new Inflate(() => {}), structuredClone(state));
  try {
    copy.push(piece.subarray(0, -1), true);
    return true;
  } catch {
    return false;
  }
}

function* inflated(fd: number, path: string, entry: ZipEntry): Generator<Uint8Array> {
  const damaged = (reason: string) => new Failure(`${path} is damaged: ${named(entry.name)} cannot be unpacked (${reason})`);
  // Less cannot be packed data. The last piece has two bytes at least, so that it is one without its last byte, too.
  if (entry.packed < 2) throw damaged("it is empty");
  const out: Uint8Array[] = [];
  const inflate = new Inflate((piece) => out.push(piece));
  for (let done = 0; done < entry.packed;) {
    const left = entry.packed - done;
    const piece = bytesAt(fd, path, dataStart(entry) + done, left > CHUNK + 1 ? CHUNK : left);
    done += piece.length;
    const last = done === entry.packed;
    if (last && endsBefore(inflate, piece)) throw damaged("its data ends before it should");
    try {
      inflate.push(piece, last);
    } catch (error) {
      throw damaged((error as Error).message);
    }
    yield* out.splice(0);
  }
}

function* stored(fd: number, path: string, entry: ZipEntry): Generator<Uint8Array> {
  for (let done = 0; done < entry.packed; done += CHUNK)
    yield bytesAt(fd, path, dataStart(entry) + done, Math.min(CHUNK, entry.packed - done));
}

function* unpack(fd: number, path: string, entry: ZipEntry): Generator<Uint8Array> {
  let [size, crc] = [0, 0];
  for (const piece of (entry.method === STORED ? stored : inflated)(fd, path, entry)) {
    size += piece.length;
    if (size > entry.size) break;
    crc = crc32(piece, crc);
    yield piece;
  }
  if (size !== entry.size || crc !== entry.crc) throw new Failure(`${path} is damaged: ${named(entry.name)} is not what was packed`);
}

/** @throws Failure naming the file when it is no archive, or one that programs would unpack differently */
export function openZip(path: string): ZipArchive {
  const fd = openSync(path, "r");
  try {
    const entries = entriesOf(fd, path);
    return {
      names: [...entries.keys()],
      read: (name) => unpack(fd, path, entries.get(name)!),
      close: () => closeSync(fd),
    };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
