/** Archives made byte by byte, also such as no program writes, and read by the two kinds of readers there are. */
import { crc32 } from "node:zlib";
import { deflateSync, Unzip, UnzipInflate, unzipSync } from "fflate";

export interface Description {
  readonly name: string | Uint8Array;
  readonly version: number;
  readonly flags: number;
  readonly method: number;
  readonly time: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly extra: Uint8Array;
}

export interface Member {
  readonly name: string;
  readonly data: Uint8Array;
  /** The data as it is packed, when not as usual. */
  readonly raw?: Uint8Array;
  readonly both?: Partial<Description>;
  readonly local?: Partial<Description>;
  readonly central?: Partial<Description & { at: number; attributes: number; comment: Uint8Array; disk: number }>;
  /** What stands before it. */
  readonly before?: Uint8Array;
  /** Behind its data; the usual one says checksum and sizes. */
  readonly descriptor?: Uint8Array;
  /** Not in the table. */
  readonly hidden?: boolean;
  /** Not before the table. */
  readonly ghost?: boolean;
}

export interface Ends {
  readonly beforeTable?: Uint8Array;
  readonly afterTable?: Uint8Array;
  readonly comment?: Uint8Array;
  readonly tail?: Uint8Array;
  readonly end?: Partial<{
    disk: number;
    tableDisk: number;
    here: number;
    count: number;
    length: number;
    at: number;
    commentLength: number;
  }>;
}

const bytesOf = (text: string | Uint8Array): Uint8Array => (typeof text === "string" ? new TextEncoder().encode(text) : text);

/** Numbers of little end: [value, bytes]. */
export function numbers(...parts: readonly (readonly [number, 2 | 4])[]): Buffer {
  return Buffer.concat(
    parts.map(([value, length]) => {
      const bytes = Buffer.alloc(length);
      if (length === 2) bytes.writeUInt16LE(value);
      else bytes.writeUInt32LE(value);
      return bytes;
    }),
  );
}

const shared = (d: Description): Buffer =>
  numbers(
    [d.version, 2],
    [d.flags, 2],
    [d.method, 2],
    [d.time, 4],
    [d.crc, 4],
    [d.packed, 4],
    [d.size, 4],
    [bytesOf(d.name).length, 2],
    [d.extra.length, 2],
  );

/** The descriptor of a member: signature, checksum, sizes. */
export const descriptorOf = (d: Pick<Description, "crc" | "packed" | "size">): Buffer =>
  numbers([0x08074b50, 4], [d.crc, 4], [d.packed, 4], [d.size, 4]);

/** An archive of these members, deflated, checksum and sizes before the data unless flags say otherwise. */
export function archive(members: readonly Member[], ends: Ends = {}): Buffer {
  const parts: Uint8Array[] = [];
  const table: Uint8Array[] = [];
  let at = 0;
  const add = (...more: readonly Uint8Array[]) => {
    for (const part of more) {
      parts.push(part);
      at += part.length;
    }
  };
  let count = 0;
  for (const member of members) {
    const method = member.both?.method ?? 8;
    const raw = member.raw ?? (method === 0 ? member.data : deflateSync(member.data));
    const usual: Description = {
      name: member.name,
      version: 20,
      flags: 0,
      method,
      time: 0x210000,
      crc: crc32(member.data),
      packed: raw.length,
      size: member.data.length,
      extra: new Uint8Array(),
      ...member.both,
    };
    const behind = (usual.flags & 8) !== 0;
    const local = { ...usual, ...(behind ? { crc: 0, packed: 0, size: 0 } : {}), ...member.local };
    const central = { at: 0, attributes: 0, comment: new Uint8Array(), disk: 0, ...usual, ...member.central };
    if (member.before) add(member.before);
    const begins = member.central?.at ?? at;
    if (!member.ghost) {
      add(numbers([0x04034b50, 4]), shared(local), bytesOf(local.name), local.extra, raw);
      if (member.descriptor ?? behind) add(member.descriptor ?? descriptorOf(usual));
    }
    if (member.hidden) continue;
    count++;
    table.push(
      numbers([0x02014b50, 4], [20, 2]),
      shared(central),
      numbers([central.comment.length, 2], [central.disk, 2], [0, 2], [central.attributes, 4], [begins, 4]),
      bytesOf(central.name),
      central.extra,
      central.comment,
    );
  }
  if (ends.beforeTable) add(ends.beforeTable);
  const tableAt = at;
  add(...table);
  const length = at - tableAt;
  if (ends.afterTable) add(ends.afterTable);
  const comment = ends.comment ?? new Uint8Array();
  const end = { disk: 0, tableDisk: 0, here: count, count, length, at: tableAt, commentLength: comment.length, ...ends.end };
  add(
    numbers(
      [0x06054b50, 4],
      [end.disk, 2],
      [end.tableDisk, 2],
      [end.here, 2],
      [end.count, 2],
      [end.length, 4],
      [end.at, 4],
      [end.commentLength, 2],
    ),
    comment,
    ends.tail ?? new Uint8Array(),
  );
  return Buffer.concat(parts);
}

/** Names and contents, in the order in which they are unpacked. */
type Unpacked = (readonly [string, string])[];
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

/** What a reader unpacks that believes the table at the end. */
export const byTable = (bytes: Uint8Array): Unpacked => Object.entries(unzipSync(bytes)).map(([name, data]) => [name, text(data)]);

/** What a reader unpacks that takes the members as they come, as from a pipe. */
export function byStream(bytes: Uint8Array): Unpacked {
  const files: Unpacked = [];
  const unzip = new Unzip((file) => {
    const pieces: Uint8Array[] = [];
    file.ondata = (error, piece, final) => {
      if (error) throw error;
      pieces.push(piece);
      if (final) files.push([file.name, text(Buffer.concat(pieces))]);
    };
    file.start();
  });
  unzip.register(UnzipInflate);
  unzip.push(bytes, true);
  return files;
}
