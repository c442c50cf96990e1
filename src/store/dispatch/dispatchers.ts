/** `dispatchers`: one row for each watch that runs or ran last, so that others can tell who lives without reading telemetry. */
import type { Store } from "../store.ts";
import { tx } from "../store.ts";
import { addTelemetry } from "../record/telemetry.ts";

export interface DispatcherRow {
  readonly dispatcher_id: string;
  readonly host: string;
  readonly pid: number;
  /** When the process was started; null when the system would not say. */
  readonly process_started_at: string | null;
  readonly started_at: string;
  readonly last_seen_at: string;
  /** Set when the watch ended by itself. */
  readonly ended_at: string | null;
  readonly dry_run: number;
  readonly only_type: string | null;
  readonly interval_seconds: number;
  readonly iterations: number;
  readonly processed_count: number;
  readonly last_error: string | null;
}

type NewDispatcher = Pick<
  DispatcherRow,
  "dispatcher_id" | "host" | "pid" | "process_started_at" | "dry_run" | "only_type" | "interval_seconds"
>;

export const listDispatchers = (store: Store): DispatcherRow[] =>
  store.db.query<DispatcherRow, []>("select * from dispatchers order by julianday(last_seen_at) desc, dispatcher_id, pid").all();

/**
 * Records a watch that begins, and forgets `dead` rows of the same dispatcher.
 * @param unlessRunning not when another of this name carries messages already: of two that begin at once one does
 * @returns false when it is not recorded
 */
export function addDispatcher(store: Store, input: NewDispatcher, dead: readonly DispatcherRow[], unlessRunning: boolean): boolean {
  return tx(store, () => {
    const isDead = (row: DispatcherKey): boolean => dead.some((each) => each.host === row.host && each.pid === row.pid);
    const others = listDispatchers(store).filter((row) => row.dispatcher_id === input.dispatcher_id && row.ended_at === null);
    if (unlessRunning && others.some((row) => row.dry_run === 0 && !isDead(row))) return false;
    for (const { dispatcher_id, host, pid } of dead)
      store.db.query("delete from dispatchers where dispatcher_id = ? and host = ? and pid = ?").run(dispatcher_id, host, pid);
    // Those of an earlier process that had this number, and of all that are on record no more.
    for (const { dispatcher_id, host, pid } of [...dead, input])
      store.db.query("delete from dispatch_stops where dispatcher_id = ? and host = ? and pid = ?").run(dispatcher_id, host, pid);
    const now = store.now();
    store.db
      .query(
        `insert or replace into dispatchers (dispatcher_id, host, pid, process_started_at, started_at, last_seen_at, dry_run, only_type, interval_seconds, iterations, processed_count)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0)`,
      )
      .run(
        input.dispatcher_id,
        input.host,
        input.pid,
        input.process_started_at,
        now,
        now,
        input.dry_run,
        input.only_type,
        input.interval_seconds,
      );
    return true;
  });
}

/** Which watch, of those with the same id. */
export type DispatcherKey = Pick<DispatcherRow, "dispatcher_id" | "host" | "pid">;

interface Beat {
  readonly iteration: number;
  readonly processed: number;
  readonly processedTotal: number;
  readonly dryRun: boolean;
  readonly error: string | null;
  /** Telemetry event of an idle pass that this one only moves on, instead of adding to; null: add. */
  readonly moves: string | null;
}

/**
 * Records that a pass was done: the dispatcher's row, and the heartbeat in telemetry. Gives the id of the heartbeat event.
 * An idle watch moves its last heartbeat on: who reads sees it fresh, and the table does not grow.
 */
export function recordBeat(store: Store, key: DispatcherKey, beat: Beat): string {
  return tx(store, () => {
    const now = store.now();
    store.db
      .query(
        `update dispatchers set last_seen_at = ?, iterations = ?, processed_count = ?, last_error = ? where dispatcher_id = ? and host =
            ? and pid = ?`,
      )
      .run(now, beat.iteration, beat.processedTotal, beat.error, key.dispatcher_id, key.host, key.pid);
    if (beat.moves !== null) {
      const moved = store.db
        .query("update telemetry_events set timestamp = ?, correlation_json = json_set(correlation_json, '$.iteration', ?) where id = ?")
        .run(now, beat.iteration, beat.moves);
      if (moved.changes > 0) return beat.moves;
    }
    return addTelemetry(store, {
      type: "dispatch_watch_heartbeat",
      actor: "dispatch",
      taskId: null,
      summary: `dispatcher ${key.dispatcher_id} is watching`,
      correlation: { dispatcher_id: key.dispatcher_id, iteration: beat.iteration },
      attributes: { dry_run: beat.dryRun, processed_count: beat.processed },
    });
  });
}

/** Records that the watch ended by itself. */
export function endDispatcher(
  store: Store,
  key: DispatcherKey,
  { iteration, processedTotal }: Pick<Beat, "iteration" | "processedTotal">,
): void {
  const ended = store.db.query(
    "update dispatchers set ended_at = ?, iterations = ?, processed_count = ? where dispatcher_id = ? and host = ? and pid = ?",
  );
  tx(store, () => void ended.run(store.now(), iteration, processedTotal, key.dispatcher_id, key.host, key.pid));
}

/** Time of the newest heartbeat in telemetry of this dispatcher that was no dry run, among the last 25; null when there is none. */
export const lastHeartbeat = (store: Store, dispatcherId: string): string | null =>
  store.db
    .query<{ timestamp: string }, [string]>(
      `select timestamp from (select timestamp, actor, correlation_json, attributes_json from telemetry_events where event_type = 'dispatch_watch_heartbeat' order by timestamp desc limit 25)
       where actor = 'dispatch' and json_extract(correlation_json, '$.dispatcher_id') = ? and json_extract(attributes_json, '$.dry_run') =
         0 order by julianday(timestamp) desc limit 1`,
    )
    .get(dispatcherId)?.timestamp ?? null;

/** Whether any task is bound. */
export const someBound = (store: Store): boolean =>
  store.db.query("select 1 from bindings where state in ('active', 'ending') limit 1").get() !== null;

/**
 * The end of a watch that is to live only as long as somebody is bound: on record in the transaction that looks, so that whoever binds and
 * then looks for a watch never finds one that is about to end.
 * @returns false when somebody is bound
 */
export const endUnbound = (store: Store, key: DispatcherKey): boolean =>
  tx(store, () => {
    if (someBound(store)) return false;
    const { dispatcher_id, host, pid } = key;
    store.db
      .query("update dispatchers set ended_at = ? where dispatcher_id = ? and host = ? and pid = ?")
      .run(store.now(), dispatcher_id, host, pid);
    return true;
  });

/** Asks a watch to end after the item at hand: it hears of it as of any commit. To ask twice is to ask once. */
export const askToStop = (store: Store, { dispatcher_id, host, pid }: DispatcherKey): void =>
  tx(
    store,
    () =>
      void store.db
        .query("insert or ignore into dispatch_stops (dispatcher_id, host, pid, asked_at) values (?, ?, ?, ?)")
        .run(dispatcher_id, host, pid, store.now()),
  );

export const isAskedToStop = (store: Store, { dispatcher_id, host, pid }: DispatcherKey): boolean =>
  store.db.query("select 1 from dispatch_stops where dispatcher_id = ? and host = ? and pid = ?").get(dispatcher_id, host, pid) !== null;
