/** The queue of commands: claimed with a lease, tried, ended. Every change checks that the claim still stands. */
import type { TransitionName } from "../../core/dispatch/message.ts";
import { type CommandRow, type CommandType, decisionOf, payloadOf } from "../../core/dispatch/queued-command.ts";
import { reportCommand } from "./telemetry.ts";
import type { Claimant } from "./lease.ts";
import { claimStands as stands, moveMessage, prolong, readMessage } from "./message.ts";
import { type Store, tx } from "../store.ts";

/** A command that is ours until the lease ends, and the attempt that records it. */
export interface Claim {
  readonly command: CommandRow & { readonly correlation_id: string };
  readonly attemptId: number;
}

/** For whom commands may be. */
interface Targets {
  /** A command for a session that is being sent to is left alone. */
  readonly busy?: readonly string[];
  /** For this manager alone. */
  readonly only?: string | undefined;
}

/** ?3 names the busy sessions, ?5 the only manager. */
const targetFree = `not exists (
  select 1 from bindings b where b.task_id = c.task_id and b.state in ('active', 'ending')
    and case c.type when 'notify_manager' then b.manager_session_id else b.worker_session_id end in (select value from json_each(?3)))
  and (?5 is null or c.type = 'notify_manager' and exists (
    select 1 from bindings b where b.task_id = c.task_id and b.state in ('active', 'ending') and b.manager_session_id = ?5))`;

const claimable = `state = 'pending' and type in (select value from json_each(?1)) and attempts < max_attempts
  and (available_at is null or julianday(available_at) <= julianday(?2))
  and not exists (select 1 from parked_messages p where p.message = c.id and p.until is null)`;

/** The commands that could be claimed now, in the order in which they would be. */
export const claimableCommands = (store: Store, types: readonly CommandType[], limit: number, to: Targets = {}): CommandRow[] =>
  store.db
    .query<CommandRow, [string, string, string, number, string | null]>(
      `select * from commands c indexed by commands_queue where ${claimable} and ${targetFree} order by julianday(created_at), rowid
        limit ?4`,
    )
    .all(JSON.stringify(types), store.now(), JSON.stringify(to.busy ?? []), limit, to.only ?? null);

export const hasClaimable = (store: Store, types: readonly CommandType[], to: Targets): boolean =>
  types.length > 0 && claimableCommands(store, types, 1, to).length > 0;

/** Claims a command that was just found claimable: state, attempt and telemetry in one immediate transaction. Null when it cannot be. */
export function claimCommand(store: Store, claimant: Claimant, next: CommandRow): Claim | null {
  return tx(store, () => {
    const correlationId = next.correlation_id ?? store.newId("dispatch");
    if (moveMessage(store, { commandId: next.id }, "claim", { by: "anyone", claimant }, { correlationId }) === null) return null;
    const claimed = readMessage(store, { commandId: next.id })!;
    const command = { ...claimed.command!, correlation_id: correlationId };
    const attemptId = claimed.attempt!.id;
    reportCommand(store, command, {
      type: "dispatch_command_claimed",
      summary: `${command.type} command claimed by ${claimant.dispatcherId}`,
      correlation: { attempt_id: attemptId, dispatcher_id: claimant.dispatcherId },
      attributes: {
        attempts: command.attempts,
        claim_expires_at: command.claim_expires_at,
        worker_id: command.worker_id,
        manager_id: command.manager_id,
      },
    });
    return { command, attemptId };
  });
}

/** Whether the attempt is still running, so that its claim was not given to somebody else. */
export function claimStands(store: Store, { command, attemptId }: Claim): boolean {
  const message = readMessage(store, { commandId: command.id });
  return message !== null && stands(message, { attemptId });
}

/** Prolongs the lease of a claim that is still ours; false when it was lost. */
export const extendClaim = (store: Store, { command, attemptId }: Claim, claimant: Claimant): boolean =>
  prolong(store, { commandId: command.id }, { attemptId }, claimant);

/**
 * Records on attempt and notification that from here on the message may arrive, with a fresh lease; false when the claim was lost, and then
 * nothing may be sent.
 */
export const beginClaim = (store: Store, { command, attemptId }: Claim, claimant: Claimant): boolean =>
  moveMessage(store, { commandId: command.id }, "begin", { by: "holder", claim: { attemptId }, claimant }) !== null;

interface Ending {
  readonly state: "succeeded" | "failed" | "blocked";
  /** What the pass prints for this command; stored as result of attempt and command. */
  readonly item: Readonly<Record<string, unknown>>;
  readonly error: string | null;
}

const severities = { succeeded: "info", failed: "error", blocked: "warning" } as const;

/** By which move of the table a sending ends; `item` tells which. */
const endingMove = ({ state, item }: Ending): TransitionName => {
  if (state === "blocked") return "block";
  if (state === "succeeded") return item.side_effect_completed === true ? "deliver" : "shelve";
  return item.side_effect_started === true ? "doubt" : "fail";
};

/**
 * Ends a message that is held, all its rows alike, with telemetry; false when the claim was lost meanwhile, and then nothing is changed.
 * @param how the move and the row of the delivery, where something was tried
 */
export function endClaim(
  store: Store,
  claim: Claim,
  claimant: Claimant,
  ending: Ending,
  how: { move?: TransitionName; delivery?: () => void } = {},
): boolean {
  return tx(store, () => {
    const { command, attemptId } = claim;
    const { state, item, error } = ending;
    const right = { by: "holder", claim: { attemptId }, claimant } as const;
    const facts = { error, result: item, delivery: how.delivery };
    if (moveMessage(store, { commandId: command.id }, how.move ?? endingMove(ending), right, facts) === null) return false;
    reportCommand(store, command, {
      type: `dispatch_command_${state}`,
      severity: severities[state],
      summary: `${command.type} command ${state}`,
      correlation: { attempt_id: attemptId, dispatcher_id: claimant.dispatcherId, ...loopCorrelation(command, item) },
      attributes: {
        error,
        result: item,
        side_effect_started: item.side_effect_started === true,
        side_effect_completed: item.side_effect_completed === true,
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
