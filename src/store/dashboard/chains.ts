/** Chains of what led to what: command → attempts → notification → proof → the cycle that took it up → the decision there. */
import { tellsOf } from "../deliveries.ts";
import type { Store } from "../store.ts";

interface ChainAttempt {
  readonly id: number;
  readonly state: string;
  readonly dispatcher_id: string;
  readonly started_at: string;
  readonly finished_at: string | null;
  readonly error: string | null;
  readonly side_effect_started: number;
  readonly side_effect_completed: number;
}

interface ChainNotification {
  readonly id: number;
  readonly state: string;
  readonly delivery_mode: string;
  readonly signal_type: string;
  readonly source: string;
  readonly target: string;
  readonly created_at: string;
  readonly delivered_at: string | null;
  readonly consumed_at: string | null;
  readonly cycle_id: number | null;
  readonly error: string | null;
  readonly side_effect_started: number;
  readonly side_effect_completed: number;
}

interface ChainDelivery {
  readonly id: string;
  readonly state: string;
  readonly transport: string | null;
  readonly proof: string;
  readonly created_at: string;
  readonly finished_at: string | null;
}

export interface Chain {
  readonly key: string;
  readonly correlation: string | null;
  readonly at: string;
  /** Type of the command, or the signal of a completion. */
  readonly what: string;
  readonly text: string | null;
  readonly command: {
    readonly id: string;
    readonly state: string;
    readonly created_at: string;
    readonly error: string | null;
    readonly permission: string | null;
  } | null;
  readonly attempts: readonly ChainAttempt[];
  readonly notification: ChainNotification | null;
  /** The newest sending of it, when it was sent at all. */
  readonly delivery: ChainDelivery | null;
  readonly cycle: { readonly id: number; readonly state: string; readonly started_at: string } | null;
  readonly decision: { readonly id: number; readonly decision: string; readonly reason: string } | null;
}

const NOTIFICATION = `select n.id, n.state, n.delivery_mode, n.signal_type, f.name as source, s.name as target, n.created_at,
  n.delivered_at, n.consumed_at,
    n.consumed_manager_cycle_id as cycle_id, n.error, n.side_effect_started, n.side_effect_completed, n.correlation_id,
      json_extract(n.payload_json, '$.message') as text
  from routed_notifications n join sessions s on s.id = n.target_session_id join sessions f on f.id = n.source_session_id`;

type NotificationRow = ChainNotification & { readonly correlation_id: string; readonly text: string | null };

interface CommandRow {
  readonly id: string;
  readonly type: string;
  readonly state: string;
  readonly created_at: string;
  readonly error: string | null;
  readonly correlation_id: string | null;
  readonly permission: string | null;
  readonly text: string | null;
  readonly decision_id: number | null;
}

const attemptsOf = (store: Store, commandId: string): ChainAttempt[] =>
  store.db
    .query<ChainAttempt, [string]>(
      `select id, state, dispatcher_id, started_at, finished_at, error, side_effect_started, side_effect_completed
       from command_attempts where command_id = ? order by id`,
    )
    .all(commandId);

const SENT = "select id, state, transport, proof, created_at, finished_at from deliveries d";

/** The newest sending of a notification, else of a command that made none. */
function deliveryOf(store: Store, commandId: string | null, notificationId: number | null): ChainDelivery | null {
  if (notificationId !== null)
    return store.db
      .query<ChainDelivery, [number]>(`${SENT} where ${tellsOf("?1")} order by created_at desc, d.rowid desc limit 1`)
      .get(notificationId);
  if (commandId === null) return null;
  return store.db
    .query<ChainDelivery, [string]>(`${SENT} where command_id = ? order by created_at desc, rowid desc limit 1`)
    .get(commandId);
}

const cycleOf = (store: Store, id: number | null): Chain["cycle"] =>
  id === null
    ? null
    : store.db.query<NonNullable<Chain["cycle"]>, [number]>("select id, state, started_at from manager_cycles where id = ?").get(id);

function decisionOf(store: Store, taskId: string, id: number | null, cycleId: number | null): Chain["decision"] {
  const columns = "select id, decision, reason from manager_decisions";
  if (id !== null)
    return store.db.query<NonNullable<Chain["decision"]>, [number, string]>(`${columns} where id = ? and task_id = ?`).get(id, taskId);
  if (cycleId === null) return null;
  return store.db
    .query<NonNullable<Chain["decision"]>, [string, number]>(`${columns} where task_id = ? and manager_cycle_id = ? order by id limit 1`)
    .get(taskId, cycleId);
}

/** The newest chains of a task, newest first. */
export function chains(store: Store, taskId: string, limit: number): Chain[] {
  const commands = store.db
    .query<CommandRow, [string, number]>(
      `select id, type, state, created_at, error, correlation_id, required_permission as permission,
        coalesce(json_extract(payload_json, '$.message'), json_extract(payload_json, '$.text')) as text,
         coalesce(json_extract(payload_json, '$.manager_decision.decision_id'), json_extract(payload_json,
           '$.manager_decision.decision.id'), json_extract(result_json, '$.manager_decision.decision_id')) as decision_id
       from commands where task_id = ? order by julianday(created_at) desc, rowid desc limit ?`,
    )
    .all(taskId, limit);
  const ofCommand = store.db.query<NotificationRow, [string]>(`${NOTIFICATION} where n.command_id = ? order by n.id desc limit 1`);
  const fromCommands = commands.map((command): Chain => {
    const notification = ofCommand.get(command.id);
    const cycle = cycleOf(store, notification?.cycle_id ?? null);
    const { id, state, created_at, error, permission } = command;
    return {
      key: id,
      correlation: command.correlation_id,
      at: created_at,
      what: command.type,
      text: command.text,
      command: { id, state, created_at, error, permission },
      attempts: attemptsOf(store, id),
      notification,
      delivery: deliveryOf(store, id, notification?.id ?? null),
      cycle,
      decision: decisionOf(store, taskId, command.decision_id, cycle?.id ?? null),
    };
  });
  const alone = store.db
    .query<NotificationRow, [string, number]>(`${NOTIFICATION} where n.task_id = ? and n.command_id is null order by n.id desc limit ?`)
    .all(taskId, limit);
  const fromSignals = alone.map((notification): Chain => {
    const cycle = cycleOf(store, notification.cycle_id);
    return {
      key: `notification-${notification.id}`,
      correlation: notification.correlation_id,
      at: notification.created_at,
      what: notification.signal_type,
      text: notification.text,
      command: null,
      attempts: [],
      notification,
      delivery: deliveryOf(store, null, notification.id),
      cycle,
      decision: decisionOf(store, taskId, null, cycle?.id ?? null),
    };
  });
  return [...fromCommands, ...fromSignals].sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0)).slice(0, limit);
}
