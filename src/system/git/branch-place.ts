/** Where a branch is checked out, and what is under way in a working tree that another command has begun. */
import { lstatSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../core/failure.ts";
import { quoteWord } from "../../core/shell.ts";
import { branchName } from "../../core/worktree.ts";
import { realPath } from "../files/folders.ts";
import { needDone, type OwnGit } from "./own-git.ts";
import { bentIn, type GitPlace } from "./place.ts";

const isThere = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;
const textOf = (path: string): string | null => {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return null;
  }
};

export interface Checkouts {
  /** Working trees that are on the branch. */
  readonly places: readonly GitPlace[];
  /** All working trees of the repository. */
  readonly roots: readonly string[];
}

/** A working tree as git lists it, whether it still stands or not. */
interface ListedTree {
  readonly path: string;
  readonly bare: boolean;
  /** `refs/heads/…`; null: none is checked out. */
  readonly branch: string | null;
}

/** The working trees that git knows of, the main one first. @throws Failure when it does not tell */
export async function listedTrees(git: OwnGit): Promise<ListedTree[]> {
  const zeroed = await git.refs(["worktree", "list", "--porcelain", "-z"]);
  // Before git 2.36 there was no -z.
  const list =
    zeroed.code === 0 ? zeroed.stdout : await needDone(git.refs(["worktree", "list", "--porcelain"]), "the worktrees cannot be read");
  const end = zeroed.code === 0 ? "\0" : "\n";
  return list.split(end + end).flatMap((entry) => {
    const [first = "", ...lines] = entry.split(end);
    if (!first.startsWith("worktree ")) return [];
    const branch = lines.find((line) => line.startsWith("branch "))?.slice("branch ".length) ?? null;
    return [{ path: first.slice("worktree ".length), bare: lines.includes("bare"), branch }];
  });
}

/**
 * All working trees of the repository, and which of them are on this branch (`refs/heads/…`). What does not lead back to the repository
 * is none.
 */
export async function checkoutsOf(git: OwnGit, ref: string): Promise<Checkouts> {
  const { common } = git.place;
  const places: GitPlace[] = [];
  const roots: string[] = [];
  for (const [index, tree] of (await listedTrees(git)).entries()) {
    if (tree.bare) continue;
    const path = realPath(tree.path);
    // The first is the main one.
    const gitdir = index === 0 ? common : (textOf(join(path, ".git"))?.replace(/^gitdir: /, "") ?? "");
    const place = { common, gitdir, path };
    const isOn = tree.branch === ref;
    const bent = bentIn(place);
    // What was removed by hand is still listed.
    if (isOn && bent !== null && isThere(path))
      throw new Failure(`${branchName(ref)} is checked out in ${path}, which cannot be moved with it: ${bent}`, {
        hint: `git worktree repair ${quoteWord(path)}, or switch it to another branch`,
      });
    if (bent !== null) continue;
    roots.push(path);
    if (isOn) places.push(place);
  }
  return { places, roots };
}

/** Git folders of all working trees, the main one's first. */
function gitFolders(common: string): string[] {
  try {
    return [common, ...readdirSync(join(common, "worktrees")).map((name) => join(common, "worktrees", name))];
  } catch {
    return [common];
  }
}

/** What of the repository's working trees has this branch in the middle of a rebase or a bisect, in words; null: nothing. */
export function heldByRebase(common: string, ref: string): string | null {
  for (const folder of gitFolders(common)) {
    for (const kind of ["rebase-merge", "rebase-apply"])
      if (textOf(join(folder, kind, "head-name")) === ref) return `it is being rebased (${join(folder, kind)})`;
    if (textOf(join(folder, "BISECT_START")) === branchName(ref)) return `it is being bisected (${join(folder, "BISECT_START")})`;
  }
  return null;
}

/** What is begun in this working tree and not ended, in words; null: nothing. */
export function begunIn(gitdir: string): string | null {
  const signs: readonly (readonly [string, string])[] = [
    ["MERGE_HEAD", "a merge"],
    ["CHERRY_PICK_HEAD", "a cherry-pick"],
    ["REVERT_HEAD", "a revert"],
    ["rebase-merge", "a rebase"],
    ["rebase-apply", "a rebase"],
  ];
  return signs.find(([name]) => isThere(join(gitdir, name)))?.[1] ?? null;
}
