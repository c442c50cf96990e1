/** The files of a tree into the objects of its repository: many at once as one pack, since ten thousand single ones take a minute. */
import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../core/failure.ts";
import { needDone, type OwnGit } from "./own-git.ts";
import { bytes, inBytes, pathList, shown } from "./tree-files.ts";

/** What is larger goes alone, and is not held here. */
const LARGE_BYTES = 8 << 20;
/** So much is held here at once. */
const BATCH_BYTES = 64 << 20;

interface Wanted {
  readonly path: string;
  readonly object: string;
}

/**
 * Writes what the repository does not have yet.
 * @param there `mode object` by path of bytes, as the files were just found
 * @throws Failure when one cannot be read, or is not what it was
 */
export async function writeBlobs(git: OwnGit, folder: string, there: ReadonlyMap<string, string>): Promise<void> {
  const byObject = new Map<string, string>();
  for (const [path, entry] of there) if (!entry.startsWith("160000 ")) byObject.set(entry.split(" ")[1]!, path);
  if (byObject.size === 0) return;
  const missing = (await missingOf(git, [...byObject.keys()])).map((object) => ({ object, path: byObject.get(object)! }));
  let batch: { readonly blob: Wanted; readonly content: Buffer }[] = [];
  let size = 0;
  const large: Wanted[] = [];
  const flush = async (): Promise<void> => {
    if (batch.length > 0) await importBlobs(git, batch);
    [batch, size] = [[], 0];
  };
  for (const blob of missing) {
    const content = contentOf(`${inBytes(folder)}/${blob.path}`);
    if (content === null) {
      large.push(blob);
      continue;
    }
    batch.push({ blob, content });
    size += content.length;
    if (size > BATCH_BYTES) await flush();
  }
  await flush();
  if (large.length === 0) return;
  const own = { index: join(git.scratch, "git", "large"), tree: folder };
  const names = pathList(large.map(({ path }) => path));
  await needDone(git.files(["update-index", "--add", "-z", "--stdin"], { ...own, stdin: names }), "a file cannot be read");
  const [lost] = await missingOf(
    git,
    large.map(({ object }) => object),
  );
  if (lost !== undefined) throw new Failure(`${shown(byObject.get(lost)!)} changes while it is looked at`);
}

/** Those that the repository does not have. */
async function missingOf(git: OwnGit, objects: readonly string[]): Promise<string[]> {
  const stdin = objects.map((object) => `${object}\n`).join("");
  const text = await needDone(git.files(["cat-file", "--batch-check"], { stdin }), "objects cannot be read");
  return [...text.matchAll(/^([0-9a-f]+) missing$/gm)].map(([, object]) => object!);
}

/** What a file or link holds; null: it is large. @throws Failure when it cannot be read */
function contentOf(path: string): Buffer | null {
  const place = bytes(path);
  try {
    if (lstatSync(place).isSymbolicLink()) return Buffer.from(readlinkSync(place, { encoding: "buffer" }));
    // It may have become a link or a pipe, which must neither be followed nor waited for.
    const fd = openSync(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      return fstatSync(fd).size > LARGE_BYTES ? null : readFileSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw new Failure(`${shown(path)} cannot be read: ${(error as Error).message}`);
  }
}

async function importBlobs(git: OwnGit, batch: readonly { readonly blob: Wanted; readonly content: Buffer }[]): Promise<void> {
  const marks = join(git.scratch, "git", "marks");
  const parts = batch.flatMap(({ content }, at) => [
    Buffer.from(`blob\nmark :${at + 1}\ndata ${content.length}\n`),
    content,
    Buffer.from("\n"),
  ]);
  const stdin = new Uint8Array(Buffer.concat(parts));
  await needDone(git.files(["fast-import", "--quiet", `--export-marks=${marks}`], { stdin }), "the files cannot be kept");
  for (const line of readFileSync(marks, "latin1").split("\n")) {
    const [mark, object] = line.split(" ");
    const asked = mark === undefined || mark === "" ? undefined : batch[Number(mark.slice(1)) - 1];
    if (asked !== undefined && asked.blob.object !== object) throw new Failure(`${shown(asked.blob.path)} changes while it is looked at`);
  }
}
