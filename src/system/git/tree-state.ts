/** The state of a git working tree as digests: HEAD, and everything that differs from it. */
import { createHash } from "node:crypto";
import { closeSync, lstatSync, openSync, readlinkSync, readSync, realpathSync, type Stats, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { TreeState } from "../../core/loops/evidence-run.ts";
import type { Env } from "../processes/environment.ts";
import { SAFE_DIFF, type SafeGit, safeGit } from "./safe-git.ts";

/** Longer than any repository should take; a hanging file system must not hang a cycle. */
const LIMIT_MS = 60_000;

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

/**
 * The tree that `folder` lies in, or null when it lies in none, git is missing, or it could not be read to the end.
 * @param apart files and folders whose untracked content is not counted: our own records may lie in the tree and change all the time. Such a
 *   file is not opened under another name either: closing it would take SQLite's locks away from this process
 */
export async function treeState(env: Env, folder: string, apart: readonly string[]): Promise<TreeState | null> {
  const git = await safeGit(env, folder, LIMIT_MS);
  if (typeof git === "string") return null;
  const words = async (cwd: string, ...args: string[]): Promise<string | null> => {
    const done = await git.run(args, cwd);
    return done.code === 0 ? done.stdout : null;
  };
  const root = (await words(folder, "rev-parse", "--show-toplevel"))?.replace(/\n$/, "");
  if (!root) return null;
  const head = (await words(root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}"))?.trim() || null;
  // Before the first commit the difference is against the empty tree, whose name depends on the repository's hash.
  const base = head ?? (await words(root, "hash-object", "-t", "tree", "--stdin"))?.trim();
  if (base === undefined) return null;
  const hash = createHash("sha256");
  const tracked = await digestOf(git, ["diff", "--binary", "--full-index", ...SAFE_DIFF, "--no-renames", base, "--"], root, hash);
  const untracked = await words(root, "ls-files", "--others", "--exclude-standard", "-z");
  if (tracked === null || untracked === null) return null;
  const places = apart.map(realPath);
  const ours = (path: string): boolean => places.some((place) => path === place || path.startsWith(`${place}/`));
  const unopened = new Set(apart.flatMap((path) => statSync(path, { throwIfNoEntry: false }) ?? []).map(fileId));
  const names = untracked
    .split("\0")
    .filter((name) => name !== "" && !ours(join(root, name)))
    .sort();
  for (const name of names) {
    hash.update(`\0${name}\0`);
    addFile(hash, join(root, name), unopened);
  }
  return { head, dirty: tracked > 0 || names.length > 0, diff_sha256: hash.digest("hex") };
}

/** Runs a command and puts all it prints into the digest; gives the number of bytes, or null when it failed. */
async function digestOf(
  { argv, env }: SafeGit,
  words: readonly string[],
  cwd: string,
  hash: ReturnType<typeof createHash>,
): Promise<number | null> {
  const child = Bun.spawn([...argv, ...words], {
    env,
    cwd,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
    timeout: LIMIT_MS,
    killSignal: "SIGKILL",
  });
  let bytes = 0;
  for await (const part of child.stdout) {
    hash.update(part);
    bytes += part.length;
  }
  await child.exited;
  return child.exitCode === 0 ? bytes : null;
}

/** Links by where they point, files by what they hold; what has gone meanwhile or is neither counts by its name alone. */
function addFile(hash: ReturnType<typeof createHash>, path: string, unopened: ReadonlySet<string>): void {
  try {
    const stat = lstatSync(path);
    hash.update(stat.isSymbolicLink() ? `link ${readlinkSync(path)}` : `${stat.mode & 0o111 ? "run" : "file"} `);
    if (!stat.isFile() || unopened.has(fileId(stat))) return;
    const fd = openSync(path, "r");
    try {
      const part = Buffer.alloc(256 * 1024);
      for (let read = readSync(fd, part); read > 0; read = readSync(fd, part)) hash.update(part.subarray(0, read));
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (typeof (error as { code?: unknown }).code !== "string") throw error;
  }
}
