/** `worktrees`: the git worktrees that were made for workers. */
import { type HolderColumns, heldBy, holderColumns } from "../core/dispatch/holder.ts";
import type { Worktree } from "../core/worktree.ts";
import { type Store, tx } from "./store.ts";

type Row = Omit<Worktree, "holder" | "branch_made"> & HolderColumns & { readonly branch_made: number };

const worktreeOf = ({ world, pid, born, branch_made, ...row }: Row): Worktree => ({
  ...row,
  branch_made: branch_made === 1,
  holder: heldBy({ world, pid, born }),
});

/** The worktree of this worker that is not removed; null when there is none. */
export function worktreeOfWorker(store: Store, worker: string): Worktree | null {
  const row = store.db.query<Row, [string]>("select * from worktrees where worker = ? and state <> 'removed'").get(worker);
  return row && worktreeOf(row);
}

/** All that are not removed, the oldest first. */
export const listWorktrees = (store: Store): Worktree[] =>
  store.db.query<Row, []>("select * from worktrees where state <> 'removed' order by made_at, rowid").all().map(worktreeOf);

/** The one whose content is kept under this name; null: none of these records. */
export function worktreeKeptAs(store: Store, ref: string): Worktree | null {
  const row = store.db.query<Row, [string]>("select * from worktrees where kept_ref = ? order by rowid desc").get(ref);
  return row && worktreeOf(row);
}

/**
 * Puts a worktree on record that is about to be made.
 * @returns false when the worker has one, or one stands at that path
 */
export function recordWorktree(store: Store, tree: Worktree): boolean {
  return (
    store.db
      .query(
        `insert into worktrees (id, worker, task_id, state, path, gitdir, common, branch, branch_made, base_ref, base_branch,
           base_commit, setup, made_at, removed_at, kept_ref, world, pid, born)
         select ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?
         where not exists (select 1 from worktrees where state <> 'removed' and (worker = ? or path = ?))`,
      )
      .run(
        tree.id,
        tree.worker,
        tree.task_id,
        tree.state,
        tree.path,
        tree.gitdir,
        tree.common,
        tree.branch,
        tree.branch_made ? 1 : 0,
        tree.base_ref,
        tree.base_branch,
        tree.base_commit,
        tree.setup,
        tree.made_at,
        tree.removed_at,
        tree.kept_ref,
        ...holderColumns(tree.holder),
        tree.worker,
        tree.path,
      ).changes > 0
  );
}

/** What may change of it. */
export type WorktreeChange = Partial<Pick<Worktree, "state" | "gitdir" | "removed_at" | "kept_ref" | "holder">>;

/** Whether nobody has gone on with it. */
const isSame = (a: Worktree, b: Worktree): boolean =>
  a.state === b.state && a.gitdir === b.gitdir && a.kept_ref === b.kept_ref && JSON.stringify(a.holder) === JSON.stringify(b.holder);

/**
 * Writes these facts, and no others.
 * @param before the row as it was looked at
 * @returns the row as it is now; null when somebody else has changed it since
 */
export function changeWorktree(store: Store, before: Worktree, change: WorktreeChange): Worktree | null {
  return tx(store, () => {
    const row = store.db.query<Row, [string]>("select * from worktrees where id = ?").get(before.id);
    if (row === null || !isSame(worktreeOf(row), before)) return null;
    const next: Worktree = { ...before, ...change };
    store.db
      .query(
        `update worktrees set state = ?, gitdir = ?, removed_at = ?, kept_ref = ?, world = ?, pid = ?, born = ?
         where id = ?`,
      )
      .run(next.state, next.gitdir, next.removed_at, next.kept_ref, ...holderColumns(next.holder), next.id);
    return next;
  });
}

/** Takes a worktree off the record that came never to be. */
export const dropWorktree = (store: Store, id: string): void => void store.db.query("delete from worktrees where id = ?").run(id);
