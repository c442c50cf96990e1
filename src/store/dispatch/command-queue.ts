/** The queue of commands: claimed with a lease, tried, ended. Every change checks that the claim still stands. */
import { compactJson } from "../../core/json.ts";
import { type CommandRow, type CommandType, decisionOf, payloadOf } from "../../core/dispatch/queued-command.ts";
import { reportCommand } from "./telemetry.ts";
import { type Claimant, leaseEnd } from "./lease.ts";
import { markStarted } from "./notifications.ts";
import { type Store, tx } from "../store.ts";

/** A command that is ours until the lease ends, and the attempt that records it. */
export interface Claim {
  readonly command: CommandRow & { readonly correlation_id: string };
  readonly attemptId: number;
}

/** A command for a session that is being sent to is left alone; ?3 names these sessions. */
const targetFree = `not exists (
  select 1 from bindings b where b.task_id = c.task_id and b.state in ('active', 'ending')
    and case c.type when 'notify_manager' then b.manager_session_id else b.worker_session_id end in (select value from json_each(?3)))`;

const claimable = `state = 'pending' and type in (select value from json_each(?1)) and attempts < max_attempts
  and (available_at is null or julianday(available_at) <= julianday(?2))`;

/** The commands that could be claimed now, in the order in which they would be. */
export const claimableCommands = (store: Store, types: readonly CommandType[], limit: number, busy: readonly string[] = []): CommandRow[] =>
  store.db
    .query<CommandRow, [string, string, string, number]>(
      `select * from commands c indexed by commands_queue where ${claimable} and ${targetFree} order by julianday(created_at), rowid
        limit ?4`,
    )
    .all(JSON.stringify(types), store.now(), JSON.stringify(busy), limit);

export const hasClaimable = (store: Store, types: readonly CommandType[], busy: readonly string[]): boolean =>
  types.length > 0 && claimableCommands(store, types, 1, busy).length > 0;

/**
 * Claims the oldest command that can be claimed and is not for a busy session: state, attempt and telemetry in one immediate transaction.
 * Null when there is none.
 */
export function claimNext(store: Store, claimant: Claimant, types: readonly CommandType[], busy: readonly string[] = []): Claim | null {
  return tx(store, () => {
    const [next] = claimableCommands(store, types, 1, busy);
    if (!next) return null;
    const now = store.now();
    const expires = leaseEnd(store, claimant);
    const correlation = next.correlation_id ?? store.newId("dispatch");
    store.db
      .query(
        `update commands set state = 'attempted', attempts = attempts + 1, claimed_by = ?, claimed_at = ?, claim_expires_at = ?,
          correlation_id = ?, updated_at = ? where id = ?`,
      )
      .run(claimant.dispatcherId, now, expires, correlation, now, next.id);
    const attemptId = Number(
      store.db
        .query("insert into command_attempts (command_id, correlation_id, dispatcher_id, started_at, state) values (?, ?, ?, ?, 'running')")
        .run(next.id, correlation, claimant.dispatcherId, now).lastInsertRowid,
    );
    const command = {
      ...store.db.query<CommandRow, [string]>("select * from commands where id = ?").get(next.id)!,
      correlation_id: correlation,
    };
    reportCommand(store, command, {
      type: "dispatch_command_claimed",
      summary: `${command.type} command claimed by ${claimant.dispatcherId}`,
      correlation: { attempt_id: attemptId, dispatcher_id: claimant.dispatcherId },
      attributes: { attempts: command.attempts, claim_expires_at: expires, worker_id: command.worker_id, manager_id: command.manager_id },
    });
    return { command, attemptId };
  });
}

/** Whether the attempt is still running, so that its claim was not given to somebody else. */
export const claimStands = (store: Store, claim: Claim): boolean =>
  store.db
    .query(
      `select 1 from command_attempts a join commands c on c.id = a.command_id where a.id = ? and a.state = 'running' and c.state =
          'attempted'`,
    )
    .get(claim.attemptId) !== null;

/** Prolongs the lease of a claim that is still ours; false when it was lost. */
export function extendClaim(store: Store, claim: Claim, claimant: Claimant): boolean {
  return tx(store, () => {
    if (!claimStands(store, claim)) return false;
    store.db.query("update commands set claim_expires_at = ? where id = ?").run(leaseEnd(store, claimant), claim.command.id);
    return true;
  });
}

/**
 * Records on attempt and notification that from here on the message may arrive, with a fresh lease; false when the claim was lost, and then
 * nothing may be sent.
 */
export function beginClaim(store: Store, claim: Claim, claimant: Claimant, notificationId: number): boolean {
  return tx(store, () => {
    if (!extendClaim(store, claim, claimant)) return false;
    markStarted(store, notificationId);
    store.db.query("update command_attempts set side_effect_started = 1 where id = ?").run(claim.attemptId);
    return true;
  });
}

export interface Ending {
  readonly state: "succeeded" | "failed" | "blocked";
  /** What the pass prints for this command; stored as result of attempt and command. */
  readonly item: Readonly<Record<string, unknown>>;
  readonly error: string | null;
}

const severities = { succeeded: "info", failed: "error", blocked: "warning" } as const;

/** Ends attempt and command alike, with telemetry; false when the claim was lost meanwhile, and then nothing is changed. */
export function endClaim(store: Store, claim: Claim, claimant: Claimant, ending: Ending): boolean {
  return tx(store, () => {
    if (!claimStands(store, claim)) return false;
    const { command, attemptId } = claim;
    const { state, item, error } = ending;
    const now = store.now();
    const result = compactJson(item);
    const started = item.side_effect_started === true;
    const completed = item.side_effect_completed === true;
    store.db
      .query(
        `update command_attempts set state = ?, finished_at = ?, result_json = ?, error = ?, side_effect_started = ?,
            side_effect_completed = ? where id = ?`,
      )
      .run(state, now, result, error, Number(started), Number(completed), attemptId);
    store.db
      .query("update commands set state = ?, updated_at = ?, result_json = ?, error = ? where id = ?")
      .run(state, now, result, error, command.id);
    reportCommand(store, command, {
      type: `dispatch_command_${state}`,
      severity: severities[state],
      summary: `${command.type} command ${state}`,
      correlation: { attempt_id: attemptId, dispatcher_id: claimant.dispatcherId, ...loopCorrelation(command, item) },
      attributes: {
        error,
        result: item,
        side_effect_started: started,
        side_effect_completed: completed,
        worker_id: command.worker_id,
        manager_id: command.manager_id,
      },
    });
    return true;
  });
}

function loopCorrelation(command: CommandRow, item: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const decision = decisionOf(payloadOf(command));
  return {
    ...(typeof item.run_id === "string" ? { run_id: item.run_id } : {}),
    ...(decision === null ? {} : { manager_decision_id: decision }),
  };
}
