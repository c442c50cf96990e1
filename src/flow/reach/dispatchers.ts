/** Which dispatchers live: told by process and start time where the process can be seen, else by how fresh their mark is. */
import type { Context } from "../../context.ts";
import { instant } from "../../core/time.ts";
import { type DispatcherRow, lastHeartbeat, listDispatchers } from "../../store/dispatch/dispatchers.ts";
import type { Store } from "../../store/store.ts";
import { alive, isSameStart } from "../../system/processes/processes.ts";
import { thisHost } from "../../system/processes/this-process.ts";

const FRESH_MS = 10_000;
const SAME_BEAT_MS = 1000;

export interface Dispatcher extends DispatcherRow {
  readonly alive: boolean;
}

async function lives(cx: Context, row: DispatcherRow): Promise<boolean> {
  if (row.ended_at !== null) return false;
  const seen = instant(row.last_seen_at) ?? 0;
  if (row.host !== thisHost()) return cx.nowMs() - seen <= Math.max(FRESH_MS, 3000 * row.interval_seconds);
  if (!alive(row.pid)) return false;
  return row.process_started_at === null || (await isSameStart(row.pid, row.process_started_at, cx.env)) !== false;
}

/** All watches on record, the last seen first. */
export async function dispatchers(cx: Context, store: Store): Promise<Dispatcher[]> {
  return Promise.all(listDispatchers(store).map(async (row) => ({ ...row, alive: await lives(cx, row) })));
}

/** Rows of this dispatcher whose process is gone. */
export async function deadRows(cx: Context, store: Store, dispatcherId: string): Promise<DispatcherRow[]> {
  return (await dispatchers(cx, store)).filter((row) => row.dispatcher_id === dispatcherId && !row.alive);
}

/**
 * Whether a dispatcher of this id lives that is no dry run. One that keeps no row (another version of the tool on the same file)
 * lives while its newest heartbeat in telemetry is at most 10 s old.
 */
export async function isDispatching(cx: Context, store: Store, dispatcherId: string): Promise<boolean> {
  const mine = (await dispatchers(cx, store)).filter((row) => row.dispatcher_id === dispatcherId && row.dry_run === 0);
  if (mine.some((row) => row.alive)) return true;
  const heartbeat = instant(lastHeartbeat(store, dispatcherId));
  if (heartbeat === null || cx.nowMs() - heartbeat > FRESH_MS) return false;
  // Row and heartbeat are written together: what is younger than the row came from elsewhere.
  return !mine.some((row) => (instant(row.last_seen_at) ?? 0) >= heartbeat - SAME_BEAT_MS);
}
