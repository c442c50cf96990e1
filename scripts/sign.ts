/**
 * Gives a Mach-O file an ad-hoc code signature, as a linker on macOS would. Bun's compiler leaves a cross-compiled x64 file with the
 * signature of the runtime it was made from, which no longer fits, and macOS kills such a program at its start.
 */
import { createHash } from "node:crypto";

const PAGE = 4096;
const HASH = 32;
const SUPER_BLOB_HEADER = 20;
const DIRECTORY_HEADER = 88;
const LC_SEGMENT_64 = 0x19;
const LC_CODE_SIGNATURE = 0x1d;

interface Places {
  /** File offsets of the load commands that are changed. */
  signature: number;
  linkedit: number;
  text: { offset: bigint; size: bigint };
}

function places(bytes: Buffer): Places {
  let [signature, linkedit] = [0, 0];
  let text: Places["text"] | undefined;
  let at = 32;
  for (let i = 0; i < bytes.readUInt32LE(16); i++) {
    const command = bytes.readUInt32LE(at);
    if (command === LC_CODE_SIGNATURE) signature = at;
    if (command === LC_SEGMENT_64) {
      const name = bytes.toString("latin1", at + 8, at + 24).replace(/\0+$/, "");
      if (name === "__LINKEDIT") linkedit = at;
      if (name === "__TEXT") text = { offset: bytes.readBigUInt64LE(at + 40), size: bytes.readBigUInt64LE(at + 48) };
    }
    at += bytes.readUInt32LE(at + 4);
  }
  if (!signature || !linkedit || !text) throw new Error("this Mach-O file has no room for a signature");
  return { signature, linkedit, text };
}

/** The file with everything from its old signature on replaced by an ad-hoc one over all that stands before. */
export function signAdHoc(file: Buffer, identifier: string): Buffer {
  const { signature, linkedit, text } = places(file);
  const limit = file.readUInt32LE(signature + 8);
  const pages = Math.ceil(limit / PAGE);
  const name = Buffer.from(`${identifier}\0`);
  const length = DIRECTORY_HEADER + name.length + pages * HASH;
  const size = SUPER_BLOB_HEADER + length;

  const signed = Buffer.concat([file.subarray(0, limit), Buffer.alloc(size)]);
  signed.writeUInt32LE(size, signature + 12);
  const end = BigInt(limit + size) - signed.readBigUInt64LE(linkedit + 40);
  signed.writeBigUInt64LE(end, linkedit + 48);
  signed.writeBigUInt64LE((end + 0x3fffn) & ~0x3fffn, linkedit + 32);

  const blob = signed.subarray(limit);
  for (const [i, word] of [0xfade0cc0, size, 1, 0, SUPER_BLOB_HEADER].entries()) blob.writeUInt32BE(word, i * 4);
  const directory = blob.subarray(SUPER_BLOB_HEADER);
  const hashes = DIRECTORY_HEADER + name.length;
  // magic, length, version, flags (ad hoc, made by a linker), hashes, identifier, special slots, code slots, code limit
  for (const [i, word] of [0xfade0c02, length, 0x20400, 0x20002, hashes, DIRECTORY_HEADER, 0, pages, limit].entries())
    directory.writeUInt32BE(word, i * 4);
  directory.set([HASH, 2, 0, Math.log2(PAGE)], 36); // SHA-256
  directory.writeBigUInt64BE(text.offset, 64);
  directory.writeBigUInt64BE(text.size, 72);
  directory.writeBigUInt64BE(1n, 80); // the main binary
  directory.set(name, DIRECTORY_HEADER);
  for (let page = 0; page < pages; page++) {
    directory.set(
      createHash("sha256")
        .update(signed.subarray(page * PAGE, Math.min((page + 1) * PAGE, limit)))
        .digest(),
      hashes + page * HASH,
    );
  }
  return signed;
}
