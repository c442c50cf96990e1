/** Archives: files put in one by one, in bounded memory, the same bytes for the same contents. */
import { closeSync, openSync, readSync } from "node:fs";
import { Zip, ZipDeflate } from "fflate";
import { Failure } from "../../core/failure.ts";
import { type StagedFile, stageFile } from "./whole-file.ts";

const CHUNK = 1 << 20;
const LEVEL = 6;
/** What the format can say without its extension for large files, which the library does not write. */
const LIMIT = 0xffff_ffff;
/** The time that every member carries: an archive of the same contents must not differ. Taken as local time, as the format does. */
const TIME = new Date(1980, 0, 1);

/** The bytes of a file, piece by piece; a piece is only good until the next one is asked for. */
export function* readPieces(path: string): Generator<Uint8Array> {
  const fd = openSync(path, "r");
  try {
    const buffer = new Uint8Array(CHUNK);
    for (let length = readSync(fd, buffer); length > 0; length = readSync(fd, buffer)) yield buffer.subarray(0, length);
  } finally {
    closeSync(fd);
  }
}

export interface ZipMember {
  /** The name in the archive. */
  readonly name: string;
  readonly bytes: () => Iterable<Uint8Array>;
}

/**
 * Begins an archive of these members; it stands at `path` once it is placed.
 * @param told hears how much of which member has been taken
 * @throws Failure when it cannot be written, or grows beyond what the format holds
 */
export function stageZip(path: string, members: Iterable<ZipMember>, told: (name: string, bytes: number) => void = () => {}): StagedFile {
  const staged = stageFile(path);
  let [written, taken] = [0, 0];
  try {
    const zip = new Zip((error, chunk) => {
      if (error) throw error;
      written += chunk.length;
      staged.append(chunk);
    });
    for (const { name, bytes } of members) {
      const member = new ZipDeflate(name, { level: LEVEL });
      member.mtime = TIME;
      zip.add(member);
      taken = 0;
      for (const piece of bytes()) {
        taken += piece.length;
        told(name, taken);
        // The library keeps what it is given until it has enough of it.
        member.push(piece.slice());
      }
      member.push(new Uint8Array(), true);
      if (taken > LIMIT || written > LIMIT)
        throw new Failure(`${path} would be larger than an archive can be`, {
          hint: "leave --zip out and pack the directory with another program",
        });
    }
    zip.end();
    return staged;
  } catch (error) {
    staged.discard();
    throw error;
  }
}
