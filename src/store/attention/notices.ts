/** `notices`: what a person was told of, by which rule. */
import { type Holder, type HolderColumns, heldBy, holderColumns } from "../../core/dispatch/holder.ts";
import type { LastNotice } from "../../core/attention/notify.ts";
import { type Store, tx } from "../store.ts";

/** Which notice. */
export interface NoticeKey {
  readonly rule: string;
  readonly item: string;
  readonly nth: number;
}

/** The newest notice of a rule for an item; null when there was none. */
export const lastNotice = (store: Store, rule: string, item: string): LastNotice | null =>
  store.db
    .query<LastNotice, [string, string]>("select nth, claimed_at from notices where rule = ? and item = ? order by nth desc limit 1")
    .get(rule, item);

/**
 * Claims a notice, before it is given.
 * @param kind of the item; @param holder this process; null when the system does not tell
 * @returns false when somebody else has
 */
export const claimNotice = (store: Store, { rule, item, nth }: NoticeKey, kind: string, holder: Holder | null): boolean =>
  tx(
    store,
    () =>
      store.db
        .query("insert or ignore into notices (rule, item, nth, kind, claimed_at, world, pid, born) values (?, ?, ?, ?, ?, ?, ?, ?)")
        .run(rule, item, nth, kind, store.now(), ...holderColumns(holder)).changes > 0,
  );

/** How it went. @param error why it failed; null: it was given */
export const endNotice = (store: Store, { rule, item, nth }: NoticeKey, error: string | null): void =>
  tx(
    store,
    () =>
      void store.db
        .query("update notices set state = ?, ended_at = ?, error = ? where rule = ? and item = ? and nth = ? and state is null")
        .run(error === null ? "sent" : "failed", store.now(), error, rule, item, nth),
  );

export interface NoticeRow extends NoticeKey {
  readonly kind: string;
  readonly claimed_at: string;
  readonly state: "sent" | "failed" | null;
  readonly error: string | null;
  readonly holder: Holder | null;
}

type Row = Omit<NoticeRow, "holder"> & HolderColumns;

const SHOWN = 1000;

/** Those of a rule, the newest first; the last thousand. */
export const noticesOf = (store: Store, rule: string): NoticeRow[] =>
  store.db
    .query<Row, [string, number]>(
      `select rule, item, nth, kind, claimed_at, state, error, world, pid, born from notices where rule = ?
       order by julianday(claimed_at) desc, rowid desc limit ?`,
    )
    .all(rule, SHOWN)
    .map(({ world, pid, born, ...row }) => ({
      ...row,
      holder: heldBy({ world, pid, born }),
    }));
