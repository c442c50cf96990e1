/** What belongs together over the tables: commands, their attempts and notifications, decisions and cycles. */
import { type Chain, type CommandChain, decisionNote, type NotificationChain, notedDecisionId } from "../../core/audit/correlation.ts";
import { parseStored } from "../../core/json.ts";
import { rows } from "../reading.ts";
import type { Store } from "../store.ts";

interface CommandRow {
  readonly id: string;
  readonly task_id: string;
  readonly type: string;
  readonly state: string;
  readonly correlation_id: string | null;
  readonly created_at: string;
  readonly payload_json: string;
  readonly result_json: string | null;
}

interface Notification {
  readonly id: number;
  readonly task_id: string;
  readonly signal_type: string;
  readonly state: string;
  readonly correlation_id: string;
  readonly created_at: string;
  readonly consumed_manager_cycle_id: number | null;
  readonly source_event_id: number | null;
}

/** The chain that begins with this command; null when nothing is tied to it. */
export function commandChain(store: Store, commandId: string): CommandChain | null {
  const { db } = store;
  const command = db.query<CommandRow, [string]>("select * from commands where id = ?").get(commandId)!;
  const attempts = db
    .query<{ id: number }, [string]>("select id from command_attempts where command_id = ? order by julianday(started_at), id")
    .all(commandId);
  const notifications = db
    .query<{ id: number; cycle: number | null }, [string, string]>(
      `select id, consumed_manager_cycle_id as cycle from routed_notifications where command_id = ? and task_id = ? order by
          julianday(created_at), id`,
    )
    .all(commandId, command.task_id);
  const noted = notedDecisionId(decisionNote(parseStored(command.payload_json, null), parseStored(command.result_json, null)));
  const decision =
    noted === null
      ? null
      : db
          .query<{ id: number; cycle: number | null }, [number, string]>(
            "select id, manager_cycle_id as cycle from manager_decisions where id = ? and task_id = ?",
          )
          .get(noted, command.task_id);
  if (decision === null && attempts.length === 0 && notifications.length === 0 && command.correlation_id === null) return null;
  const decisionCycle = decision?.cycle ?? null;
  return {
    attempt_ids: attempts.map(({ id }) => id),
    command_id: command.id,
    command_state: command.state,
    command_type: command.type,
    correlation_id: command.correlation_id,
    created_at: command.created_at,
    manager_cycle_id: notifications.find(({ cycle }) => cycle !== null)?.cycle ?? decisionCycle,
    manager_decision_cycle_id: decisionCycle,
    manager_decision_id: decision?.id ?? null,
    routed_notification_ids: notifications.map(({ id }) => id),
  };
}

/** The chain of a notification that no command asked for. */
export function notificationChain(store: Store, id: number): NotificationChain {
  const { db } = store;
  const row = db.query<Notification, [number]>("select * from routed_notifications where id = ?").get(id)!;
  const cycle = row.consumed_manager_cycle_id;
  const decision =
    cycle === null
      ? null
      : db
          .query<{ id: number }, [number, string]>(
            "select id from manager_decisions where manager_cycle_id = ? and task_id = ? order by id limit 1",
          )
          .get(cycle, row.task_id);
  return {
    attempt_ids: [],
    command_id: null,
    command_state: row.state,
    command_type: row.signal_type,
    correlation_id: row.correlation_id,
    created_at: row.created_at,
    manager_cycle_id: cycle,
    manager_decision_id: decision?.id ?? null,
    routed_notification_ids: [row.id],
    signal_type: row.signal_type,
    source_event_id: row.source_event_id,
  };
}

interface Head {
  readonly command_id: string;
  readonly notification_id: number | null;
}

/** All chains of the task: by creation, then command. */
export function* correlationChains(store: Store, taskId: string): Generator<Chain> {
  const heads = rows<Head>(
    store,
    `select julianday(created_at) as at, id as command_id, null as notification_id from commands where task_id = ?1
     union all
     select julianday(created_at), '', id from routed_notifications where task_id = ?1 and command_id is null
     order by 1, 2, 3`,
    taskId,
  );
  for (const head of heads) {
    const chain = head.notification_id === null ? commandChain(store, head.command_id) : notificationChain(store, head.notification_id);
    if (chain !== null) yield chain;
  }
}
