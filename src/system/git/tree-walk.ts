/** All that stands in a working tree, seen by ourselves: no link is followed, and nothing that an index or a setting says takes part. */
import { lstatSync, readdirSync, type Stats } from "node:fs";
import { bytes } from "./tree-files.ts";

/** Paths of bytes, written as latin1, below the tree. */
export interface Walked {
  /** Files and links that count. */
  readonly files: string[];
  /** Those of them and of the folders whose rights git does not keep, in octal. */
  readonly modes: Record<string, number>;
  /** What tells whether each of them, and each folder, is still as it was seen; the tree itself is ``. */
  readonly stamps: ReadonlyMap<string, string>;
  /** Folders with nothing in them that counts. */
  readonly empty: string[];
  /** Folders that are a repository of their own, and names that git cannot keep: what is in them is not looked at. */
  readonly nested: string[];
  /** Pipes, sockets, devices. */
  readonly special: string[];
  /** What may not be read. */
  readonly unreadable: string[];
  /** What is ignored: all names, and their sizes. A folder that is ignored whole is named once, with a slash. */
  readonly ignored: { readonly names: string[]; files: number; bytes: number };
}

interface WalkOptions {
  /** Whether HEAD or the index has this file. */
  isTracked(path: string): boolean;
  /** Whether HEAD or the index has something below this folder. */
  holdsTracked(path: string): boolean;
  /** Which of these are ignored. */
  ignoredAmong(paths: readonly string[]): Promise<ReadonlySet<string>>;
  /** What is ignored counts like anything else. */
  readonly withIgnored: boolean;
}

const isGit = (name: string): boolean => name.toLowerCase() === ".git";

/** What git gives a file or folder that it writes, of which the rights need not be kept. */
const usualMode = (stat: Stats, umask: number): number => (stat.isDirectory() || stat.mode & 0o100 ? 0o777 : 0o666) & ~umask;

const stampOf = ({ ino, ctimeMs, size }: Stats): string => `${ino} ${ctimeMs} ${size}`;

/** Whether all that counts, and every folder of it, is as it was when it was walked through. */
export function standsAsSeen(root: string, { stamps }: Walked): boolean {
  for (const [path, stamp] of stamps) {
    const found = lstatSync(bytes(path === "" ? root8(root) : `${root8(root)}/${path}`), { throwIfNoEntry: false });
    if (found === undefined || stampOf(found) !== stamp) return false;
  }
  return true;
}

/** @throws what `ignoredAmong` throws */
export async function walkTree(root: string, options: WalkOptions): Promise<Walked> {
  const stamps = new Map<string, string>();
  const seen: Walked = {
    stamps,
    files: [],
    modes: {},
    empty: [],
    nested: [],
    special: [],
    unreadable: [],
    ignored: { names: [], files: 0, bytes: 0 },
  };
  const umask = process.umask();
  const place = (path: string): Buffer => bytes(path === "" ? root8(root) : `${root8(root)}/${path}`);
  const stat = (path: string): Stats | undefined => lstatSync(place(path), { throwIfNoEntry: false });
  /** Null: it may not be read. */
  const namesIn = (folder: string): string[] | null => {
    try {
      return (readdirSync(place(folder), { encoding: "buffer" }) as unknown as Buffer[]).map((name) => name.toString("latin1"));
    } catch {
      return null;
    }
  };
  const ignore = (path: string, found: Stats): void => {
    if (!found.isDirectory()) {
      seen.ignored.files += 1;
      seen.ignored.bytes += found.size;
      return;
    }
    for (const name of namesIn(path) ?? []) {
      const inside = stat(`${path}/${name}`);
      if (inside !== undefined) ignore(`${path}/${name}`, inside);
    }
  };
  const top = stat("");
  if (top !== undefined) stamps.set("", stampOf(top));
  for (let level = [""]; level.length > 0;) {
    const asked: { path: string; stat: Stats }[] = [];
    const taken: { path: string; stat: Stats }[] = [];
    for (const folder of level) {
      const names = namesIn(folder);
      if (names === null) {
        seen.unreadable.push(`${folder}/`);
        continue;
      }
      if (folder !== "" && names.length === 0) seen.empty.push(folder);
      // Its own .git is that of the tree.
      const git = names.filter((name) => isGit(name) && !(folder === "" && name === ".git"));
      if (git.length > 0 && folder !== "") {
        seen.nested.push(folder);
        continue;
      }
      seen.nested.push(...git);
      for (const name of names) {
        if (isGit(name)) continue;
        const path = folder === "" ? name : `${folder}/${name}`;
        const found = stat(path);
        if (found === undefined) continue;
        const known = found.isDirectory() ? options.holdsTracked(path) : options.isTracked(path);
        (known || options.withIgnored ? taken : asked).push({ path, stat: found });
      }
    }
    const ignored = asked.length === 0 ? new Set<string>() : await options.ignoredAmong(asked.map(({ path }) => path));
    const next: string[] = [];
    for (const { path, stat: found } of [...taken, ...asked]) if (!ignored.has(path)) stamps.set(path, stampOf(found));
    for (const each of [...taken, ...asked]) {
      if (ignored.has(each.path)) {
        seen.ignored.names.push(each.stat.isDirectory() ? `${each.path}/` : each.path);
        ignore(each.path, each.stat);
        continue;
      }
      if (!each.stat.isSymbolicLink() && (each.stat.mode & 0o7777) !== usualMode(each.stat, umask))
        seen.modes[each.path] = each.stat.mode & 0o7777;
      if (each.stat.isDirectory()) next.push(each.path);
      else if (each.stat.isFile() || each.stat.isSymbolicLink()) seen.files.push(each.path);
      else seen.special.push(each.path);
    }
    level = next;
  }
  return seen;
}

/** The tree's own path as one of bytes. */
const root8 = (root: string): string => Buffer.from(root, "utf8").toString("latin1");
