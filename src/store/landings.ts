/** `landings` (an extension): the journal of branches on their way into others. */
import { type HolderColumns, heldBy, holderColumns } from "../core/dispatch/holder.ts";
import { compactJson, parseStored } from "../core/json.ts";
import type { HeldProof, Landing } from "../core/landing.ts";
import { type Store, tx } from "./store.ts";

type Row = Omit<Landing, "holder" | "squash" | "proofs"> & HolderColumns & { readonly squash: number; readonly proofs_json: string };

const read = ({ squash, proofs_json, world, pid, born, ...row }: Row): Landing => ({
  ...row,
  squash: squash === 1,
  proofs: parseStored<HeldProof[]>(proofs_json, []),
  holder: heldBy({ world, pid, born }),
});

/** Those that have come to no end, the oldest first. */
export const openLandings = (store: Store): Landing[] =>
  store.db.query<Row, []>("select * from landings where state in ('proving', 'moving') order by began_at, rowid").all().map(read);

/** Puts a landing on record that is about to begin. */
export function beginLanding(store: Store, landing: Landing): void {
  tx(store, () => {
    store.db
      .query(
        `insert into landings (id, task_id, worktree_id, state, common, branch, into_ref, folder, before_commit, after_commit, checkout,
         checkout_gitdir, squash, proofs_json, began_at, ended_at, why, world, pid, born)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        landing.id,
        landing.task_id,
        landing.worktree_id,
        landing.state,
        landing.common,
        landing.branch,
        landing.into_ref,
        landing.folder,
        landing.before_commit,
        landing.after_commit,
        landing.checkout,
        landing.checkout_gitdir,
        Number(landing.squash),
        compactJson(landing.proofs),
        landing.began_at,
        landing.ended_at,
        landing.why,
        ...holderColumns(landing.holder),
      );
  });
}

type Change = Partial<Omit<Landing, "id" | "task_id" | "worktree_id" | "began_at">>;

/**
 * Writes these facts of an open landing.
 * @returns the row as it is now; null when it is not open any more, or somebody else has taken it up since it was looked at
 */
export function changeLanding(store: Store, before: Landing, change: Change): Landing | null {
  return tx(store, () => {
    const row = store.db.query<Row, [string]>("select * from landings where id = ?").get(before.id);
    const now = row && read(row);
    const holder = (one: Landing): string => JSON.stringify(one.holder);
    if (now === null || now.state !== before.state || holder(now) !== holder(before)) return null;
    const next: Landing = { ...now, ...change };
    store.db
      .query(
        `update landings set state = ?, before_commit = ?, after_commit = ?, checkout = ?, checkout_gitdir = ?, proofs_json = ?,
           ended_at = ?, why = ?, world = ?, pid = ?, born = ? where id = ?`,
      )
      .run(
        next.state,
        next.before_commit,
        next.after_commit,
        next.checkout,
        next.checkout_gitdir,
        compactJson(next.proofs),
        next.ended_at,
        next.why,
        ...holderColumns(next.holder),
        next.id,
      );
    return next;
  });
}
