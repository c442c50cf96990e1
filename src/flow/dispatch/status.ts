/** Who dispatches, and what lies before them. */
import type { Context } from "../../context.ts";
import { ageSeconds, toIso } from "../../core/time.ts";
import { countAllParked, nextRelease } from "../../store/attention/parked.ts";
import {
  countUncertain,
  countUnrouted,
  heldWork,
  uncertainMessages,
  waitingCommands,
  waitingTurns,
} from "../../store/dispatch/overview.ts";
import type { Store } from "../../store/store.ts";
import { dispatchers } from "../reach/dispatchers.ts";

const SHOWN = 20;

/** The state of Dispatch as records; nothing is changed. */
export async function dispatchStatus(cx: Context, store: Store) {
  const now = cx.nowMs();
  const watches = (await dispatchers(cx, store)).map(({ alive, dry_run, ...row }) => ({
    ...row,
    alive,
    dry_run: dry_run === 1,
    state: alive ? ("watching" as const) : row.ended_at === null ? ("died" as const) : ("ended" as const),
    last_seen_seconds_ago: ageSeconds(row.last_seen_at, now),
  }));
  const waiting = waitingCommands(store).map((queue) => ({ ...queue, oldest_age_seconds: ageSeconds(queue.oldest_created_at, now) }));
  const claimed = heldWork(store).map(({ side_effect_started, ...held }) => ({
    ...held,
    side_effect_started: side_effect_started === 1,
    lease_over: held.claim_expires_at === null || Date.parse(held.claim_expires_at) <= now,
  }));
  const held = waitingTurns(store).map((turns) => ({ ...turns, oldest_age_seconds: ageSeconds(turns.oldest_created_at, now) }));
  const next = nextRelease(store);
  return {
    dispatchers: watches,
    pending: { commands: waiting.reduce((sum, { count }) => sum + count, 0), by_type: waiting, unrouted_turns: countUnrouted(store) },
    waiting: held,
    parked: { count: countAllParked(store), next_at: next === null ? null : toIso(next) },
    claimed,
    uncertain: { count: countUncertain(store), newest: uncertainMessages(store, SHOWN) },
  };
}
