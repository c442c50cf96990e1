/** What the dashboard shows of every task at a glance: who works on it, how it stands, what happened last. Indexed lookups only. */
import { CRITERION_STATUSES, type CriteriaSummary } from "../../core/tasks/criteria.ts";
import type { DeliveryState } from "../../core/delivery/delivery.ts";
import type { NotificationState } from "../../core/dispatch/notification.ts";
import type { Task } from "../../core/tasks/task.ts";
import { instant } from "../../core/time.ts";
import { tellsOf } from "../deliveries.ts";
import { activeTasks, type TaskFacts, taskFacts } from "../attention/tasks.ts";
import { taskById } from "../tasks/tasks.ts";
import type { Store } from "../store.ts";

export interface LastDelivery {
  readonly id: string;
  /** What it was: a signal, or the command that sent it. */
  readonly signal_type: string;
  /** Of a notification or, for what was sent by hand, of a delivery. */
  readonly state: NotificationState | DeliveryState;
  readonly delivery_mode: string;
  readonly target: string;
  readonly created_at: string;
  readonly delivered_at: string | null;
  readonly consumed_at: string | null;
  readonly side_effect_started: number;
  readonly side_effect_completed: number;
  readonly error: string | null;
  /** `seen`, `pending`, `unavailable`, or null when nothing was noted. */
  readonly proof: string | null;
}

/** With what the page shows beside what needs a person. */
export interface ShownTask extends TaskFacts {
  readonly criteria: CriteriaSummary;
  readonly delivery: LastDelivery | null;
  readonly cycle: { readonly id: number; readonly state: string; readonly started_at: string; readonly error: string | null } | null;
  readonly decision: { readonly decision: string; readonly reason: string; readonly created_at: string } | null;
}

function criteriaOf(store: Store, taskId: string): CriteriaSummary {
  const counts = new Map(
    store.db
      .query<{ status: string; n: number }, [string]>(
        "select status, count(*) as n from acceptance_criteria where task_id = ? group by status",
      )
      .all(taskId)
      .map((row) => [row.status, row.n]),
  );
  return Object.fromEntries(CRITERION_STATUSES.map((status) => [status, counts.get(status) ?? 0])) as CriteriaSummary;
}

/** The newest of what was routed to a session and what was sent by hand. */
function deliveryOf(store: Store, taskId: string): LastDelivery | null {
  const routed = store.db
    .query<LastDelivery, [string]>(
      `select 'notification:' || n.id as id, n.signal_type, n.state, n.delivery_mode, s.name as target, n.created_at, n.delivered_at,
         n.consumed_at, n.side_effect_started, n.side_effect_completed, n.error,
         (select d.proof from deliveries d where ${tellsOf("n.id")} order by d.created_at desc limit 1) as proof
       from routed_notifications n join sessions s on s.id = n.target_session_id where n.task_id = ? order by n.id desc limit 1`,
    )
    .get(taskId);
  const sent = store.db
    .query<LastDelivery, [string]>(
      `select id, origin as signal_type, state, coalesce(transport, 'push') as delivery_mode, session_name as target, created_at,
         finished_at as delivered_at, null as consumed_at, side_effect_started, side_effect_completed, error, proof
       from deliveries where task_id = ? and notification_id is null order by created_at desc, rowid desc limit 1`,
    )
    .get(taskId);
  if (routed === null || sent === null) return routed ?? sent;
  return (instant(sent.created_at) ?? 0) > (instant(routed.created_at) ?? 0) ? sent : routed;
}

function shownOf(store: Store, facts: TaskFacts): ShownTask {
  const { db } = store;
  const { id } = facts.task;
  return {
    ...facts,
    criteria: criteriaOf(store, id),
    delivery: deliveryOf(store, id),
    cycle: db
      .query<NonNullable<ShownTask["cycle"]>, [string]>(
        "select id, state, started_at, error from manager_cycles where task_id = ? order by started_at desc, id desc limit 1",
      )
      .get(id),
    decision: db
      .query<NonNullable<ShownTask["decision"]>, [string]>(
        "select decision, reason, created_at from manager_decisions where task_id = ? order by id desc limit 1",
      )
      .get(id),
  };
}

/** One task, or null when there is none of this id. */
export function shownTask(store: Store, taskId: string): ShownTask | null {
  const task = taskById(store, taskId);
  return task && shownOf(store, taskFacts(store, task));
}

/** Every task that is still worked on, newest first. */
export const shownTasks = (store: Store): ShownTask[] => activeTasks(store).map((task) => shownOf(store, taskFacts(store, task)));

/** Tasks that are over, the last ended first, and how many there are in all. */
export function endedTasks(store: Store, limit: number): { tasks: Task[]; total: number } {
  const tasks = store.db
    .query<Task, [number]>("select * from tasks where state in ('done', 'failed') order by julianday(updated_at) desc, rowid desc limit ?")
    .all(limit);
  return { tasks, total: store.db.query<{ n: number }, []>("select count(*) as n from tasks where state in ('done', 'failed')").get()!.n };
}
