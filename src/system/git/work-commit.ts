/** The commit of what a worker has changed and not committed, made for it: a sandboxed worker cannot make one. */
import { copyFileSync, lstatSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import { Failure } from "../../core/failure.ts";
import { troubleOf } from "../processes/run.ts";
import { needDone, type OwnGit } from "./own-git.ts";
import { makeCommit } from "./scratch-merge.ts";
import { bytes, inBytes, pathList, pathsIn, shownPaths } from "./tree-files.ts";

interface WorkOrder {
  /** Of the worker's branch. */
  readonly head: string;
  readonly message: string;
}

/**
 * Makes a commit of all that differs from `head` in the working tree of `git.place`, and of what is not tracked and not ignored; null when
 * nothing does. Its bytes are those that `git add` would take, line ends and encodings as the tree's attributes and the user's settings
 * say; a file that a program of the user's (`filter.*`, as of git-lfs) would have to pass first is neither passed through it, since the
 * attributes that choose the program are the worker's, nor taken as it is, since that would be another file than theirs. The index is a new
 * one: what the worker's own calls unchanged or skipped does not count.
 * @throws Failure that names what cannot be committed: a submodule, a repository of its own, a file that a program filters
 */
export async function commitWork(git: OwnGit, { head, message }: WorkOrder): Promise<string | null> {
  const trouble = "the work cannot be committed";
  const latin = { encoding: "latin1" } as const;
  await needDone(git.files(["read-tree", head]), trouble);
  const listed = pathsIn(await needDone(git.files(["ls-files", "-s", "-z"], latin), trouble));
  const modules = listed.filter((line) => line.startsWith("160000 ")).map((line) => line.slice(line.indexOf("\t") + 1));
  const left = await leftOut(git);
  const tracked = listed
    .filter((line) => !line.startsWith("160000 "))
    .map((line) => line.slice(line.indexOf("\t") + 1))
    .filter((path) => !left.has(path));
  await refuseMovedModules(git, head, modules);
  const beyond = beyondLinks(git, tracked);
  // Git takes none of these for gone by itself.
  await needDone(git.files(["update-index", "--force-remove", "-z", "--stdin"], { stdin: pathList([...beyond]) }), trouble);
  const here = tracked.filter((path) => !beyond.has(path));
  const list = join(git.place.common, "info", "exclude");
  const excluded = lstatSync(list, { throwIfNoEntry: false })?.isFile() ? [`--exclude-from=${list}`] : [];
  const others = pathsIn(await needDone(git.files(["ls-files", "--others", "--exclude-standard", ...excluded, "-z"], latin), trouble));
  const repositories = others.filter((path) => path.endsWith("/"));
  if (repositories.length > 0)
    throw new Failure(`${trouble}: ${shownPaths(repositories)} is a repository of its own`, {
      hint: "ignore it (.gitignore), or have the worker make a submodule of it or take its .git away",
    });
  await needDone(
    git.files(["update-index", "--add", "--remove", "--replace", "-z", "--stdin"], { stdin: pathList([...here, ...others]) }),
    trouble,
  );
  const changed = pathsIn(await needDone(git.files(["diff-index", "--cached", "--name-only", "--no-renames", "-z", head], latin), trouble));
  if (changed.length === 0) return null;
  await refuseFiltered(git, changed);
  const tree = (await needDone(git.files(["write-tree"]), trouble)).trim();
  return makeCommit(git, tree, [head], message);
}

/** Those that lie in a folder which has become a link: what stands behind it is another file. */
function beyondLinks({ place }: OwnGit, paths: readonly string[]): Set<string> {
  const isLink = new Map<string, boolean>([[".", false]]);
  const linked = (folder: string): boolean => {
    let known = isLink.get(folder);
    if (known === undefined) {
      known =
        linked(dirname(folder)) ||
        lstatSync(bytes(`${inBytes(place.path!)}/${folder}`), { throwIfNoEntry: false })?.isSymbolicLink() === true;
      isLink.set(folder, known);
    }
    return known;
  };
  return new Set(paths.filter((path) => linked(dirname(path))));
}

/** What a sparse tree does not have, which is no removal. */
async function leftOut(git: OwnGit): Promise<Set<string>> {
  const sparse = (await git.refs(["config", "--type=bool", "--get", "core.sparseCheckout"])).stdout.trim() === "true";
  if (!sparse) return new Set();
  const listed = pathsIn((await git.files(["ls-files", "-v", "-z"], { index: git.treeIndex, encoding: "latin1" })).stdout);
  const skipped = listed.filter((line) => /^S /i.test(line)).map((line) => line.slice(2));
  return new Set(
    skipped.filter((path) => lstatSync(bytes(`${inBytes(git.place.path!)}/${path}`), { throwIfNoEntry: false }) === undefined),
  );
}

/** A submodule has its commits in a repository of its own, which nobody else has: a branch that names them would be of no use. */
async function refuseMovedModules(git: OwnGit, head: string, modules: readonly string[]): Promise<void> {
  if (modules.length === 0) return;
  const latin = { encoding: "latin1" } as const;
  const changed = await git.files(["diff-index", "--name-only", "--no-renames", "--ignore-submodules=dirty", "-z", head], latin);
  const moved = pathsIn(changed.stdout).filter((path) => modules.includes(path));
  if (moved.length > 0)
    throw new Failure(`the work cannot be committed: the submodule ${shownPaths(moved)} stands at another commit`, {
      hint: "commit it in the worktree by hand, once that commit is where others find it",
    });
}

async function refuseFiltered(git: OwnGit, changed: readonly string[]): Promise<void> {
  const settings = (await git.refs(["config", "--null", "--name-only", "--get-regexp", "^filter\\..*\\.(clean|process)$"])).stdout;
  const drivers = new Set(pathsIn(settings).map((name) => name.replace(/^filter\.(.*)\.(?:clean|process)$/s, "$1")));
  if (drivers.size === 0) return;
  // Reads attributes alone, and no file that they are about.
  const said = await needDone(
    git.refs(["check-attr", "-z", "--stdin", "filter"], { stdin: pathList(changed), encoding: "latin1" }),
    "the attributes cannot be read",
  );
  const parts = said.split("\0");
  const filtered: string[] = [];
  for (let at = 0; at + 2 < parts.length; at += 3) if (drivers.has(parts[at + 2]!)) filtered.push(parts[at]!);
  if (filtered.length > 0)
    throw new Failure(
      `the work cannot be committed: ${shownPaths(filtered)} would have to pass a filter program, and none is run on a worker's files`,
      {
        hint: "look at them and commit them by hand: git add and git commit in the worktree",
      },
    );
}

/**
 * Moves the worker's branch to the commit, and the index of its tree with it.
 * @throws Failure when the branch is not at `head` any more, or git is at work in the tree; nothing has moved then
 */
export async function moveWorkBranch(git: OwnGit, branch: string, { head, commit }: { head: string; commit: string }): Promise<void> {
  const moved = await git.refs(["update-ref", "-m", "conveyor land: the worker's changes", branch, commit, head]);
  if (moved.code !== 0) throw new Failure(`the worker's branch has not been moved: ${troubleOf(moved)}`, { hint: "land once more" });
  await followIndex(git, commit);
}

/**
 * Lets the index of the tree be that of the commit which its files are: where it was cut off behind the branch, `git status` would call all
 * of it changed back. The own index has to be that of the commit.
 */
export async function followIndex(git: OwnGit, commit: string): Promise<void> {
  const { treeIndex } = git;
  const differs = await git.files(["diff-index", "--cached", "--quiet", commit], { index: treeIndex });
  if (differs.code === 0) return;
  // Somebody's git is at work there; the next landing sees to it.
  if (lstatSync(`${treeIndex}.lock`, { throwIfNoEntry: false }) !== undefined) return;
  // Under one name, so that what a kill leaves is written over, and no lock that a kill could leave.
  const fresh = `${treeIndex}.conveyor`;
  copyFileSync(join(git.scratch, "git", "index"), fresh);
  renameSync(fresh, treeIndex);
}
