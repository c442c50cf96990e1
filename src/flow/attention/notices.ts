/** How the rules of notify went on these records. */
import type { Context } from "../../context.ts";
import { instant } from "../../core/time.ts";
import { type NoticeRow, noticesOf } from "../../store/attention/notices.ts";
import type { Store } from "../../store/store.ts";
import { isGone } from "../../system/processes/holder.ts";

export interface RuleHistory {
  readonly sent: number;
  readonly failed: number;
  /** Whoever carried it out died in it: nobody knows whether it was told, and it is not told again. */
  readonly unknown: number;
  readonly last_at: string | null;
  /** Of the newest notice that failed. */
  readonly last_error: string | null;
}

/** No way to tell takes as long. */
const LONGEST_MS = 60_000;

async function isUnknown(cx: Context, { state, holder, claimed_at }: NoticeRow): Promise<boolean> {
  if (state !== null) return false;
  return holder === null ? cx.nowMs() - (instant(claimed_at) ?? 0) > LONGEST_MS : isGone(holder, cx.env);
}

/** @param scene.store null: there are no records */
export async function historyOf({ cx, store }: { cx: Context; store: Store | null }, rule: string): Promise<RuleHistory> {
  const rows = store === null ? [] : noticesOf(store, rule);
  const unknown = await Promise.all(rows.map((row) => isUnknown(cx, row)));
  return {
    sent: rows.filter(({ state }) => state === "sent").length,
    failed: rows.filter(({ state }) => state === "failed").length,
    unknown: unknown.filter(Boolean).length,
    last_at: rows[0]?.claimed_at ?? null,
    last_error: rows.find(({ state }) => state === "failed")?.error ?? null,
  };
}
