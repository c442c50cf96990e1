/** `account_limits`: how much of its limits each account has used, an account being an agent and its home. Credentials are never read. */
import { agentOf } from "../../core/agent/agents.ts";
import type { LimitWindow } from "../../core/agent/limits.ts";
import type { Session } from "../../core/sessions/session.ts";
import { instant, toIso } from "../../core/time.ts";
import { homeOfStart } from "../sessions/agents.ts";
import { type Store, tx } from "../store.ts";

export interface Account {
  readonly agent: string;
  readonly home: string;
}

/** A window as it was told last. */
export interface KnownWindow extends Account, Omit<LimitWindow, "used_percent"> {
  /** Null: it was full again since, and what was used after that nobody told. */
  readonly used_percent: number | null;
  readonly told_at: string;
  /** Who told it. */
  readonly session_id: string;
}

/** The account that a session works with: where its transcript lies tells, else the home it was started with. Null: neither is known. */
export function accountOf(store: Store, session: Session): Account | null {
  const path = session.codex_session_path;
  const home = (path && agentOf(session).transcript.homeOf(path)) || homeOfStart(store, session.id);
  return home === null ? null : { agent: session.agent, home };
}

/**
 * Puts on record what a session was told of its account's limits; what was told later before stays.
 * @param toldAt when, as written there; a time that is yet to come is taken for now
 */
export function noteLimits(store: Store, session: Session, windows: readonly LimitWindow[], toldAt: string): void {
  if (windows.length === 0) return;
  const account = accountOf(store, session);
  if (account === null) return;
  const now = Date.parse(store.now());
  const told = toIso(Math.min(instant(toldAt) ?? now, now));
  tx(store, () => {
    const note = store.db.query(
      `insert into account_limits (agent, home, limit_id, window, used_percent, window_minutes, resets_at, told_at, session_id)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?)
       on conflict do update set used_percent = excluded.used_percent, window_minutes = coalesce(excluded.window_minutes, window_minutes),
         resets_at = excluded.resets_at, told_at = excluded.told_at, session_id = excluded.session_id
         where julianday(excluded.told_at) >= julianday(told_at)`,
    );
    for (const { limit_id, window, used_percent, window_minutes, resets_at } of windows)
      note.run(account.agent, account.home, limit_id, window, used_percent, window_minutes, resets_at, told, session.id);
  });
}

/** What is known of the limits of one account, or of all; a window whose reset has passed is unknown again. */
export const knownWindows = (store: Store, nowMs: number, account: Account | null = null): KnownWindow[] =>
  store.db
    .query<KnownWindow, [string | null, string | null]>(
      `select * from account_limits where ?1 is null or (agent = ?1 and home = ?2) order by agent, home, limit_id, window`,
    )
    .all(account?.agent ?? null, account?.home ?? null)
    .map((row) => ((instant(row.resets_at) ?? Number.POSITIVE_INFINITY) > nowMs ? row : { ...row, used_percent: null, resets_at: null }));
