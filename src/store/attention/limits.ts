/** Whether a session is at a limit of its account: its newest turn died of one, and nothing was said to it since. */
import { isPlausible } from "../../core/agent/limits.ts";
import type { Session } from "../../core/sessions/session.ts";
import { turnSign } from "../../core/sessions/worker-state.ts";
import { instant, toIso } from "../../core/time.ts";
import { newestTurnEvent, type TurnEvent, turnEndBefore } from "../observe/codex-events.ts";
import type { Store } from "../store.ts";
import { accountOf, knownWindows } from "./accounts.ts";

/** A turn that died of a limit and is the newest one of its session. */
export interface DeadTurn {
  /** Its end, in `codex_events`. */
  readonly eventId: number;
  readonly since: string;
  /** When the limit is full again; null: nobody told. */
  readonly resets_at: string | null;
}

export interface Limited {
  readonly limited: boolean;
  /** When the limit is full again; null: not limited, or nobody told. */
  readonly resets_at: string | null;
  /** When the turn died of it; null: not limited. */
  readonly since: string | null;
}

/** The newest turn of the session, if it died of a limit; null also while another runs, or after one that ended otherwise. */
export function deadTurn(store: Store, session: Session): DeadTurn | null {
  const turn = newestTurnEvent(store, session.id);
  if (turn?.turn_error?.kind !== "usage_limit") return null;
  const resets = resetOfDead(store, session, turn);
  return { eventId: turn.id, since: toIso(endOf(store, turn).at), resets_at: resets === null ? null : toIso(resets) };
}

/** When a turn ended: a record may claim any time, but when it was read is known. */
function endOf(store: Store, { timestamp, ingested_at }: TurnEvent): { readonly at: number; readonly read: number } {
  const read = instant(ingested_at) ?? Date.parse(store.now());
  return { at: Math.min(instant(timestamp) ?? read, read), read };
}

function resetOfDead(store: Store, session: Session, turn: TurnEvent): number | null {
  const { at, read } = endOf(store, turn);
  const own = instant(turn.turn_error?.resets_at);
  return own !== null && isPlausible(own, read) ? own : spentUntil(store, session, at);
}

/**
 * When a turn began that tries whether a limit is over of which nobody told the end, while it runs: until it has ended nothing else is
 * said. Null: none does.
 */
export function limitTriedSince(store: Store, session: Session): string | null {
  const turn = newestTurnEvent(store, session.id);
  if (turn === null || turn.broken || turnSign(turn) !== "open") return null;
  const before = turnEndBefore(store, session.id, turn.id);
  return before?.turn_error?.kind === "usage_limit" && resetOfDead(store, session, before) === null ? turn.ingested_at : null;
}

/** When the spent windows of its account are full again, as any of its sessions was told; null: nobody was. */
function spentUntil(store: Store, session: Session, since: number): number | null {
  const account = accountOf(store, session);
  if (account === null) return null;
  const spent = knownWindows(store, since, account).filter(
    ({ used_percent, told_at }) => used_percent === 100 && instant(told_at)! >= since,
  );
  const ends = spent.flatMap(({ resets_at }) => instant(resets_at) ?? []);
  return ends.length === 0 ? null : Math.max(...ends);
}

/**
 * Whether the session is at its limit at this time, since when, and until when. Until somebody goes on with it, a session whose limit has
 * no known end stays limited.
 */
export function limitedUntil(store: Store, session: Session, nowMs: number): Limited {
  const dead = deadTurn(store, session);
  if (dead === null || (instant(dead.resets_at) ?? Number.POSITIVE_INFINITY) <= nowMs)
    return { limited: false, resets_at: null, since: null };
  return { limited: true, resets_at: dead.resets_at, since: dead.since };
}

/** Since when the limit is over of which its newest turn died; null: it did not, it is not over, or nobody told when it would be. */
export function limitOverSince(store: Store, session: Session, nowMs: number): string | null {
  const resets = deadTurn(store, session)?.resets_at ?? null;
  return (instant(resets) ?? Number.POSITIVE_INFINITY) <= nowMs ? resets : null;
}
