/** What can be told of an executable without running it: format, machine, libc, and whether a Mach-O signature is intact. */
import { createHash } from "node:crypto";

export interface Executable {
  os: "linux" | "darwin";
  cpu: "x64" | "arm64";
  libc: "glibc" | "musl" | null;
  /** For Mach-O: what the embedded signature covers and whether every page still has the hash it names. */
  signature: { identifier: string; adhoc: boolean; pages: number; intact: boolean } | null;
}

const CPU: Record<number, Executable["cpu"]> = { 62: "x64", 183: "arm64", 0x01000007: "x64", 0x0100000c: "arm64" };
const LC_CODE_SIGNATURE = 0x1d;
const CODE_DIRECTORY = 0xfade0c02;
const ADHOC = 0x2;

/** @throws when the bytes are neither a 64-bit ELF nor a 64-bit Mach-O for a machine we know */
export function inspect(bytes: Buffer): Executable {
  if (bytes.readUInt32BE(0) === 0x7f454c46 && bytes[4] === 2) return elf(bytes);
  if (bytes.readUInt32LE(0) === 0xfeedfacf) return machO(bytes);
  throw new Error(`neither a 64-bit ELF nor a 64-bit Mach-O file: begins with ${bytes.subarray(0, 4).toString("hex")}`);
}

const cpuOf = (code: number): Executable["cpu"] => {
  const cpu = CPU[code];
  if (!cpu) throw new Error(`made for an unknown machine: ${code}`);
  return cpu;
};

function elf(bytes: Buffer): Executable {
  const table = Number(bytes.readBigUInt64LE(32));
  let loader = "";
  for (let i = 0; i < bytes.readUInt16LE(56); i++) {
    const header = table + i * bytes.readUInt16LE(54);
    if (bytes.readUInt32LE(header) !== 3) continue; // PT_INTERP
    const at = Number(bytes.readBigUInt64LE(header + 8));
    loader = bytes.toString("latin1", at, at + Number(bytes.readBigUInt64LE(header + 32)) - 1);
  }
  return { os: "linux", cpu: cpuOf(bytes.readUInt16LE(18)), libc: loader.includes("ld-musl") ? "musl" : "glibc", signature: null };
}

function machO(bytes: Buffer): Executable {
  let signature: Executable["signature"] = null;
  let at = 32;
  for (let i = 0; i < bytes.readUInt32LE(16); i++) {
    if (bytes.readUInt32LE(at) === LC_CODE_SIGNATURE) signature = signatureAt(bytes, bytes.readUInt32LE(at + 8));
    at += bytes.readUInt32LE(at + 4);
  }
  return { os: "darwin", cpu: cpuOf(bytes.readUInt32LE(4)), libc: null, signature };
}

/** Reads the super blob at `start` and compares each page of the file with its hash in the code directory. */
function signatureAt(bytes: Buffer, start: number): Executable["signature"] {
  const blobs = Array.from({ length: bytes.readUInt32BE(start + 8) }, (_, i) => start + bytes.readUInt32BE(start + 16 + i * 8));
  const directory = blobs.find((blob) => bytes.readUInt32BE(blob) === CODE_DIRECTORY);
  if (directory === undefined) return null;
  const field = (offset: number): number => bytes.readUInt32BE(directory + offset);
  const [hashes, name, pages, limit] = [directory + field(16), directory + field(20), field(28), field(32)];
  const pageSize = 1 << bytes[directory + 39]!;
  const sizeOfHash = bytes[directory + 36]!;
  let intact = limit === start && pages === Math.ceil(limit / pageSize);
  for (let page = 0; intact && page < pages; page++) {
    const hash = createHash("sha256")
      .update(bytes.subarray(page * pageSize, Math.min((page + 1) * pageSize, limit)))
      .digest();
    intact = hash.subarray(0, sizeOfHash).equals(bytes.subarray(hashes + page * sizeOfHash, hashes + (page + 1) * sizeOfHash));
  }
  return { identifier: bytes.toString("latin1", name, bytes.indexOf(0, name)), adhoc: (field(12) & ADHOC) !== 0, pages, intact };
}
