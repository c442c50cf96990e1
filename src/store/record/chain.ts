/**
 * `audit_chains` and `audit_links`: the writing transaction seals every row of the audit; later anybody can see whether one was changed.
 */
import { CHAIN_START, type ChainTable, linkText, sealedText } from "../../core/chain.ts";
import type { Shown } from "../../core/row.ts";
import type { Store } from "../store.ts";

/** Links per chain that the numbering has room for. */
export const CHAIN_ROOM = 2 ** 31;

const sha256 = (text: string): string => new Bun.CryptoHasher("sha256").update(text).digest("hex");

/** The hash of a row as it is sealed. */
export const rowHash = (table: ChainTable, row: Shown): string => sha256(sealedText(table, row));

/** The hash of the link of a row behind the link `before`. */
export const linkHash = (before: string, hash: string): string => sha256(linkText(before, hash));

export interface ChainHead {
  readonly chain: number;
  readonly count: number;
  readonly head: string;
}

/** The end of the task's chain, or null when nothing of it was sealed yet. Rows without a task have a chain of their own. */
export const chainHead = (store: Store, taskId: string | null): ChainHead | null =>
  store.db.query<ChainHead, [string]>("select chain, count, head from audit_chains where task_id = ?").get(taskId ?? "");

/** Seals a row just written. Call it inside the same transaction. */
export function seal(store: Store, table: ChainTable, row: Shown): void {
  const taskId = (row.task_id as string | null) ?? null;
  const end =
    chainHead(store, taskId) ??
    store.db
      .query<ChainHead, [string, string]>("insert into audit_chains (task_id, count, head) values (?, 0, ?) returning chain, count, head")
      .get(taskId ?? "", CHAIN_START)!;
  const hash = linkHash(end.head, rowHash(table, row));
  const id = end.chain * CHAIN_ROOM + end.count + 1;
  const [event, telemetry] = table === "events" ? [row.id as number, null] : [null, row.id as string];
  store.db.query("insert into audit_links (id, event_id, telemetry_id, hash) values (?, ?, ?, ?)").run(id, event, telemetry, hash);
  store.db.query("update audit_chains set count = count + 1, head = ? where chain = ?").run(hash, end.chain);
}
