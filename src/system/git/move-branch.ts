/** Moving a branch together with the working tree that is on it: both or neither, whoever is killed in between. */
import { copyFileSync, lstatSync, readFileSync, rmdirSync, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { Failure } from "../../core/failure.ts";
import { branchName } from "../../core/worktree.ts";
import type { Env } from "../processes/environment.ts";
import { listProcesses, openFiles } from "../processes/processes.ts";
import { type Ran, troubleOf } from "../processes/run.ts";
import { begunIn } from "./branch-place.ts";
import { commitOf, needDone, type OwnGit } from "./own-git.ts";
import { isAncestor } from "./scratch-merge.ts";
import { bytes, copySplitIndex, inBytes, isPlainFile, pathList, pathsIn, shown, shownPaths } from "./tree-files.ts";

const latin = { encoding: "latin1" } as const;

/** The branch is not where it was when the merge was made: all has to be done again. */
export class BranchMoved extends Error {}

/** It went wrong after the tree had begun to move: {@link settleMove} tells where it stands. */
export class HalfMoved extends Failure {}

/** A branch, from one commit to another. */
export interface BranchMove {
  /** `refs/heads/…` */
  readonly ref: string;
  readonly before: string;
  readonly after: string;
}

/**
 * Makes the own repository of `git` see the tree as the user's git does: of a sparse tree only the part that is there, and what a split
 * index has put in files beside it.
 */
async function seeAsUser(git: OwnGit): Promise<void> {
  const { gitdir } = git.place;
  copySplitIndex(gitdir, join(git.scratch, "git"));
  const sparse = (await git.refs(["config", "--type=bool", "--get", "core.sparseCheckout"])).stdout.trim() === "true";
  const patterns = join(gitdir, "info", "sparse-checkout");
  if (!sparse || !isPlainFile(patterns)) return;
  copyFileSync(patterns, join(git.scratch, "git", "info", "sparse-checkout"));
  const cone = (await git.refs(["config", "--type=bool", "--get", "core.sparseCheckoutCone"])).stdout.trim() === "true";
  for (const [name, value] of [["core.sparseCheckout", true] as const, ["core.sparseCheckoutCone", cone] as const])
    await needDone(git.files(["config", name, String(value)]), "the sparse checkout cannot be followed");
}

/**
 * Refuses where the tree of `git.place`, which is on the branch, could not be moved from `before`.
 * @param after null: it is not known yet where to
 * @throws Failure that names what is in the way
 */
export async function needMovable(git: OwnGit, { before, after }: { before: string; after: string | null }): Promise<void> {
  const { path, gitdir } = git.place;
  const begun = begunIn(gitdir);
  if (begun !== null) throw new Failure(`${path} is in the middle of ${begun}`, { hint: "end it there first, then land once more" });
  const at = { index: git.treeIndex };
  await seeAsUser(git);
  // As every `git status` does: what was only touched is not changed.
  await inIndex(git, ["update-index", "-q", "--refresh"]);
  const changed = pathsIn(
    await needDone(
      git.files(["diff-index", "--name-only", "--no-renames", "--ignore-submodules=dirty", "-z", before], { ...at, ...latin }),
      `the changes in ${path} cannot be read`,
    ),
  );
  if (changed.length > 0)
    throw new Failure(`${path}, where the branch is checked out, has changes of its own: ${shownPaths(changed)}`, {
      hint: "commit or stash them there, then land once more",
    });
  if (after === null) return;
  const tried = await git.files(["read-tree", "-m", "-u", "-n", before, after], at);
  if (tried.code !== 0)
    throw new Failure(`${path}, where the branch is checked out, cannot be moved: ${troubleOf(tried)}`, {
      hint: "move away what is in the way there, then land once more",
    });
}

/** A git that was cut off from us has ended, and taken its locks with it, by then; so has one that only looks. */
const LEFT_MS = 2000;
/** How long somebody else's lock on the branch is waited for. */
const LOCKED_MS = 20_000;
const LOOK_MS = 50;

/**
 * Runs what writes the tree's own index: a git that is at work there, as another landing that looks at it, is waited for a while.
 * @throws Failure when it does not let go; nothing was written then
 */
async function inIndex(git: OwnGit, words: readonly string[]): Promise<Ran> {
  const lock = `${git.treeIndex}.lock`;
  for (const end = performance.now() + LEFT_MS; ; await Bun.sleep(LOOK_MS)) {
    if (lstatSync(lock, { throwIfNoEntry: false }) === undefined) {
      const ran = await git.files(words, { index: git.treeIndex });
      // Asked to be quiet, git does not say that it was in its way.
      if (ran.code !== 128 || !(ran.stderr === "" || ran.stderr.includes(lock))) return ran;
    }
    if (performance.now() > end)
      throw new Failure(`git is at work in ${git.place.path}: there is ${lock}`, {
        hint: "let it end, or remove that file when no git runs there, then land once more",
      });
  }
}

/**
 * Moves the branch, and the tree of `git.place` where that is on it (`git.place.path` not null). The branch is locked at `before` first, so
 * that nobody commits in between.
 * @throws BranchMoved when it is not at `before` any more, Failure when something is in the way: nothing has moved then; HalfMoved
 */
export async function moveBranch(git: OwnGit, move: BranchMove, task: string): Promise<void> {
  const { ref, before } = move;
  for (const end = performance.now() + LOCKED_MS; ; await Bun.sleep(LOOK_MS)) {
    const words = ["update-ref", "-m", `conveyor land ${task}`, "--stdin"];
    const trouble = await git.converse(words, async (say) => (await lockBranch(say, move)) ?? (await moveLocked(git, move, say)));
    if (trouble === null) return;
    if ((await commitOf(git, ref)) !== before) throw new BranchMoved();
    // A hook of the user's has its reasons, and will have them again.
    if (performance.now() > end || trouble.includes("hook"))
      throw new Failure(`the branch ${branchName(ref)} cannot be moved: ${trouble}`, {
        hint: "let the git that holds it end, or remove that file when none runs, then land once more",
      });
  }
}

type Say = (line: string) => Promise<string>;

/** Why it cannot be locked where it was; null: it is. */
async function lockBranch(say: Say, { ref, before, after }: BranchMove): Promise<string | null> {
  try {
    await say("start");
    await say(`update ${ref} ${after} ${before}\nprepare`);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

async function moveLocked(git: OwnGit, { before, after }: BranchMove, say: Say): Promise<null> {
  const { path } = git.place;
  if (path !== null) {
    await needMovable(git, { before, after });
    const read = await inIndex(git, ["read-tree", "-m", "-u", before, after]);
    if (read.code !== 0) throw new HalfMoved(`${path} cannot be moved: ${troubleOf(read)}`);
  }
  try {
    await say("commit");
  } catch (error) {
    throw new HalfMoved(`the branch cannot be moved: ${(error as Error).message}`);
  }
  return null;
}

/** How a move that was cut off ended. `unknown`: somebody has moved things since, and which of it counts is a person's to say. */
type Settled = "landed" | "undone" | "unknown";

/**
 * Brings a move that was cut off to an end: where the tree is at `after` the branch follows, where it is not, or only in part, it is put
 * back. Nothing that somebody has changed since is touched.
 * @throws Failure when something is locked, or cannot be read; then it is still open
 */
export async function settleMove(env: Env, git: OwnGit, move: BranchMove): Promise<Settled> {
  const { ref, before, after } = move;
  await dropLock(env, join(git.place.common, `${ref}.lock`), `${after}\n`);
  const now = await commitOf(git, ref);
  if (now !== null && (now === after || (await isAncestor(git, after, now)))) return "landed";
  if (git.place.path === null) return "undone";
  await dropLock(env, `${git.treeIndex}.lock`, null);
  const on = (await git.refs(["symbolic-ref", "--quiet", "HEAD"])).stdout.trim();
  if (on !== ref) return "unknown";
  await seeAsUser(git);
  const differing = await changesBetween(git, before, after);
  const index = await indexOf(git, differing);
  const isAt = (side: "before" | "after"): boolean => differing.every((change) => index.get(change.path) === change[side]);
  if (now === before && differing.length > 0 && isAt("after")) {
    await needDone(git.refs(["update-ref", "-m", "conveyor land, gone on with", ref, after, before]), "the branch cannot be moved");
    return "landed";
  }
  if (!isAt("before")) return now === before || differing.length > 0 ? "unknown" : "undone";
  await putBack(git, differing);
  return "undone";
}

interface Change {
  /** latin1 */
  readonly path: string;
  /** `mode object`; undefined: it is not there. */
  readonly before: string | undefined;
  readonly after: string | undefined;
}

async function changesBetween(git: OwnGit, before: string, after: string): Promise<Change[]> {
  const listed = await needDone(
    git.files(["diff-tree", "-r", "-z", "--raw", "--no-renames", before, after], latin),
    "the merge cannot be read",
  );
  const parts = listed.split("\0");
  const side = (mode: string, object: string) => (/^0+$/.test(mode) ? undefined : `${mode} ${object}`);
  const changes: Change[] = [];
  for (let at = 0; at + 1 < parts.length; at += 2) {
    const [oldMode, newMode, old, fresh] = parts[at]!.slice(1).split(" ") as [string, string, string, string];
    changes.push({ path: parts[at + 1]!, before: side(oldMode, old), after: side(newMode, fresh) });
  }
  return changes;
}

/** What the tree's index has of these paths. */
async function indexOf(git: OwnGit, changes: readonly Change[]): Promise<Map<string, string>> {
  const listed = await needDone(git.files(["ls-files", "-s", "-z"], { index: git.treeIndex, ...latin }), "the index cannot be read");
  const wanted = new Set(changes.map(({ path }) => path));
  return new Map(
    pathsIn(listed).flatMap((line): [string, string][] => {
      const [facts, path] = [line.slice(0, line.indexOf("\t")), line.slice(line.indexOf("\t") + 1)];
      const [mode, object, stage] = facts.split(" ");
      return wanted.has(path) ? [[path, stage === "0" ? `${mode} ${object}` : "unmerged"]] : [];
    }),
  );
}

/**
 * Files that a killed git has written, or taken away, ahead of its index. What is neither of the two commits' is somebody's work, and
 * stays.
 */
async function putBack(git: OwnGit, changes: readonly Change[]): Promise<void> {
  const lost: string[] = [];
  const root = inBytes(git.place.path!);
  for (const { path, before, after } of changes) {
    const place = `${root}/${path}`;
    if ([before, after].some((each) => each?.startsWith("160000"))) continue;
    const isOurs = await isWrittenFor(git, path, { root, place }, after);
    if (isOurs && lstatSync(bytes(place), { throwIfNoEntry: false }) !== undefined) {
      unlinkSync(bytes(place));
      emptied(root, dirname(place));
    }
    if (isOurs && before !== undefined) lost.push(path);
  }
  if (lost.length === 0) return;
  await needDone(
    git.files(["checkout-index", "-f", "-u", "-z", "--stdin"], { index: git.treeIndex, stdin: pathList(lost) }),
    `what was taken away in ${git.place.path} cannot be put back`,
  );
}

/** Nothing stands there, or all or the beginning of what `after` has. */
async function isWrittenFor(
  git: OwnGit,
  path: string,
  { root, place }: { root: string; place: string },
  after: string | undefined,
): Promise<boolean> {
  for (let at = dirname(place); at !== root; at = dirname(at))
    if (lstatSync(bytes(at), { throwIfNoEntry: false })?.isSymbolicLink()) return false;
  const stat = lstatSync(bytes(place), { throwIfNoEntry: false });
  if (stat === undefined) return true;
  if (after === undefined || !stat.isFile()) return false;
  const [, object] = after.split(" ");
  const whole = await git.files(["cat-file", "--filters", `--path=${shown(path)}`, object!], latin);
  return (
    whole.code === 0 &&
    Buffer.from(whole.stdout, "latin1")
      .subarray(0, stat.size)
      .equals(readFileSync(bytes(place)))
  );
}

function emptied(root: string, folder: string): void {
  for (let at = folder; at !== root; at = dirname(at)) {
    try {
      rmdirSync(bytes(at));
    } catch {
      return;
    }
  }
}

/**
 * Waits for a lock to go, and takes away one that a killed git has left.
 * @param content what is in it when it is the one of the move; null: that of an index, into which git writes only at the end. One that is
 * written and closed is somebody's who is still at work (`git commit -a` has it as long as its editor is open)
 */
async function dropLock(env: Env, lock: string, content: string | null): Promise<void> {
  const isThere = (): boolean => lstatSync(lock, { throwIfNoEntry: false }) !== undefined;
  for (const end = performance.now() + LEFT_MS; isThere() && performance.now() < end;) await Bun.sleep(LOOK_MS);
  if (!isThere()) return;
  if (readFileSync(lock, "utf8") !== (content ?? "") || (content === null && (await isOpen(env, lock))))
    throw new Failure(`${lock} is in the way of a landing that was cut off`, { hint: "remove it when no git runs there" });
  unlinkSync(lock);
}

async function isOpen(env: Env, path: string): Promise<boolean> {
  for (const { pid } of (await listProcesses(env)) ?? []) if ((await openFiles(pid, env))?.includes(path)) return true;
  return false;
}
