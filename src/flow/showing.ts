/** Reading by showing: what is shown is claimed first and counts as read once it is written; who dies before, or cannot write, read nothing. */
import type { Context } from "../context.ts";
import type { InboxItem } from "../core/dispatch/notification.ts";
import { readers } from "../store/dispatch/claims.ts";
import { giveBack, type Reader } from "../store/dispatch/inbox.ts";
import { type Store, tx } from "../store/store.ts";
import { isGone, thisHolder } from "../system/processes/holder.ts";

/** This process as one that shows items. What it claims is free again as soon as it is gone. */
export async function thisReader(cx: Context, store: Store): Promise<Reader> {
  const others = readers(store);
  const gone = await Promise.all(others.map((each) => isGone(each, cx.env)));
  return { holder: await thisHolder(cx.env), gone: others.filter((_, index) => gone[index]) };
}

/**
 * Writes what tells of claimed items, then records that it was read, in one transaction. Of a process that dies between the two it is
 * shown again: twice is better than never.
 * @throws what `write` and `keep` throw; the items wait as before then
 */
export function show(store: Store, items: readonly InboxItem[], write: () => void, keep: () => void): void {
  try {
    write();
    tx(store, keep);
  } catch (error) {
    try {
      giveBack(store, items);
    } catch {
      // The reason for both is told; and the claim ends with this process.
    }
    throw error;
  }
}
