/** What a start says of a worktree of its own for the worker. */
import { flag, text } from "../../args/spec.ts";
import { UsageError } from "../../core/failure.ts";
import type { WorktreeWish } from "./plan.ts";

/** Flags of every command that starts a worker. */
export const worktreeFlags = {
  worktree: flag(
    "make a git worktree for the worker, in .worktrees/WORKER of the state root, and start it there; or go on in the one it has",
  ),
  branch: text("branch of the worktree, made unless it is there; else conveyor/TASK, or conveyor/WORKER", { value: "NAME", filled: true }),
  base: text("where a new branch begins: a branch, a tag or a commit; else HEAD", { value: "REF", filled: true }),
  setup: text("command line that is run in a new worktree before the agent; when it fails nothing is started", {
    value: "CMD",
    filled: true,
  }),
};

/** @returns null: no worktree is asked for. @throws UsageError when something is said of one that is not */
export function worktreeWish(args: Partial<WorktreeWish> & { readonly worktree: boolean }): WorktreeWish | null {
  const { worktree, branch, base, setup } = args;
  if (worktree) return { branch, base, setup };
  for (const [name, value] of Object.entries({ branch, base, setup }))
    if (value !== undefined) throw new UsageError(`--${name} goes with --worktree`);
  return null;
}
