/** Where a working tree has its git: what the record of it says, and whether the tree still says the same. */
import { lstatSync, readFileSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Failure } from "../../core/failure.ts";

/** All absolute and without links. */
export interface GitPlace {
  /** The git folder that all working trees of the repository share. */
  readonly common: string;
  /** That of this working tree; of the main one `common`. */
  readonly gitdir: string;
  /** The working tree; null: none is meant. */
  readonly path: string | null;
}

const kindOf = (path: string): "file" | "folder" | "link" | "nothing" | "other" => {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return "nothing";
  return found.isFile() ? "file" : found.isDirectory() ? "folder" : found.isSymbolicLink() ? "link" : "other";
};

/** A short file whole, as git reads a path from it; null when it is no plain file, or holds more than a path. */
function wordsIn(path: string): string | null {
  if (kindOf(path) !== "file" || lstatSync(path).size > 8192) return null;
  return readFileSync(path, "utf8").replace(/[\r\n]+$/, "");
}

/**
 * What of a working tree does not name what is on record, in words; null: all does. A tree in which somebody works may be bent: its `.git`
 * may lead to a repository of theirs, whose configuration and hooks git would obey.
 */
export function bentIn({ common, gitdir, path }: GitPlace): string | null {
  try {
    if (kindOf(common) !== "folder") return `${common} is no folder any more`;
    if (gitdir !== common) {
      if (dirname(gitdir) !== join(common, "worktrees") || kindOf(dirname(gitdir)) !== "folder" || kindOf(gitdir) !== "folder")
        return `${gitdir} is no git folder of a worktree of ${common}`;
      if (wordsIn(join(gitdir, "commondir")) !== "../..") return `commondir in ${gitdir} does not name ${common}`;
    }
    if (path === null) return null;
    if (kindOf(path) !== "folder" || realpathSync(path) !== path) return `${path} is no folder any more`;
    const dotGit = join(path, ".git");
    if (gitdir === common) {
      if (dotGit === common) return null;
      // A submodule, or a repository made with --separate-git-dir.
      return wordsIn(dotGit) === `gitdir: ${gitdir}` ? null : `${dotGit} does not name ${gitdir}`;
    }
    if (wordsIn(dotGit) !== `gitdir: ${gitdir}`) return `${dotGit} does not name ${gitdir}`;
    return wordsIn(join(gitdir, "gitdir")) === dotGit ? null : `gitdir in ${gitdir} does not name ${dotGit}`;
  } catch (error) {
    return (error as Error).message;
  }
}

/** @throws Failure when {@link bentIn} finds something; before every call of git in a tree in which somebody works */
export function needUnbent(place: GitPlace): void {
  const bent = bentIn(place);
  if (bent === null) return;
  throw new Failure(`git is not run in ${place.path ?? place.gitdir}: ${bent}, so somebody has changed it since it was made`, {
    hint: `look at ${basename(place.path ?? place.gitdir)} by hand, and put back what it said`,
  });
}
