/** A kept tree brought back, byte for byte. */
import { chmodSync, lstatSync, mkdirSync } from "node:fs";
import { Failure } from "../../core/failure.ts";
import type { KeptNotes } from "./keep.ts";
import { needDone, type OwnGit } from "./own-git.ts";
import { bytes, inBytes, pathList } from "./tree-files.ts";

/** Writes the files of a kept commit into a folder in which nothing stands but git's own. @param git `exact` */
export async function writeKept(git: OwnGit, commit: string, notes: KeptNotes, folder: string): Promise<void> {
  const options = { tree: folder };
  await needDone(git.files(["read-tree", "--reset", commit], options), "what is kept cannot be read");
  await needDone(git.files(["checkout-index", "--all", "--force", "--quiet"], options), `the files could not be written to ${folder}`);
  for (const path of notes.empty) mkdirSync(inside(folder, path), { recursive: true });
  // The deepest first: a folder that may not be written takes nothing any more.
  for (const [path, mode] of Object.entries(notes.modes).sort(([a], [b]) => (a < b ? 1 : -1))) {
    const place = inside(folder, path);
    const found = lstatSync(place, { throwIfNoEntry: false });
    if (found !== undefined && !found.isSymbolicLink()) chmodSync(place, mode & 0o777);
  }
}

/** The index as it was, into the tree's own. */
export async function writeIndex(git: OwnGit, notes: KeptNotes, folder: string): Promise<void> {
  const options = { index: git.treeIndex, tree: folder };
  if (notes.index === null) {
    if (notes.head !== null) await needDone(git.files(["read-tree", "--reset", notes.head], options), "the index could not be written");
    return;
  }
  const text = await needDone(
    git.files(["ls-tree", "-r", "-z", "--full-tree", notes.index], { encoding: "latin1" }),
    "the kept index cannot be read",
  );
  const lines = text.split("\0").flatMap((line) => {
    const found = /^(\d+) \w+ ([0-9a-f]+)\t(\d)\/(.*)$/s.exec(line);
    return found ? [`${found[1]!} ${found[2]!} ${found[3]!}\t${found[4]!}`] : [];
  });
  await needDone(
    git.files(["update-index", "-z", "--index-info"], { ...options, stdin: pathList(lines) }),
    "the index could not be written",
  );
}

/** A noted path below the folder, through no link. @throws Failure when it leads elsewhere: whoever wrote the commit was not we */
function inside(folder: string, path: string): Buffer {
  const parts = path.split("/");
  const root = inBytes(folder);
  for (let at = 1; at <= parts.length; at += 1) {
    const part = parts[at - 1]!;
    const above = lstatSync(bytes([root, ...parts.slice(0, at - 1)].join("/")), { throwIfNoEntry: false });
    if (part === "" || part === "." || part === ".." || part.toLowerCase() === ".git" || above?.isDirectory() === false)
      throw new Failure(`what is kept notes the path ${JSON.stringify(path)}, which leads out of the tree`);
  }
  return bytes(`${root}/${path}`);
}
