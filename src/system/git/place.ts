/** Where a working tree has its git: what the record of it says, and whether the tree still says the same. */
import { lstatSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
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

/** The path that a short file names, as git reads it; null when it is no plain file, or holds something else. */
function namedBy(file: string, before = ""): string | null {
  if (kindOf(file) !== "file" || lstatSync(file).size > 8192) return null;
  const words = readFileSync(file, "utf8").replace(/[\r\n]+$/, "");
  return words.startsWith(before) ? resolve(dirname(file), words.slice(before.length)) : null;
}

/**
 * The repository that a folder lies in, as git finds it.
 * @returns `none`: there is no repository; `bare`: one without a working tree
 */
export function placeOf(folder: string): GitPlace | "none" | "bare" {
  for (let here = realpathSync(folder); ; here = dirname(here)) {
    const dotGit = join(here, ".git");
    const kind = kindOf(dotGit);
    if (kind !== "nothing") {
      const named = kind === "file" ? namedBy(dotGit, "gitdir: ") : dotGit;
      if (named === null) return "none";
      const gitdir = realpathSync(named);
      const shared = namedBy(join(gitdir, "commondir"));
      return { common: shared === null ? gitdir : realpathSync(shared), gitdir, path: here };
    }
    if (kindOf(join(here, "HEAD")) === "file" && kindOf(join(here, "objects")) === "folder" && kindOf(join(here, "refs")) === "folder")
      return "bare";
    if (dirname(here) === here) return "none";
  }
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
      if (namedBy(join(gitdir, "commondir")) !== common) return `commondir in ${gitdir} does not name ${common}`;
    }
    if (path === null) return null;
    if (kindOf(path) !== "folder" || realpathSync(path) !== path) return `${path} is no folder any more`;
    const dotGit = join(path, ".git");
    if (gitdir === common && dotGit === common) return null;
    if (namedBy(dotGit, "gitdir: ") !== gitdir) return `${dotGit} does not name ${gitdir}`;
    // A submodule and a repository made with --separate-git-dir have no way back.
    return gitdir === common || namedBy(join(gitdir, "gitdir")) === dotGit ? null : `gitdir in ${gitdir} does not name ${dotGit}`;
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

/** Whether the git folder is still that of a worktree at `path`, or what a removal has left of one. */
export const isGitdirOf = (gitdir: string, path: string): boolean =>
  kindOf(gitdir) === "folder" && (kindOf(join(gitdir, "gitdir")) === "nothing" || namedBy(join(gitdir, "gitdir")) === join(path, ".git"));

/** The git folder of the worktree at `path`, whatever stands there now; null: the repository has none for it. */
export function gitdirFor(common: string, path: string): string | null {
  const folder = join(common, "worktrees");
  if (kindOf(folder) !== "folder") return null;
  const found = readdirSync(folder).find(
    (name) => kindOf(join(folder, name)) === "folder" && namedBy(join(folder, name, "gitdir")) === join(path, ".git"),
  );
  return found === undefined ? null : join(folder, found);
}
