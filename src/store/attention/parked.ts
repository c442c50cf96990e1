/** Messages of Dispatch that are parked, not failed and not tried: their receiver is at its limit, or their task over its budget. */
import type { NotificationRow } from "../../core/dispatch/notification.ts";
import { type CommandRow, targetRole, type CommandType } from "../../core/dispatch/queued-command.ts";
import type { Session } from "../../core/sessions/session.ts";
import { instant, toIso } from "../../core/time.ts";
import { messageKey } from "../dispatch/claims.ts";
import { reportCommand, reportSignal } from "../dispatch/telemetry.ts";
import { addEvent } from "../record/events.ts";
import { findPairing } from "../sessions/bindings.ts";
import { sessionById } from "../sessions/sessions.ts";
import { type Store, tx } from "../store.ts";
import { overBudget } from "./budgets.ts";
import { deadTurn, limitTriedSince } from "./limits.ts";

/** Why nothing is said to a session now. */
export interface Hold {
  readonly reason: "limit" | "budget";
  /** Until when; null: until somebody raises or clears the budget. */
  readonly until: string | null;
  /** In words. */
  readonly why: string;
}

/** Where nobody told when a limit is over, it is looked at again this often. */
const LOOK_AGAIN_MS = 5 * 60_000;

/** When the limit of a dead turn may be over: as was told, else after a while. */
export const mayBeOver = ({ since, resets_at }: { readonly since: string; readonly resets_at: string | null }): number =>
  instant(resets_at) ?? Date.parse(since) + LOOK_AGAIN_MS;

/** Why nothing may be said to the session about this task now; null: it may. */
export function holdOn(store: Store, session: Session, taskId: string, nowMs: number): Hold | null {
  const dead = deadTurn(store, session);
  const tried = dead === null ? limitTriedSince(store, session) : null;
  const over = dead !== null ? mayBeOver(dead) : tried !== null ? Date.parse(tried) + LOOK_AGAIN_MS : 0;
  if (over > nowMs) {
    const until = toIso(over);
    const why =
      dead === null
        ? `${session.name} tries whether its limit is over`
        : `${session.name} is at its usage limit${dead.resets_at === null ? ", and nobody told until when" : ` until ${until}`}`;
    return { reason: "limit", until, why };
  }
  return holdOnTask(store, session, taskId);
}

/** The same by the budget of the task alone. */
export function holdOnTask(store: Store, session: Session, taskId: string): Hold | null {
  if (session.role !== "worker") return null;
  const budget = overBudget(store, taskId);
  return budget.over ? { reason: "budget", until: budget.until, why: `the task is over its budget: ${budget.why}` } : null;
}

/** For whom a queued command is; null: its task is not bound, or it has none. */
export function targetOfCommand(store: Store, { task_id, type }: CommandRow): Session | null {
  const pairing = task_id === null ? null : findPairing(store, task_id);
  return pairing && pairing[targetRole(type as CommandType)];
}

interface ParkedRow {
  readonly message: string;
  readonly session_id: string;
  readonly task_id: string;
  readonly reason: Hold["reason"];
  readonly until: string | null;
  readonly parked_at: string;
}

/** Parks a queued command: it stays pending, and is available when the hold is over. */
export function parkCommand(store: Store, command: CommandRow, target: Session, hold: Hold): void {
  tx(store, () => {
    park(store, { message: command.id, session_id: target.id, task_id: command.task_id!, reason: hold.reason, until: hold.until });
    if (hold.until !== null) setAvailable(store, command.id, hold.until);
    tellParked(
      store,
      { taskId: command.task_id!, commandId: command.id, correlationId: command.correlation_id },
      command.type,
      target,
      hold,
    );
    reportCommand(store, command, {
      type: "dispatch_command_parked",
      severity: "warning",
      summary: `${command.type} command parked for ${target.name}: ${hold.why}`,
      attributes: { reason: hold.reason, until: hold.until, target_session: target.name },
    });
  });
}

/** Parks the notification of an ended turn that nobody holds. */
export function parkTurn(store: Store, row: NotificationRow, target: Session, hold: Hold): void {
  tx(store, () => {
    const message = messageKey({ commandId: null, notificationId: row.id });
    park(store, { message, session_id: target.id, task_id: row.task_id, reason: hold.reason, until: hold.until });
    tellParked(store, { taskId: row.task_id, correlationId: row.correlation_id }, row.signal_type, target, hold);
    reportSignal(store, row.task_id, {
      type: "dispatch_signal_parked",
      severity: "warning",
      summary: `${row.signal_type} parked for ${target.name}: ${hold.why}`,
      correlation: {
        binding_id: row.binding_id,
        correlation_id: row.correlation_id,
        signal_type: row.signal_type,
        source_event_id: row.source_event_id,
        routed_notification_id: row.id,
      },
      attributes: { reason: hold.reason, until: hold.until, target_session: target.name },
    });
  });
}

