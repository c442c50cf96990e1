/** Ended turns on their way to the manager: events nobody routed yet, and notifications that a dispatcher left behind. */
import { isObject, type JsonObject, parseStored } from "../../core/json.ts";
import type { NotificationRow } from "../../core/dispatch/notification.ts";
import type { Holder } from "../../core/dispatch/holder.ts";
import { COMPLETION } from "../../core/dispatch/queued-command.ts";
import { messageKey } from "./claims.ts";
import type { Claimant } from "./lease.ts";
import { moveMessage, readMessage } from "./message.ts";
import { notificationById } from "./notifications.ts";
import { overdueTurns } from "./recovery.ts";
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
  /** 1: it had ended when its worker was bound. */
  readonly before_binding: number;
}

/** What is not to be routed now. */
interface Except {
  readonly events?: ReadonlySet<number>;
  /** Managers that are being sent to. */
  readonly managers?: readonly string[];
  /** Of these managers alone. */
  readonly only?: readonly string[];
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
    .query<Omit<UnroutedTurn, "payload"> & { payload_json: string }, [string, string, string, number, string | null]>(
      `select e.id as event_id, e.timestamp, e.payload_json, b.id as binding_id, b.task_id, b.worker_session_id, b.manager_session_id,
         coalesce(julianday(e.timestamp) < julianday(b.created_at), 0) as before_binding
       from ${turnsOfBound} and not exists (select 1 from routed_notifications n where n.source_event_id = e.id)
         and e.id not in (select value from json_each(?2)) and b.manager_session_id not in (select value from json_each(?3))
         and (?5 is null or b.manager_session_id in (select value from json_each(?5))) order by e.id limit ?4`,
    )
    .all(
      known(except),
      JSON.stringify([...(except.events ?? [])]),
      JSON.stringify(except.managers ?? []),
      limit,
      except.only ? JSON.stringify(except.only) : null,
    )
    .map(({ payload_json, ...row }) => {
      const payload = parseStored<unknown>(payload_json, {});
      return { ...row, payload: isObject(payload) ? payload : {} };
    });

interface BoundSince {
  readonly worker_session_id: string | null;
  readonly manager_session_id: string | null;
  readonly created_at: string;
}

/**
 * When the turns of a bound worker ended that nobody has told its manager of, the newest first: back to the last one that was told, or that
 * ended before the binding.
 */
export function untoldTurns(store: Store, binding: BoundSince): string[] {
  if (binding.worker_session_id === null || binding.manager_session_id === null) return [];
  const turns = store.db
    .query<{ timestamp: string; over: number }, [string, string]>(
      `select e.timestamp, julianday(e.timestamp) < julianday(?) or exists (select 1 from routed_notifications n
         where n.source_event_id = e.id) as over
       from codex_events e indexed by codex_events_completions
       where e.session_id = ? and e.subtype = 'task_complete' and e.type = 'event_msg' order by e.id desc`,
    )
    .iterate(binding.created_at, binding.worker_session_id);
  const found: string[] = [];
  for (const { timestamp, over } of turns) {
    if (over === 1) break;
    found.push(timestamp);
  }
  return found;
}

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

/** Never begun, not parked, and held by nobody, or by somebody whose lease is over; the oldest first. */
export function waitingTurns(store: Store, gone: readonly Holder[]): Pick<NotificationRow, "id" | "target_session_id">[] {
  const free = store.db
    .query<Pick<NotificationRow, "id" | "target_session_id">, []>(
      `select id, target_session_id from routed_notifications where state = 'pending' and signal_type = '${COMPLETION}' and
        side_effect_started = 0 and claim_expires_at is null`,
    )
    .all();
  const left = overdueTurns(store, gone, false, Number.MAX_SAFE_INTEGER).map(({ notification }) => notification!);
  const parked = store.db.query("select 1 from parked_messages where message = ? and (until is null or julianday(until) > julianday(?))");
  return [...free, ...left]
    .filter(({ id }) => parked.get(messageKey({ commandId: null, notificationId: id }), store.now()) === null)
    .sort((a, b) => a.id - b.id);
}

/** Takes hold of a waiting notification; null when another dispatcher was first. */
export function claimTurn(store: Store, id: number, claimant: Claimant, gone: readonly Holder[]): NotificationRow | null {
  return tx(store, () => {
    const ref = { notificationId: id };
    const seen = readMessage(store, ref);
    if (seen === null) return null;
    const was =
      seen.state === "claimed"
        ? moveMessage(store, ref, "takeOver", { by: "recovery", seen, gone, claimant })
        : moveMessage(store, ref, "claim", { by: "anyone", claimant });
    return was && notificationById(store, id);
  });
}
