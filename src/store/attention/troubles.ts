/** Messages and commands of a task that are in trouble. Indexed lookups only. */
import type { Trouble } from "../../core/attention/situation.ts";
import type { Store } from "../store.ts";

/** Routed messages and, of this task, those sent by hand: begun, and never proven. */
export const uncertainOf = (store: Store, taskId: string): Trouble[] =>
  store.db
    .query<Trouble, [string]>(
      `select * from (select 'notification:' || n.id as id, n.signal_type || ' to ' || s.name as what, n.state, n.created_at as at, n.error
       from routed_notifications n join sessions s on s.id = n.target_session_id
       where n.task_id = ?1 and n.state = 'failed' and n.side_effect_started = 1 and n.side_effect_completed = 0
         and not exists (select 1 from routed_notifications later where later.task_id = n.task_id and later.id > n.id and
           later.target_session_id = n.target_session_id and later.state = 'delivered')
       order by n.id desc limit 5)
       union all
       select * from (select 'delivery:' || d.id, d.origin || ' to ' || d.session_name, d.state, d.created_at, d.error from deliveries d
       where d.task_id = ?1 and d.notification_id is null and d.state = 'unknown'
         and not exists (select 1 from deliveries later where later.task_id = d.task_id and later.created_at > d.created_at and
           later.session_name = d.session_name and later.state = 'delivered')
       order by d.created_at desc limit 5)`,
    )
    .all(taskId);

/** The same of all that was sent to one session, for whichever task. */
export const uncertainTo = (store: Store, sessionId: string): Trouble[] =>
  store.db
    .query<Trouble, [string]>(
      `select 'notification:' || n.id as id, n.signal_type || ' to ' || s.name as what, n.state, n.created_at as at, n.error
       from routed_notifications n join sessions s on s.id = n.target_session_id
       where n.target_session_id = ?1 and n.consumed_at is null and n.state = 'failed' and n.side_effect_started = 1 and
         n.side_effect_completed = 0 and not exists (select 1 from routed_notifications later where later.id > n.id and
           later.target_session_id = n.target_session_id and later.state = 'delivered')
       union all
       select 'delivery:' || d.id, d.origin || ' to ' || d.session_name, d.state, d.created_at, d.error from deliveries d
       where d.session_id = ?1 and d.notification_id is null and d.state = 'unknown'
         and not exists (select 1 from deliveries later where later.session_id = d.session_id and later.created_at > d.created_at and
           later.state = 'delivered')`,
    )
    .all(sessionId);

/** Queued commands that failed or were blocked behind everybody's back, with nothing of their kind done since. */
export const failedOf = (store: Store, taskId: string): Trouble[] =>
  store.db
    .query<Trouble, [string]>(
      `select 'command:' || c.id as id, c.type as what, c.state, c.updated_at as at, c.error from commands c
       where c.task_id = ? and c.state in ('failed', 'blocked') and c.type in ('notify_manager', 'nudge_worker', 'continue_iteration')
         and not exists (select 1 from commands later where later.task_id = c.task_id and later.state = 'succeeded' and later.type =
           c.type and later.created_at > c.created_at)
         and not exists (select 1 from routed_notifications n where n.command_id = c.id and n.side_effect_started = 1 and
           n.side_effect_completed = 0)
       order by c.created_at desc limit 5`,
    )
    .all(taskId);
