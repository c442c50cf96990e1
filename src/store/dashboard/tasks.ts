/** What the dashboard shows of every task at a glance: who works on it, how it stands, what happened last. Indexed lookups only. */
import type { SideAsk, Trouble } from "../../core/dashboard/attention.ts";
import { CRITERION_STATUSES, type CriteriaSummary } from "../../core/tasks/criteria.ts";
import type { DeliveryState } from "../../core/delivery/delivery.ts";
import type { NotificationState } from "../../core/dispatch/notification.ts";
import type { Session } from "../../core/sessions/session.ts";
import { ACTIVE_TASK_STATES, type Task } from "../../core/tasks/task.ts";
import { instant } from "../../core/time.ts";
import { openAsks } from "../asks.ts";
import { newestTurnEvent, type TurnEvent } from "../observe/codex-events.ts";
import { type Binding, openBinding } from "../sessions/bindings.ts";
import { sessionById } from "../sessions/sessions.ts";
import { type Store, tx } from "../store.ts";

/** One side of a task's pair as recorded. */
export interface Side {
  readonly session: Session;
  /** The newest record that tells how its turn stands. */
  readonly turn: TurnEvent | null;
  /** Messages in its inbox that nobody has taken. */
  readonly waiting: number;
  /** What it asks by its agent's protocol. */
  readonly asks: readonly SideAsk[];
}

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

export interface TaskFacts {
  readonly task: Task;
  readonly bindingId: string | null;
  readonly worker: Side | null;
  readonly manager: Side | null;
  readonly criteria: CriteriaSummary;
  readonly delivery: LastDelivery | null;
  /** Messages that may or may not have arrived. */
  readonly uncertain: readonly Trouble[];
  /** Queued commands that failed or were blocked behind everybody's back, with nothing of their kind done since. */
  readonly failed: readonly Trouble[];
  /** Commands that wait for Dispatch. */
  readonly queued: number;
  readonly cycle: { readonly id: number; readonly state: string; readonly started_at: string; readonly error: string | null } | null;
  readonly decision: { readonly decision: string; readonly reason: string; readonly created_at: string } | null;
  readonly dismissed: readonly string[];
}

function sideOf(store: Store, sessionId: string | null): Side | null {
  const session = sessionId === null ? null : sessionById(store, sessionId);
  if (!session) return null;
  const waiting = store.db
    .query<{ n: number }, [string]>(
      "select count(*) as n from routed_notifications where target_session_id = ? and state = 'delivered' and consumed_at is null",
    )
    .get(session.id)!.n;
  const asks = openAsks(store, session.id).map(({ id, question, command, choices, takes_text, asked_at }) => ({
    id,
    question,
    command,
    choices,
    takes_text,
    asked_at,
  }));
  return { session, turn: newestTurnEvent(store, session.id), waiting, asks };
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
         (select d.proof from deliveries d where d.notification_id = n.id order by d.created_at desc limit 1) as proof
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

/** Routed messages and, of this task, those sent by hand: begun, and never proven. */
const uncertainOf = (store: Store, taskId: string): Trouble[] =>
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

const failedOf = (store: Store, taskId: string): Trouble[] =>
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

const isOver = ({ state }: Task): boolean => state === "done" || state === "failed";

const lastBinding = (store: Store, taskId: string): Binding | null =>
  store.db.query<Binding, [string]>("select * from bindings where task_id = ? order by created_at desc, rowid desc limit 1").get(taskId);

function factsOf(store: Store, task: Task): TaskFacts {
  const { db } = store;
  const binding = openBinding(store, task.id);
  // A task that is over shows who worked on it last.
  const shown = binding ?? (isOver(task) ? lastBinding(store, task.id) : null);
  return {
    task,
    bindingId: binding?.id ?? null,
    worker: sideOf(store, shown?.worker_session_id ?? null),
    manager: sideOf(store, shown?.manager_session_id ?? null),
    criteria: criteriaOf(store, task.id),
    delivery: deliveryOf(store, task.id),
    uncertain: uncertainOf(store, task.id),
    failed: failedOf(store, task.id),
    queued: db.query<{ n: number }, [string]>("select count(*) as n from commands where task_id = ? and state = 'pending'").get(task.id)!.n,
    cycle: db
      .query<NonNullable<TaskFacts["cycle"]>, [string]>(
        "select id, state, started_at, error from manager_cycles where task_id = ? order by started_at desc, id desc limit 1",
      )
      .get(task.id),
    decision: db
      .query<NonNullable<TaskFacts["decision"]>, [string]>(
        "select decision, reason, created_at from manager_decisions where task_id = ? order by id desc limit 1",
      )
      .get(task.id),
    dismissed: db
      .query<{ item: string }, [string]>("select item from dashboard_dismissals where task_id = ?")
      .all(task.id)
      .map((row) => row.item),
  };
}

/** The facts of one task, or null when there is none of this id. */
export function taskFacts(store: Store, taskId: string): TaskFacts | null {
  const task = store.db.query<Task, [string]>("select * from tasks where id = ?").get(taskId);
  return task && factsOf(store, task);
}

/** Every task that is still worked on, newest first. */
export const activeTaskFacts = (store: Store): TaskFacts[] =>
  store.db
    .query<Task, [string]>(
      "select * from tasks where state in (select value from json_each(?)) order by julianday(created_at) desc, rowid desc",
    )
    .all(JSON.stringify(ACTIVE_TASK_STATES))
    .map((task) => factsOf(store, task));

/** Tasks that are over, the last ended first, and how many there are in all. */
export function endedTasks(store: Store, limit: number): { tasks: Task[]; total: number } {
  const tasks = store.db
    .query<Task, [number]>("select * from tasks where state in ('done', 'failed') order by julianday(updated_at) desc, rowid desc limit ?")
    .all(limit);
  return { tasks, total: store.db.query<{ n: number }, []>("select count(*) as n from tasks where state in ('done', 'failed')").get()!.n };
}

/** Takes an item off the list of what waits, once a person has looked at it; again is no error. Gives whether it was still on it. */
export const dismiss = (store: Store, taskId: string, item: string): boolean =>
  tx(
    store,
    () =>
      store.db
        .query("insert or ignore into dashboard_dismissals (task_id, item, dismissed_at) values (?, ?, ?)")
        .run(taskId, item, store.now()).changes > 0,
  );
