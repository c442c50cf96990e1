/** Claims whose lease ran out: what their attempt says decides whether the command is tried again or is left to a person. */
import { compactJson } from "../../core/json.ts";
import { type CommandRow, type CommandType } from "../../core/dispatch/queued-command.ts";
import { reportCommand } from "./telemetry.ts";
import { markDelivered, markFailed, notificationOfCommand } from "./notifications.ts";
import { type Store, tx } from "../store.ts";

export interface ExpiredClaim {
  readonly command: CommandRow;
  /** The newest running attempt; null when there is none, and then nothing was begun. */
  readonly attempt: { readonly id: number; readonly side_effect_started: number } | null;
}

export interface Recovered {
  readonly attempt_id: number | null;
  readonly command_id: string;
  readonly command_type: string;
  readonly error: string | null;
  readonly side_effect_started: boolean;
  readonly state: "requeued" | "failed" | "delivered";
}

const expired = "state = 'attempted' and claim_expires_at is not null and julianday(claim_expires_at) <= julianday(?)";

const runningAttempt = (store: Store, commandId: string): ExpiredClaim["attempt"] =>
  store.db
    .query<{ id: number; side_effect_started: number }, [string]>(
      "select id, side_effect_started from command_attempts where command_id = ? and state = 'running' order by id desc limit 1",
    )
    .get(commandId);

/** Claims of these types whose lease has ended, the longest ended first. */
export const expiredClaims = (store: Store, types: readonly CommandType[], limit: number): ExpiredClaim[] =>
  store.db
    .query<CommandRow, [string, string, number]>(
      `select * from commands where ${expired} and type in (select value from json_each(?)) order by julianday(claim_expires_at), rowid
        limit ?`,
    )
    .all(store.now(), JSON.stringify(types), limit)
    .map((command) => ({ command, attempt: runningAttempt(store, command.id) }));

/**
 * Ends the attempt of an expired claim and moves its command on; null when another dispatcher was first or the lease was prolonged.
 * @param proven the receiver's rollout shows that the message arrived
 */
export function recoverClaim(store: Store, dispatcherId: string, claim: ExpiredClaim, proven: boolean): Recovered | null {
  return tx(store, () => {
    const now = store.now();
    const command = store.db
      .query<CommandRow, [string, string]>(`select * from commands where ${expired} and id = ?`)
      .get(now, claim.command.id);
    if (!command) return null;
    const attempt = runningAttempt(store, command.id);
    if (attempt?.id !== claim.attempt?.id) return null;
    const started = attempt?.side_effect_started === 1;
    const recovered = verdict(command, attempt, started, proven && started);
    const result = recovered.state === "delivered" ? compactJson({ ...recovered, recovered: true, dispatcher_id: dispatcherId }) : null;
    if (attempt) {
      const state = recovered.state === "delivered" ? "succeeded" : started ? "failed" : "abandoned";
      store.db
        .query(
          `update command_attempts set state = ?, finished_at = ?, result_json = ?, error = ?, side_effect_completed = ? where id = ? and
              state = 'running'`,
        )
        .run(state, now, result, recovered.error, Number(recovered.state === "delivered"), attempt.id);
    }
    const state = { requeued: "pending", failed: "failed", delivered: "succeeded" }[recovered.state];
    store.db
      .query(
        `update commands set state = ?, claimed_by = null, claimed_at = null, claim_expires_at = null, result_json = coalesce(?,
            result_json), error = ?, updated_at = ? where id = ?`,
      )
      .run(state, result, recovered.state === "requeued" ? null : recovered.error, now, command.id);
    moveNotification(store, command, recovered);
    report(store, dispatcherId, command, recovered);
    return recovered;
  });
}

function verdict(command: CommandRow, attempt: ExpiredClaim["attempt"], started: boolean, proven: boolean): Recovered {
  const base = { attempt_id: attempt?.id ?? null, command_id: command.id, command_type: command.type, side_effect_started: started };
  const by = command.claimed_by ?? "a dispatcher";
  if (proven) return { ...base, state: "delivered", error: null };
  if (started)
    return {
      ...base,
      state: "failed",
      error: `the lease of ${by} ended after sending had begun and nothing proves that the message arrived; look before sending it again`,
    };
  if (command.attempts < command.max_attempts)
    return { ...base, state: "requeued", error: `the lease of ${by} ended before anything was sent` };
  return { ...base, state: "failed", error: `the lease of ${by} ended before anything was sent, and no attempt is left` };
}

function moveNotification(store: Store, command: CommandRow, recovered: Recovered): void {
  const notification = notificationOfCommand(store, command.id);
  if (notification?.state !== "pending" || recovered.state === "requeued") return;
  if (recovered.state === "delivered") markDelivered(store, notification.id, "pushed");
  else markFailed(store, notification.id, recovered.error ?? "");
  reportCommand(store, command, {
    type: recovered.state === "delivered" ? "dispatch_signal_routed" : "dispatch_signal_failed",
    severity: recovered.state === "delivered" ? "info" : "error",
    summary: `${command.type} ${recovered.state} on recovery`,
    correlation: { attempt_id: recovered.attempt_id, routed_notification_id: notification.id, signal_type: notification.signal_type },
    attributes: { recovered: true, ...(recovered.error === null ? {} : { error: recovered.error, error_type: "LeaseExpired" }) },
  });
}

function report(store: Store, dispatcherId: string, command: CommandRow, recovered: Recovered): void {
  const { state, side_effect_started: started, error } = recovered;
  reportCommand(store, command, {
    type: state === "delivered" ? "dispatch_command_succeeded" : started ? "dispatch_command_failed" : "dispatch_command_abandoned",
    severity: state === "failed" ? "error" : state === "requeued" ? "warning" : "info",
    summary: `${command.type} command ${state} after its lease ended`,
    correlation: { attempt_id: recovered.attempt_id, dispatcher_id: dispatcherId },
    attributes: {
      recovery_state: state,
      side_effect_started: started,
      error,
      worker_id: command.worker_id,
      manager_id: command.manager_id,
    },
  });
}
