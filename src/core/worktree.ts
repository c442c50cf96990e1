/** A git worktree that was made for a worker, as it is on record. */
import type { Holder } from "./dispatch/holder.ts";

export interface Worktree {
  readonly id: string;
  /** Name of the worker. */
  readonly worker: string;
  /** The task for which the pair was started; a worker that was bound later has its task in the binding alone. */
  readonly task_id: string | null;
  readonly state: "making" | "made" | "removing" | "removed";
  /** Absolute, without links. */
  readonly path: string;
  /** Its own git folder, as its `.git` names it; null until it is made. */
  readonly gitdir: string | null;
  /** The git folder that all worktrees of the repository share. */
  readonly common: string;
  /** Full name, `refs/heads/…`. */
  readonly branch: string;
  readonly branch_made: boolean;
  /** As it was asked for. */
  readonly base_ref: string;
  /** Full name of the branch that `base_ref` meant, `refs/heads/…`; null when it was none (a tag, a commit, a detached HEAD). */
  readonly base_branch: string | null;
  readonly base_commit: string;
  /** The command that was run in it before the worker was started. */
  readonly setup: string | null;
  readonly made_at: string;
  readonly removed_at: string | null;
  /** Where what was in it is kept. */
  readonly kept_ref: string | null;
  /** Who is making or removing it; null: nobody, or the system does not tell. */
  readonly holder: Holder | null;
}

/** What the first words to a worker say of its worktree. @param confined it cannot write to the repository's git folder */
export const worktreeWords = (path: string, branch: string, confined: boolean): string =>
  `You work in ${path}, a git worktree of your own on the branch ${branchName(branch)}. Change files only there. ` +
  (confined
    ? "Do not commit, switch branches or stash: the git folder is closed to you. Leave your work in the files; it is committed on your " +
      "branch for you when the task is landed."
    : "Commit your work on that branch; do not switch to another one, and do not merge it yourself.");

/** `refs/heads/x` as people say it. */
export const branchName = (ref: string): string => ref.replace(/^refs\/heads\//, "");

/** What a worktree holds. Null: it could not be found out, which is a reason like any other. Names as people read them. */
export interface TreeFacts {
  readonly head: string | null;
  /** The branch that is checked out there now; null: none, or not known. */
  readonly checked_out: string | null;
  readonly changed: readonly string[] | null;
  readonly untracked: readonly string[] | null;
  readonly ignored: { readonly files: number; readonly bytes: number; readonly names: readonly string[] } | null;
  readonly commits: number | null;
  readonly stashes: number | null;
  /** Pids. */
  readonly processes: readonly number[] | null;
  /** What no commit could keep: submodules with something of their own, repositories inside, files that cannot be read. */
  readonly inner: readonly string[];
  /** Why nothing could be found out; null: it could. */
  readonly trouble: string | null;
}

/** A worktree as it is told of. */
export interface WorktreeReport extends TreeFacts {
  readonly worker: string;
  /** `none`: no session of that name is on record. */
  readonly worker_state: string;
  readonly task: string | null;
  readonly state: Worktree["state"];
  readonly path: string;
  readonly branch: string;
  readonly base: string;
  readonly base_branch: string | null;
  readonly base_commit: string;
  readonly made_at: string;
  readonly age_seconds: number;
  readonly kept_ref: string | null;
}

/** So many names are told; all are counted. */
const NAMED = 5;

const some = (names: readonly string[]): string =>
  `${names.slice(0, NAMED).join(", ")}${names.length > NAMED ? ` and ${names.length - NAMED} more` : ""}`;
const count = (n: number, one: string): string => `${n} ${one}${n === 1 ? "" : "s"}`;

/** Why it may not be removed without `--force`; [] when nothing stands against it. */
export function reasonsToStay({ changed, untracked, commits, stashes, processes, trouble }: TreeFacts): string[] {
  if (trouble !== null) return [trouble];
  const of = <T>(fact: T | null, what: string, told: (fact: T) => string): string[] => {
    const text = fact === null ? `${what} could not be found out` : told(fact);
    return text === "" ? [] : [text];
  };
  return [
    ...of(changed, "what was changed", (names) => (names.length === 0 ? "" : `${count(names.length, "changed file")}: ${some(names)}`)),
    ...of(untracked, "what is untracked", (names) =>
      names.length === 0 ? "" : `${count(names.length, "untracked file")}: ${some(names)}`,
    ),
    ...of(commits, "its own commits", (n) => (n === 0 ? "" : `${count(n, "commit")} that neither its base nor an upstream has`)),
    ...of(stashes, "its stashes", (n) => (n === 0 ? "" : `${n} ${n === 1 ? "stash" : "stashes"} of its branch`)),
    ...of(processes, "who works there", (pids) =>
      pids.length === 0
        ? ""
        : `${pids.length === 1 ? "process" : "processes"} ${some(pids.map(String))} ${pids.length === 1 ? "works" : "work"} there`,
    ),
  ];
}
