/** A merge that is made in a folder of its own, where it can be tried before any branch is moved. */
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../core/failure.ts";
import { removeFolder } from "../files/remove-folder.ts";
import { troubleOf } from "../processes/run.ts";
import { needDone, type OwnGit } from "./own-git.ts";
import { pathsIn, shown } from "./tree-files.ts";

interface MergeOrder {
  /** An empty folder. */
  readonly tree: string;
  /** Commits. */
  readonly before: string;
  readonly theirs: string;
  readonly squash: boolean;
  /** Null: what there is to say otherwise, and no commit of its own where none is needed. */
  readonly message: string | null;
  readonly otherwise: string;
}

type Merged =
  | { readonly kind: "merged"; readonly commit: string }
  /** It would change nothing. */
  | { readonly kind: "nothing" }
  | { readonly kind: "conflicts"; readonly files: readonly string[] };

export const isAncestor = async (git: OwnGit, older: string, newer: string): Promise<boolean> =>
  (await git.refs(["merge-base", "--is-ancestor", older, newer])).code === 0;

/** A commit in the name of the user, or of conveyor where git knows no name for them; with no signature, whatever they have set. */
export async function makeCommit(git: OwnGit, tree: string, parents: readonly string[], message: string): Promise<string> {
  const known = async (ident: string) => (await git.refs(["var", ident])).code === 0;
  const named = (await known("GIT_AUTHOR_IDENT")) && (await known("GIT_COMMITTER_IDENT"));
  const words = ["commit-tree", tree, ...parents.flatMap((parent) => ["-p", parent]), "-F", "-"];
  const stdin = message.endsWith("\n") ? message : `${message}\n`;
  return (await needDone((named ? git.refs : git.files)(words, { stdin }), "the commit cannot be made")).trim();
}

/** Merges what is not in there yet, and leaves the result in `tree`. @throws Failure when git cannot merge them at all */
export async function mergeInScratch(git: OwnGit, order: MergeOrder): Promise<Merged> {
  const { tree, before, theirs, squash, message } = order;
  const at = { tree };
  if (!squash && message === null && (await isAncestor(git, before, theirs))) {
    await needDone(git.files(["read-tree", "--reset", "-u", theirs], at), "the branch cannot be checked out for its proofs");
    return { kind: "merged", commit: theirs };
  }
  await needDone(git.files(["read-tree", "--reset", "-u", before], at), "the branch cannot be checked out for the merge");
  await needDone(git.files(["update-ref", "--no-deref", "HEAD", before], at), "the merge cannot begin");
  const ran = await git.files(["-c", "gc.auto=0", "merge", "--no-commit", "--no-ff", "--quiet", theirs], at);
  const left = await needDone(git.files(["ls-files", "-u", "-z"], { ...at, encoding: "latin1" }), "the merge cannot be read");
  const files = [...new Set(pathsIn(left).map((line) => shown(line.slice(line.indexOf("\t") + 1))))].sort();
  if (files.length > 0) return { kind: "conflicts", files };
  if (ran.code !== 0) throw new Failure(`git does not merge them: ${troubleOf(ran)}`);
  const made = (await needDone(git.files(["write-tree"], at), "the merge cannot be written")).trim();
  if (squash && made === (await needDone(git.refs(["rev-parse", `${before}^{tree}`]), "the branch cannot be read")).trim())
    return { kind: "nothing" };
  const commit = await makeCommit(git, made, squash ? [before] : [before, theirs], message ?? order.otherwise);
  return { kind: "merged", commit };
}

/**
 * Puts all files of the tree back to what the commit has, takes away what is neither in it nor ignored, and lends a repository anew: what
 * it says of HEAD and names would else go on record for the next proof.
 */
export async function restoreTree(git: OwnGit, folder: string, tree: string, commit: string): Promise<void> {
  await needDone(git.files(["read-tree", "--reset", "-u", commit], { tree }), "the merge cannot be put back");
  await needDone(git.files(["clean", "-ffdq", "-e", "/.git"], { tree }), "the merge cannot be put back");
  for (const lent of [folder, join(tree, ".git")]) removeFolder(lent);
  await lendRepository(git, folder, tree, commit);
}

/**
 * Gives the tree a repository of its own to look at: what a proof asks git there it is told, and what it changes there (names, hooks,
 * settings) is gone afterwards. It has the objects of the other repository, and its names as they are now.
 */
export async function lendRepository(git: OwnGit, folder: string, tree: string, commit: string): Promise<void> {
  for (const name of ["", "objects", "objects/info", "refs", "info"]) mkdirSync(join(folder, name), { recursive: true });
  const names = await needDone(git.refs(["for-each-ref", "--format=%(objectname) %(refname)"]), "the branches cannot be read");
  writeFileSync(join(folder, "packed-refs"), names);
  writeFileSync(join(folder, "HEAD"), `${commit}\n`);
  writeFileSync(join(folder, "objects", "info", "alternates"), `${join(git.place.common, "objects")}\n`);
  for (const name of ["config", "shallow", "index"]) {
    try {
      copyFileSync(join(git.scratch, "git", name), join(folder, name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  writeFileSync(join(tree, ".git"), `gitdir: ${folder}\n`);
}
