/**
 * The state of a git working tree as a digest of what its files hold, which we read ourselves. Nothing that the repository's index or
 * configuration says takes part: not what it calls unchanged or skipped, not `info/exclude`, filters, monitors, caches, submodules,
 * `core.worktree` or replaced objects. Which files count: all that HEAD has, and all others but those that the `.gitignore` files of the
 * tree and the person's own settings ignore. Those last are the one thing that stays out, since dependencies and build output change at
 * every run and no proof would ever stay fresh; they are named, as is all else that is not seen.
 *
 * Every file is read at every look. Size, times and inode would not do: a page that is mapped writable changes without a new time, and the
 * clock of a file system is coarse.
 */
import { createHash } from "node:crypto";
import { lstatSync, readdirSync, realpathSync, type Stats, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { NotSeen, TreeState, Unseen } from "../../core/loops/evidence-run.ts";
import type { Env } from "../processes/environment.ts";
import { type SafeGit, withSafeGit } from "./safe-git.ts";
import { bytes, inBytes, lookAt, type Seen, shown } from "./tree-files.ts";

/** Longer than any repository should take; a hanging file system must not hang a cycle. */
const LIMIT_MS = 60_000;
/** So long at once nothing else happens here. */
const SLICE_MS = 20;
/** So many of what is not seen are named; all are counted. */
const NAMED = 50;

/** `path` without links in what leads to it, as git names files. */
const realPath = (path: string): string => {
  try {
    return join(realpathSync(dirname(path)), basename(path));
  } catch {
    return path;
  }
};

/** A file under any of its names. */
const fileId = ({ dev, ino }: Stats): string => `${dev}:${ino}`;

/** What HEAD has, by path. */
interface Entry {
  readonly mode: string;
  readonly object: string;
}

/**
 * The tree that `folder` lies in, or null when it lies in none, git is missing, or it could not be read to the end.
 * @param apart files and folders that are not counted unless HEAD has them: our own records may lie in the tree and change all the time
 */
export async function treeState(env: Env, folder: string, apart: readonly string[]): Promise<(TreeState & { not_seen: NotSeen }) | null> {
  const done = await withSafeGit(env, folder, LIMIT_MS, async (git) => {
    const head = (await git.ask(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])).stdout.trim() || null;
    const tracked = head === null ? new Map<string, Entry>() : await filesOf(git, head);
    return tracked === null ? null : new Look(git, head, tracked, apart.map(realPath)).whole();
  });
  return "value" in done ? done.value : null;
}

async function filesOf(git: SafeGit, head: string): Promise<Map<string, Entry> | null> {
  const done = await git.ask(["ls-tree", "-r", "-z", "--full-tree", head], { encoding: "latin1" });
  if (done.code !== 0) return null;
  const entries = done.stdout.split("\0").flatMap((line): [string, Entry][] => {
    const found = /^(\d+) \w+ ([0-9a-f]+)\t(.*)$/s.exec(line);
    return found ? [[found[3]!, { mode: found[1]!, object: found[2]! }]] : [];
  });
  return new Map(entries);
}

const SUBMODULE = "160000";
const isGit = (name: string): boolean => (process.platform === "darwin" ? name.toLowerCase() : name) === ".git";

class Look {
  private readonly prints: [string, string][] = [];
  private readonly changed: string[] = [];
  private readonly unseen: Unseen[] = [];
  private unseenCount = 0;
  private dirty = false;
  private readonly left: Map<string, Entry>;
  /** Folders in which HEAD has something: these are entered, whatever ignores them. */
  private readonly known = new Set<string>();
  private readonly algorithm: "sha1" | "sha256";
  /** Of bytes. */
  private readonly root: string;
  private readonly deadline = performance.now() + LIMIT_MS;
  private sliceAt = performance.now();
  /** Our own files: opening and closing one would take SQLite's locks away from this process. */
  private readonly own: ReadonlySet<string>;

