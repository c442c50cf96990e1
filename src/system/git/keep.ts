/**
 * What stands in a working tree as one commit, so that nothing of it is lost when the tree goes: its first parent is HEAD; others hold what
 * the index had put aside, and what only the tree's own names and logs of git lead to.
 */
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { needDone, type OwnGit } from "./own-git.ts";
import { pathList } from "./tree-files.ts";
import type { IndexEntry, TreeLook } from "./tree-look.ts";

/** What git does not keep of a tree, in the message of the commit; paths are bytes, written as latin1. */
export interface KeptNotes {
  readonly worker: string;
  /** Full name; null: none was checked out. */
  readonly branch: string | null;
  readonly head: string | null;
  /** The parent that holds the index, entries of stage N below a folder N; null: it was as HEAD. */
  readonly index: string | null;
  readonly empty: readonly string[];
  readonly modes: Readonly<Record<string, number>>;
  /** What was ignored is kept, too. */
  readonly ignored: boolean;
}

const NOTES = "conveyor-kept: ";
/** More than any file of git's that holds names of commits. */
const MOST_BYTES = 64 << 20;

/**
 * Makes the commit; nothing names it yet.
 * @param git `exact`, and into the repository's own objects
 * @throws Failure when something cannot be kept
 */
export async function keepTree(git: OwnGit, worker: string, look: TreeLook, ignored: boolean): Promise<string> {
  const { head, branch, walked, tree } = look;
  const staged = await stagedTree(git, look);
  const index = staged === null ? null : await commit(git, staged, head === null ? [] : [head], "What its index held, by stages\n");
  const tips = await onlyHere(git, head);
  const notes: KeptNotes = { worker, branch, head, index, empty: walked.empty, modes: walked.modes, ignored };
  const parents = [head, index, ...tips].filter((each) => each !== null);
  const message = `What was in the worktree of ${worker}\n\n${NOTES}${JSON.stringify(notes)}\n`;
  return commit(git, tree, [...new Set(parents)], message);
}

const commit = async (git: OwnGit, tree: string, parents: readonly string[], message: string): Promise<string> =>
  (
    await needDone(
      git.files(["commit-tree", tree, ...parents.flatMap((each) => ["-p", each]), "-F", "-"], { stdin: message }),
      "the commit cannot be made",
    )
  ).trim();

/** The index as a tree, entries of stage N below a folder N; null when it holds nothing that HEAD does not have. */
async function stagedTree(git: OwnGit, { index, inHead }: TreeLook): Promise<string | null> {
  const differs = ({ mode, object, stage, path }: IndexEntry): boolean => stage !== 0 || inHead.get(path) !== `${mode} ${object}`;
  const entries = index ?? [];
  const missing = entries.filter(({ stage }) => stage === 0).length < inHead.size;
  if (index === null || !(missing || entries.some(differs))) return null;
  const there = await existing(git, [...new Set(entries.map(({ object }) => object))]);
  const lines = entries
    .filter(({ mode, object }) => mode === "160000" || there.has(object))
    .map(({ mode, object, stage, path }) => `${mode} ${object}\t${stage}/${path}`);
  const own = { index: join(git.scratch, "git", "staged") };
  await needDone(git.files(["update-index", "-z", "--index-info"], { ...own, stdin: pathList(lines) }), "the index cannot be kept");
  return (await needDone(git.files(["write-tree"], own), "the index cannot be kept")).trim();
}

/** Those of the objects that the repository has, with what they are. */
async function existing(git: OwnGit, objects: readonly string[]): Promise<Map<string, string>> {
  if (objects.length === 0) return new Map();
  const stdin = objects.map((each) => `${each}\n`).join("");
  const text = await needDone(git.files(["cat-file", "--batch-check=%(objectname) %(objecttype)"], { stdin }), "objects cannot be read");
  return new Map(
    text.split("\n").flatMap((line): [string, string][] => {
      const [object = "", type = ""] = line.split(" ");
      return ["commit", "tree", "blob", "tag"].includes(type) ? [[object, type]] : [];
    }),
  );
}

/**
 * Commits that the tree's own git folder names (the log of its HEAD, a merge or a rebase under way, private names), and that no name of the
 * repository leads to: the last ones of each line.
 */
async function onlyHere(git: OwnGit, head: string | null): Promise<string[]> {
  const { gitdir } = git.place;
  const named = new Set<string>();
  const length = git.format === "sha256" ? 64 : 40;
  const look = (folder: string): void => {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      const found = lstatSync(path);
      if (found.isDirectory()) {
        if (folder !== gitdir || name !== "modules") look(path);
      } else if (found.isFile() && found.size < MOST_BYTES && !/^(index|sharedindex\..*)$/.test(name))
        for (const [word] of readFileSync(path, "latin1").matchAll(/\b[0-9a-f]{40,64}\b/g))
          if (word.length === length && !/^0+$/.test(word)) named.add(word);
    }
  };
  look(gitdir);
  const commits = [...(await existing(git, [...named]))].flatMap(([object, type]) => (type === "commit" ? [object] : []));
  if (commits.length === 0) return [];
  const words = ["rev-list", "--parents", "--stdin", "--not", ...(head === null ? [] : [head]), "--all"];
  // A history with holes is kept as far as it goes.
  const done = await git.refs([...words, "--"], { stdin: commits.map((each) => `${each}\n`).join("") });
  if (done.code !== 0) return commits.filter((each) => each !== head);
  const lines = done.stdout.split("\n").flatMap((line) => (line === "" ? [] : [line.split(" ")]));
  const inner = new Set(lines.flatMap(([, ...parents]) => parents));
  return lines.flatMap(([each]) => (inner.has(each!) ? [] : [each!]));
}

/** Whether all of a tree is as it was when it was kept in this commit. */
export async function isAsKept(git: OwnGit, look: TreeLook, kept: string, notes: KeptNotes): Promise<boolean> {
  const treeOf = async (each: string): Promise<string> =>
    (await needDone(git.refs(["rev-parse", "--verify", `${each}^{tree}`]), "what is kept cannot be read")).trim();
  const { head, branch, tree, walked } = look;
  const noted = JSON.stringify([walked.empty, walked.modes]) === JSON.stringify([notes.empty, notes.modes]);
  if (!noted || head !== notes.head || branch !== notes.branch || tree !== (await treeOf(kept))) return false;
  return (await stagedTree(git, look)) === (notes.index === null ? null : await treeOf(notes.index));
}

/** What the commit notes of its tree; null: it is none of ours. */
export async function notesOf(git: OwnGit, commitId: string): Promise<KeptNotes | null> {
  const text = await needDone(git.files(["cat-file", "commit", commitId]), "what is kept cannot be read");
  const line = text.split("\n").find((each) => each.startsWith(NOTES));
  try {
    return line === undefined ? null : (JSON.parse(line.slice(NOTES.length)) as KeptNotes);
  } catch {
    return null;
  }
}
