/** `message_claims`: which process holds a claimed message, so that its death ends the lease, whatever the clocks say. */
import type { Holder } from "../../core/dispatch/holder.ts";
import type { Claimant } from "./lease.ts";
import type { Store } from "../store.ts";

/** The name of a message in this table: its command's id, or its notification's. */
export const messageKey = (ref: { commandId: string | null; notificationId: number | null }): string =>
  ref.commandId ?? `notification-${ref.notificationId}`;

/** What a reader claims while it shows an item of an inbox: the message itself has ended, and nobody else works on it. */
export const readingKey = (notificationId: number): string => `inbox-${notificationId}`;

/** The processes that are showing items of inboxes. */
export const readers = (store: Store): Holder[] =>
  store.db.query<Holder, []>("select distinct world, pid, born from message_claims where message glob 'inbox-*'").all();

/** The items of inboxes that somebody shows who is not one of these. */
export const beingShown = (store: Store, gone: readonly Holder[]): Set<string> =>
  new Set(
    store.db
      .query<Holder & { message: string }, []>("select message, world, pid, born from message_claims where message glob 'inbox-*'")
      .all()
      .filter((claim) => !isOneOf(claim, gone))
      .map(({ message }) => message),
  );

const isOneOf = (one: Holder, others: readonly Holder[]): boolean =>
  others.some((other) => other.pid === one.pid && other.born === one.born && other.world === one.world);

/** Records who made the claim of this time; for use inside the transaction that makes it. */
export function recordClaim(store: Store, key: string, claimedAt: string, { holder }: Pick<Claimant, "holder">): void {
  if (holder == null) return dropClaim(store, key);
  store.db
    .query("insert or replace into message_claims (message, claimed_at, world, pid, born) values (?, ?, ?, ?, ?)")
    .run(key, claimedAt, holder.world, holder.pid, holder.born);
}

export const dropClaim = (store: Store, key: string): void => void store.db.query("delete from message_claims where message = ?").run(key);

/** The processes that hold something; few, since an ended claim leaves no row. */
export const holders = (store: Store): Holder[] => store.db.query<Holder, []>("select distinct world, pid, born from message_claims").all();

/** Whether the claim of this time was made by one of these processes. */
export function heldByOneOf(store: Store, key: string, claimedAt: string | null, gone: readonly Holder[]): boolean {
  if (gone.length === 0 || claimedAt === null) return false;
  const row = store.db
    .query<Holder, [string, string]>("select world, pid, born from message_claims where message = ? and claimed_at = ?")
    .get(key, claimedAt);
  return row !== null && isOneOf(row, gone);
}

/** The messages whose claim these processes made. */
export const messagesOf = (store: Store, gone: readonly Holder[]): string[] =>
  gone.flatMap(({ world, pid, born }) =>
    store.db
      .query<{ message: string }, [string, number, string]>("select message from message_claims where world = ? and pid = ? and born = ?")
      .all(world, pid, born)
      .map(({ message }) => message),
  );
