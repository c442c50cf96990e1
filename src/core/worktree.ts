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

/** `refs/heads/x` as people say it. */
export const branchName = (ref: string): string => ref.replace(/^refs\/heads\//, "");
