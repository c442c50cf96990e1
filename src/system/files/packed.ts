/** Transcripts that an agent has packed (`.jsonl.zst`), read as if they were not. */
import { readFileSync, statSync } from "node:fs";
import { zstdDecompressSync } from "node:zlib";
import { Failure } from "../../core/failure.ts";

/** Unpacked it lies in memory whole. */
const LARGEST = 512 << 20;

export const isPacked = (path: string): boolean => path.endsWith(".zst");

/** What is in it; null when there is no such file. @throws Failure when it is not whole, or larger than 512 MiB unpacked */
export function unpacked(path: string): Buffer | null {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return null;
  try {
    return zstdDecompressSync(readFileSync(path), { maxOutputLength: LARGEST });
  } catch (error) {
    throw new Failure(`the packed transcript ${path} cannot be read: ${(error as Error).message}`);
  }
}