  constructor(
    private readonly git: SafeGit,
    private readonly head: string | null,
    private readonly tracked: ReadonlyMap<string, Entry>,
    private readonly apart: readonly string[],
  ) {
    this.left = new Map(tracked);
    this.root = inBytes(git.root);
    this.own = new Set(apart.flatMap((path) => statSync(path, { throwIfNoEntry: false }) ?? []).map(fileId));
    this.algorithm = head?.length === 64 ? "sha256" : "sha1";
    for (const [path, { mode }] of tracked) {
      if (mode === SUBMODULE) this.known.add(path);
      for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
        const folder = path.slice(0, at);
        if (this.known.has(folder)) break;
        this.known.add(folder);
      }
    }
  }

  /** Null: it took too long, or what is ignored could not be found out. */
  async whole(): Promise<(TreeState & { not_seen: NotSeen }) | null> {
    for (let level = [""]; level.length > 0;) {
      const next = await this.level(level);
      if (next === null) return null;
      level = next;
    }
    for (const [path, entry] of this.left) {
      if (entry.mode === SUBMODULE) continue;
      this.prints.push([path, "absent"]);
      this.dirty = true;
    }
    await this.compare();
    this.prints.sort(([a], [b]) => (a < b ? -1 : 1));
    const hash = createHash("sha256");
    for (const [path, print] of this.prints) hash.update(bytes(`${path}\0${print}\0`));
    return {
      head: this.head,
      dirty: this.dirty,
      diff_sha256: hash.digest("hex"),
      not_seen: { count: this.unseenCount, named: this.unseen },
    };
  }

  /** Looks at all that lies directly in these folders, and gives the folders below them. */
  private async level(folders: readonly string[]): Promise<string[] | null> {
    const below: string[] = [];
    const files: string[] = [];
    const asked: { path: string; folder: boolean }[] = [];
    for (const folder of folders) {
      if (!(await this.breathe())) return null;
      for (const path of this.namesIn(folder)) {
        const stat = lstatSync(bytes(`${this.root}/${path}`), { throwIfNoEntry: false });
        const isFolder = stat?.isDirectory() === true;
        if (stat?.isFile() && this.own.has(fileId(stat))) this.leaveOwn(path);
        else if (isFolder ? this.known.has(path) : this.tracked.has(path)) (isFolder ? below : files).push(path);
        else asked.push({ path, folder: isFolder });
      }
    }
    const ignored = await this.ignored(asked.map(({ path }) => path));
    if (ignored === null) return null;
    for (const { path, folder } of asked) {
      if (this.isApart(path)) this.leaveOut(path, "our own records");
      else if (ignored.has(path)) this.leaveOut(folder ? `${path}/` : path, "ignored");
      else (folder ? below : files).push(path);
    }
    for (const path of files) {
      if (!(await this.breathe())) return null;
      this.file(path);
    }
    return below;
  }

  private namesIn(folder: string): string[] {
    try {
      const place = bytes(folder === "" ? this.root : `${this.root}/${folder}`);
      const names = (readdirSync(place, { encoding: "buffer" }) as unknown as Buffer[]).map((name) => name.toString("latin1"));
      return names.filter((name) => !isGit(name)).map((name) => (folder === "" ? name : `${folder}/${name}`));
    } catch {
      this.prints.push([folder, "unreadable folder"]);
      this.leaveOut(`${folder}/`, "unreadable");
      return [];
    }
  }

  private isApart(path: string): boolean {
    const whole = shown(`${this.root}/${path}`);
    return this.apart.some((place) => whole === place || whole.startsWith(`${place}/`));
  }

  /** Those of the paths that the `.gitignore` files of the tree, or the person's own settings, ignore. */
  private async ignored(paths: readonly string[]): Promise<Set<string> | null> {
    if (paths.length === 0) return new Set();
    // stdin goes out as UTF-8, so only such names can be asked about; a name of other bytes is not ignored.
    const plain = paths.filter((path) => Buffer.from(shown(path), "utf8").equals(bytes(path)));
    const done = await this.git.look(["check-ignore", "--no-index", "-z", "--stdin"], {
      // The ./ keeps a name that begins with a colon from being read as more than a name.
      stdin: plain.map((path) => `./${shown(path)}\0`).join(""),
      encoding: "latin1",
    });
    // 1: none of them.
    return done.code === 0 || done.code === 1 ? new Set(done.stdout.split("\0").map((path) => path.slice(2))) : null;
  }

  /** One of our own records, under whatever name: it is not even opened. */
  private leaveOwn(path: string): void {
    this.leaveOut(path, "our own records");
    if (!this.left.delete(path)) return;
    this.prints.push([path, "our own records"]);
    this.dirty = true;
  }

  private leaveOut(path: string, why: Unseen["why"]): void {
    this.unseenCount++;
    if (this.unseen.length < NAMED) this.unseen.push({ path: shown(path), why });
  }

  private file(path: string): void {
    const seen = lookAt(this.git.root, path, this.algorithm);
    if (seen === null) return;
    const entry = this.tracked.get(path);
    this.left.delete(path);
    this.prints.push([path, seen.print]);
    if (seen.unseen !== null) this.leaveOut(path, seen.unseen);
    if (entry === undefined) this.dirty ||= !this.isInSubmodule(path);
    else this.judge(path, entry, seen);
  }

  private judge(path: string, entry: Entry, seen: Seen): void {
    if (seen.unseen === "large") return;
    if (seen.mode !== entry.mode) this.dirty = true;
    else if (seen.blob !== entry.object) this.changed.push(path);
  }

  private isInSubmodule(path: string): boolean {
    for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1))
      if (this.tracked.get(path.slice(0, at))?.mode === SUBMODULE) return true;
    return false;
  }

  /** Whether what differs byte by byte differs also for git, which may write line ends in another way; and submodules by their commit. */
  private async compare(): Promise<void> {
    for (const [path, entry] of this.tracked) {
      if (entry.mode !== SUBMODULE) continue;
      const place = shown(`${this.root}/${path}`);
      const inside = lstatSync(join(place, ".git"), { throwIfNoEntry: false }) !== undefined;
      const at = inside ? (await this.git.ask(["-C", place, "rev-parse", "--verify", "--quiet", "HEAD"])).stdout.trim() : "";
      this.prints.push([path, `submodule ${at}`]);
      if (inside && at !== entry.object) this.dirty = true;
    }
    const names = this.changed.filter((path) => !path.includes("\n"));
    if (this.dirty || this.changed.length === 0) return;
    const stdin = names.map((path) => `${shown(path)}\n`).join("");
    const done = await this.git.look(["hash-object", "--stdin-paths"], { stdin });
    const objects = done.stdout.split("\n");
    this.dirty =
      done.code !== 0 || names.length < this.changed.length || names.some((path, at) => objects[at] !== this.tracked.get(path)!.object);
  }

  /** Lets others have a turn now and then; false: the time is up. */
  private async breathe(): Promise<boolean> {
    const now = performance.now();
    if (now > this.deadline) return false;
    if (now - this.sliceAt > SLICE_MS) {
      await new Promise((resolve) => setImmediate(resolve));
      this.sliceAt = performance.now();
    }
    return true;
  }
}
