/** What stands in a working tree that somebody else worked in: taken from its files, and never from what its index says of them. */
import { copyFileSync, lstatSync } from "node:fs";
import { join } from "node:path";
import { commitOf, needDone, type OwnGit } from "./own-git.ts";
import { copySplitIndex, isPlainFile, pathList } from "./tree-files.ts";
import { writeBlobs } from "./write-blobs.ts";
import { type Walked, walkTree } from "./tree-walk.ts";

export interface IndexEntry {
  readonly mode: string;
  readonly object: string;
  readonly stage: number;
  readonly path: string;
}

/** Paths are bytes, written as latin1. */
export interface TreeLook {
  /** The commit; null: there is none yet. */
  readonly head: string | null;
  /** Full name of the branch that is checked out; null: none is. */
  readonly branch: string | null;
  /** `mode object` of every file that HEAD has. */
  readonly inHead: ReadonlyMap<string, string>;
  /** Null: it cannot be read. */
  readonly index: readonly IndexEntry[] | null;
  /** `mode object` of every file that stands there and counts. */
  readonly there: ReadonlyMap<string, string>;
  /** The tree of these, as git names it. */
  readonly tree: string;
  readonly walked: Walked;
}

const SUBMODULE = "160000";

/**
 * Looks at `folder` as the working tree of the place. Where git keeps what is written, all of the files are objects of the repository then.
 * @param withIgnored what is ignored counts like anything else
 * @throws Failure when it cannot be read
 */
export async function lookAtTree(git: OwnGit, folder: string, withIgnored: boolean): Promise<TreeLook> {
  const head = await commitOf(git, "HEAD");
  const branch = (await git.refs(["symbolic-ref", "--quiet", "HEAD"])).stdout.trim() || null;
  const inHead = head === null ? new Map<string, string>() : await entriesOf(git, head);
  const index = await indexOf(git);
  const tracked = new Set([...inHead.keys(), ...(index ?? []).map(({ path }) => path)]);
  const links = new Map([
    ...[...inHead].flatMap(([path, entry]): [string, string][] => (entry.startsWith(SUBMODULE) ? [[path, entry]] : [])),
    ...(index ?? []).flatMap(({ mode, object, path }): [string, string][] => (mode === SUBMODULE ? [[path, `${mode} ${object}`]] : [])),
  ]);
  const walked = await walkTree(folder, {
    isTracked: (path) => tracked.has(path),
    holdsTracked: foldersOf(tracked),
    ignoredAmong: (paths) => ignoredAmong(git, folder, paths),
    withIgnored,
  });
  const own = join(git.scratch, "git", "there");
  const options = { index: own, tree: folder };
  await needDone(
    git.files(["update-index", "--info-only", "--add", "--remove", "-z", "--stdin"], {
      ...options,
      stdin: pathList(walked.files),
    }),
    "a file cannot be read",
  );
  const modules = [...walked.nested, ...walked.empty].filter((path) => links.has(path));
  const info = pathList(modules.map((path) => `${links.get(path)!}\t${path}`));
  await needDone(git.files(["update-index", "-z", "--index-info"], { ...options, stdin: info }), "a submodule cannot be noted");
  const tree = (await needDone(git.files(["write-tree", "--missing-ok"], options), "the files cannot be noted")).trim();
  const there = await entriesOf(git, tree);
  if (git.keeps) await writeBlobs(git, folder, there);
  return { head, branch, inHead, index, there, tree, walked };
}

/** Whether something tracked lies below a folder, or the folder is a submodule. */
function foldersOf(tracked: ReadonlySet<string>): (path: string) => boolean {
  const folders = new Set(tracked);
  for (const path of tracked)
    for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
      const folder = path.slice(0, at);
      if (folders.has(folder)) break;
      folders.add(folder);
    }
  return (path) => folders.has(path);
}

/** The files of a commit or tree. */
async function entriesOf(git: OwnGit, commit: string): Promise<Map<string, string>> {
  const words = ["ls-tree", "-r", "-z", "--full-tree", commit];
  const text = await needDone(git.files(words, { encoding: "latin1" }), `the files of ${commit} cannot be read`);
  return new Map(
    text.split("\0").flatMap((line): [string, string][] => {
      const found = /^(\d+) \w+ ([0-9a-f]+)\t(.*)$/s.exec(line);
      return found ? [[found[3]!, `${found[1]!} ${found[2]!}`]] : [];
    }),
  );
}

/** The entries of the tree's own index, read from a copy; null: it cannot be read. */
async function indexOf(git: OwnGit): Promise<IndexEntry[] | null> {
  if (!isPlainFile(git.treeIndex)) return lstatSync(git.treeIndex, { throwIfNoEntry: false }) === undefined ? [] : null;
  const own = join(git.scratch, "git", "theirs");
  copyFileSync(git.treeIndex, own);
  copySplitIndex(git.place.gitdir, join(git.scratch, "git"));
  const done = await git.files(["ls-files", "--stage", "-z"], { index: own, encoding: "latin1" });
  if (done.code !== 0) return null;
  return done.stdout.split("\0").flatMap((line) => {
    const found = /^(\d+) ([0-9a-f]+) (\d)\t(.*)$/s.exec(line);
    return found ? [{ mode: found[1]!, object: found[2]!, stage: Number(found[3]), path: found[4]! }] : [];
  });
}

/** Those that the `.gitignore` files of the tree, or the person's own settings, ignore. */
async function ignoredAmong(git: OwnGit, folder: string, paths: readonly string[]): Promise<Set<string>> {
  // The ./ keeps a name that begins with a colon from being read as more than a name.
  const stdin = pathList(paths.map((path) => `./${path}`));
  const done = await git.files(["check-ignore", "--no-index", "-z", "--stdin"], { stdin, tree: folder, encoding: "latin1" });
  // 1: none of them.
  if (done.code !== 1) await needDone(Promise.resolve(done), "what is ignored cannot be found out");
  return new Set(done.stdout.split("\0").map((path) => path.slice(2)));
}

/** What a tree holds beside what HEAD has. */
export interface TreeChanges {
  readonly changed: readonly string[];
  readonly untracked: readonly string[];
}

/** Compares what stands there, and what the index has put aside, with HEAD. */
export function changesIn({ inHead, index, there }: TreeLook): TreeChanges {
  const changed = new Set<string>();
  const untracked: string[] = [];
  const staged = new Set((index ?? []).map(({ path }) => path));
  for (const [path, entry] of there) {
    const known = inHead.get(path);
    if (known === undefined && !staged.has(path)) untracked.push(path);
    else if (known !== entry) changed.add(path);
  }
  for (const path of inHead.keys()) if (!there.has(path)) changed.add(path);
  for (const { mode, object, stage, path } of index ?? []) {
    const entry = `${mode} ${object}`;
    if (stage !== 0 || (entry !== inHead.get(path) && entry !== there.get(path))) changed.add(path);
  }
  return { changed: [...changed].sort(), untracked: untracked.sort() };
}
