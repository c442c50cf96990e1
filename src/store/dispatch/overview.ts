/** What lies before Dispatch and what it left uncertain, read without changing anything. */
import { COMMAND_TYPES } from "../../core/dispatch/queued-command.ts";
import { tellsOf } from "../deliveries.ts";
import { unroutedTurns } from "./completions.ts";
import type { Store } from "../store.ts";

const TYPES = COMMAND_TYPES.map((type) => `'${type}'`).join(", ");

interface Queue {
  readonly type: string;
  readonly count: number;
  readonly oldest_created_at: string;
}

/** Commands that wait, by type. */
export const waitingCommands = (store: Store): Queue[] =>
  store.db
    .query<Queue, []>(
      `select type, count(*) as count, min(created_at) as oldest_created_at from commands where state = 'pending' and attempts <
        max_attempts and type in (${TYPES}) group by type order by type`,
    )
    .all();

/** Something that a dispatcher holds. */
interface Held {
  readonly command_id: string | null;
  readonly notification_id: number | null;
  readonly type: string;
  readonly task: string | null;
  readonly claimed_by: string | null;
  readonly claim_expires_at: string | null;
  readonly side_effect_started: number;
}

/** Claimed commands and completions that are not settled. */
export const heldWork = (store: Store): Held[] =>
  store.db
    .query<Held, []>(
      `select c.id as command_id, n.id as notification_id, c.type, t.name as task, c.claimed_by, c.claim_expires_at,
              coalesce((select max(a.side_effect_started) from command_attempts a where a.command_id = c.id and a.state = 'running'), 0)
                as side_effect_started
       from commands c left join tasks t on t.id = c.task_id left join routed_notifications n on n.command_id = c.id and n.state = 'pending'
       where c.state = 'attempted' and c.type in (${TYPES})
       union all
       select null, n.id, n.signal_type, t.name, n.claimed_by, n.claim_expires_at, n.side_effect_started
       from routed_notifications n join tasks t on t.id = n.task_id where n.state = 'pending' and n.command_id is null
         and n.claimed_by is not null order by 6`,
    )
    .all();

interface WaitingTurns {
  readonly target_session: string;
  readonly count: number;
  readonly oldest_created_at: string;
}

/** Ended turns that nobody holds, by whom they are for: it works, or could not be told yet. What is parked is not among them. */
export const waitingTurns = (store: Store): WaitingTurns[] =>
  store.db
    .query<WaitingTurns, []>(
      `select s.name as target_session, count(*) as count, min(n.created_at) as oldest_created_at
       from routed_notifications n join sessions s on s.id = n.target_session_id
       where n.state = 'pending' and n.command_id is null and n.claimed_by is null
         and not exists (select 1 from parked_messages p where p.message = 'notification-' || n.id) group by s.id order by s.name`,
    )
    .all();

/** A message that may or may not have arrived: begun, never proven. */
interface Uncertain {
  readonly notification_id: number;
  readonly command_id: string | null;
  readonly correlation_id: string;
  readonly signal_type: string;
  readonly task: string;
  readonly target_session: string;
  readonly created_at: string;
  readonly error: string | null;
}

/** Failed after it was begun, and not proven since by a later look into the rollout. */
const begun = `n.state = 'failed' and n.side_effect_started = 1 and n.side_effect_completed = 0
  and not exists (select 1 from deliveries d where ${tellsOf("n.id")} and d.state = 'delivered')`;

/** The newest uncertain messages first, at most `limit`. */
export const uncertainMessages = (store: Store, limit: number): Uncertain[] =>
  store.db
    .query<Uncertain, [number]>(
      `select n.id as notification_id, n.command_id, n.correlation_id, n.signal_type, t.name as task, s.name as target_session, n.created_at, n.error
       from routed_notifications n join tasks t on t.id = n.task_id join sessions s on s.id = n.target_session_id where ${begun} order by
         n.id desc limit ?`,
    )
    .all(limit);

export const countUncertain = (store: Store): number =>
  store.db.query<{ count: number }, []>(`select count(*) as count from routed_notifications n where ${begun}`).get()!.count;

/** How many ended turns of bound workers nobody routed yet. */
export const countUnrouted = (store: Store): number => unroutedTurns(store, -1).length;
