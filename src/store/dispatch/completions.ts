/** Ended turns on their way to the manager: events nobody routed yet, and notifications that a dispatcher left behind. */
import { isObject, type JsonObject, parseStored } from "../../core/json.ts";
import type { NotificationRow } from "../../core/dispatch/notification.ts";
import { type Claimant, leaseEnd } from "./lease.ts";
import { type Store, tx } from "../store.ts";

/** An ended turn of a bound worker that no notification stands for. */
export interface UnroutedTurn {
  readonly event_id: number;
  readonly timestamp: string;
  readonly payload: JsonObject;
  readonly binding_id: string;
  readonly task_id: string;
  readonly worker_session_id: string;
  readonly manager_session_id: string;
}

/** What is not to be routed now. */
export interface Except {
  readonly events?: ReadonlySet<number>;
  /** Managers that are being sent to. */
  readonly managers?: readonly string[];
  /** By worker session: the last event up to which every turn is known to be routed. */
  readonly routedTo?: ReadonlyMap<string, number>;
}

/** Open bindings by their own index, since ended ones pile up; then each worker's turns, without those that are known to be routed. */
const turnsOfBound = `bindings b indexed by one_active_binding_per_worker_session
  left join json_each(?1) known on known.key = b.worker_session_id
  cross join codex_events e indexed by codex_events_completions on e.session_id = b.worker_session_id and e.subtype = 'task_complete' and
    e.id > coalesce(known.value, 0)
  where b.state in ('active', 'ending') and b.worker_session_id is not null and b.manager_session_id is not null and e.type = 'event_msg'`;

const known = ({ routedTo }: Except): string => JSON.stringify(Object.fromEntries(routedTo ?? []));

/** Unrouted turns of all bound workers, the oldest event first. */
export const unroutedTurns = (store: Store, limit: number, except: Except = {}): UnroutedTurn[] =>
  store.db
    .query<Omit<UnroutedTurn, "payload"> & { payload_json: string }, [string, string, string, number]>(
      `select e.id as event_id, e.timestamp, e.payload_json, b.id as binding_id, b.task_id, b.worker_session_id, b.manager_session_id
       from ${turnsOfBound} and not exists (select 1 from routed_notifications n where n.source_event_id = e.id)
         and e.id not in (select value from json_each(?2)) and b.manager_session_id not in (select value from json_each(?3)) order by e.id
           limit ?4`,
    )
    .all(known(except), JSON.stringify([...(except.events ?? [])]), JSON.stringify(except.managers ?? []), limit)
    .map(({ payload_json, ...row }) => {
      const payload = parseStored<unknown>(payload_json, {});
      return { ...row, payload: isObject(payload) ? payload : {} };
    });

/** The last turn of each bound worker. */
const lastTurns = (store: Store, except: Except): Map<string, number> =>
  new Map(
    store.db
      .query<{ session: string; last: number }, [string]>(
        `select b.worker_session_id as session, max(e.id) as last from ${turnsOfBound} group by b.worker_session_id`,
      )
      .all(known(except))
      .map(({ session, last }) => [session, last]),
  );

/**
 * Null when a turn waits to be routed; else the last turn of each bound worker: nothing up to there will ever be unrouted again.
 * Both come from one snapshot, so that a turn or a binding that is new in between is not passed over.
 */
export const allRouted = (store: Store, except: Except): Map<string, number> | null =>
  store.db.transaction(() => (unroutedTurns(store, 1, except).length > 0 ? null : lastTurns(store, except))).deferred();

const pendingTurns = "state = 'pending' and signal_type = 'worker_task_complete'";
const leaseOver = "claim_expires_at is not null and julianday(claim_expires_at) <= julianday(?)";
const free = `side_effect_started = 0 and (claim_expires_at is null or ${leaseOver})`;
const abandoned = `side_effect_started = 1 and ${leaseOver}`;

/** Begun by a dispatcher whose lease has ended: they may have arrived. */
export const abandonedTurns = (store: Store, limit: number): NotificationRow[] =>
  store.db
    .query<NotificationRow, [string, number]>(
      `select * from routed_notifications where ${pendingTurns} and ${abandoned} order by id limit ?`,
    )
    .all(store.now(), limit);

/** Never begun and held by nobody. */
export const waitingTurns = (store: Store): Pick<NotificationRow, "id" | "target_session_id">[] =>
  store.db
    .query<Pick<NotificationRow, "id" | "target_session_id">, [string]>(
      `select id, target_session_id from routed_notifications where ${pendingTurns} and ${free} order by id`,
    )
    .all(store.now());

/** The notification, if it is abandoned still; for use inside the transaction that settles it. */
export const stillAbandoned = (store: Store, id: number): NotificationRow | null =>
  store.db
    .query<NotificationRow, [number, string]>(
      `select * from routed_notifications where id = ?1 and ${pendingTurns} and ${abandoned.replace("?", "?2")}`,
    )
    .get(id, store.now());

/** Takes hold of a waiting notification; null when another dispatcher was first. */
export function claimTurn(store: Store, id: number, claimant: Claimant): NotificationRow | null {
  return tx(store, () => {
    const now = store.now();
    const { changes } = store.db
      .query(
        `update routed_notifications set claimed_by = ?2, claimed_at = ?3, claim_expires_at = ?4 where id = ?1 and ${pendingTurns} and
          ${free.replace("?", "?3")}`,
      )
      .run(id, claimant.dispatcherId, now, leaseEnd(store, claimant));
    return changes === 0 ? null : store.db.query<NotificationRow, [number]>("select * from routed_notifications where id = ?").get(id);
  });
}

const held = "id = ? and state = 'pending' and claimed_by = ? and claimed_at = ?";

/** Whether the notification is still held by the claim under which this row was read. */
export const turnStands = (store: Store, row: NotificationRow): boolean =>
  store.db.query(`select 1 from routed_notifications where ${held}`).get(row.id, row.claimed_by, row.claimed_at) !== null;

/** Prolongs the hold; false when it was lost. */
export function extendTurn(store: Store, row: NotificationRow, claimant: Claimant): boolean {
  return tx(
    store,
    () =>
      store.db
        .query(`update routed_notifications set claim_expires_at = ? where ${held}`)
        .run(leaseEnd(store, claimant), row.id, row.claimed_by, row.claimed_at).changes > 0,
  );
}

/** Lets go of a notification that could not be sent and was not begun, so that the next pass tries it again. */
export function releaseTurn(store: Store, row: NotificationRow): void {
  tx(store, () => {
    store.db
      .query(
        `update routed_notifications set claimed_by = null, claimed_at = null, claim_expires_at = null, side_effect_started = 0 where
          ${held}`,
      )
      .run(row.id, row.claimed_by, row.claimed_at);
  });
}