type Told = Pick<Parameters<typeof addEvent>[1], "taskId" | "commandId" | "correlationId">;

const tellParked = (store: Store, about: Told, signal: string, target: Session, { reason, until, why }: Hold): void =>
  void addEvent(store, {
    type: "message_parked",
    actor: "dispatch",
    ...about,
    payload: { signal_type: signal, session: target.name, reason, until, why },
  });

const park = (store: Store, row: Omit<ParkedRow, "parked_at">): void =>
  void store.db
    .query(
      `insert into parked_messages (message, session_id, task_id, reason, until, parked_at) values (?, ?, ?, ?, ?, ?)
       on conflict do update set session_id = excluded.session_id, task_id = excluded.task_id, reason = excluded.reason,
         until = excluded.until`,
    )
    .run(row.message, row.session_id, row.task_id, row.reason, row.until, store.now());

const setAvailable = (store: Store, commandId: string, at: string): void =>
  void store.db
    .query("update commands set available_at = ?, updated_at = ? where id = ? and state = 'pending'")
    .run(at, store.now(), commandId);

/** How much is parked for one session. */
export const countParked = (store: Store, sessionId: string): number =>
  store.db.query<{ n: number }, [string]>("select count(*) as n from parked_messages where session_id = ?").get(sessionId)!.n;

/** How much is parked at all. */
export const countAllParked = (store: Store): number =>
  store.db.query<{ n: number }, []>("select count(*) as n from parked_messages").get()!.n;

/** The next time at which something parked may go on by itself; null: none. */
export const nextRelease = (store: Store): number | null =>
  instant(
    store.db
      .query<{ until: string }, []>("select until from parked_messages where until is not null order by julianday(until) limit 1")
      .get()?.until,
  );

interface Waiting extends ParkedRow {
  /** Of the command or notification; null: it is no more. */
  readonly state: string | null;
  /** Of a command. */
  readonly type: string | null;
}

const waiting = (store: Store): Waiting[] =>
  store.db
    .query<Waiting, []>(
      `select p.*, coalesce(c.state, n.state) as state, c.type from parked_messages p left join commands c on c.id = p.message
         left join routed_notifications n on p.message glob 'notification-*' and n.id = cast(substr(p.message, 14) as integer)`,
    )
    .all();

/**
 * Looks whether what is parked still has to be: lets go what need not wait any more, and moves the time of what waits longer or shorter
 * than was thought. Gives whether anything was let go.
 */
export function releaseParked(store: Store): boolean {
  const nowMs = Date.parse(store.now());
  const holds = new Map<string, Hold | null>();
  const holdOf = ({ session_id, task_id, type, state }: Waiting): Hold | null => {
    if (state !== "pending") return null;
    // Another session may be bound to the task by now.
    const role = type === null ? null : targetRole(type as CommandType);
    const key = role === null ? session_id : `${task_id} ${role}`;
    if (!holds.has(key)) {
      const session = (role && findPairing(store, task_id)?.[role]) || sessionById(store, session_id);
      holds.set(key, session && holdOn(store, session, task_id, nowMs));
    }
    return holds.get(key)!;
  };
  const changed = waiting(store).flatMap((row) => {
    const hold = holdOf(row);
    return hold !== null && hold.reason === row.reason && hold.until === row.until ? [] : [{ row, hold }];
  });
  if (changed.length > 0) tx(store, () => changed.forEach(({ row, hold }) => change(store, row, hold)));
  return changed.some(({ hold }) => hold === null);
}

function change(store: Store, row: Waiting, hold: Hold | null): void {
  const { message, session_id, task_id } = row;
  if (hold === null) store.db.query("delete from parked_messages where message = ?").run(message);
  else park(store, { message, session_id, task_id, reason: hold.reason, until: hold.until });
  // A hold without an end is told by its row alone; when an end has come, it stays on record.
  const now = store.now();
  const until = hold?.until ?? (row.until !== null && Date.parse(row.until) > Date.parse(now) ? now : null);
  if (row.type !== null && until !== null) setAvailable(store, message, until);
}
