/** `commands`: the queue for Dispatch, and the record of direct actuation by other commands. */
import { compactJson } from "../../core/json.ts";
import type { CommandState } from "../../core/dispatch/queued-command.ts";
import { commandRunId } from "./telemetry.ts";
import { type Store, tx } from "../store.ts";
import { addTelemetry } from "../record/telemetry.ts";

interface NewCommand {
  /** Made unless given, for payloads that name their own command. */
  readonly id?: string;
  readonly type: string;
  readonly taskId: string | null;
  readonly payload: Record<string, unknown>;
  readonly correlationId?: string;
  /** Unique over the whole table; the command's own id unless given. */
  readonly idempotencyKey?: string;
  readonly requiredPermission?: string | null;
}

/** The command that holds this idempotency key, or null. */
export const holderOfKey = (store: Store, key: string): { id: string; state: CommandState } | null =>
  store.db.query<{ id: string; state: CommandState }, [string]>("select id, state from commands where idempotency_key = ?").get(key);

/** Inserts a pending command with telemetry `command_created` and gives its id. */
export function createCommand(store: Store, input: NewCommand): string {
  return tx(store, () => {
    const id = input.id ?? store.newId("command");
    const now = store.now();
    const correlation = input.correlationId ?? store.newId("dispatch");
    const key = input.idempotencyKey ?? id;
    store.db
      .query(
        `insert into commands (id, idempotency_key, created_at, updated_at, task_id, correlation_id, type, state, required_permission, payload_json)
         values (?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?)`,
      )
      .run(id, key, now, now, input.taskId, correlation, input.type, input.requiredPermission ?? null, compactJson(input.payload));
    addTelemetry(store, {
      type: "command_created",
      taskId: input.taskId,
      runId: commandRunId(store, input.taskId, input.payload),
      summary: `${input.type} command created`,
      correlation: { command_id: id, command_type: input.type, correlation_id: correlation },
      attributes: {
        idempotency_key: key,
        required_permission: input.requiredPermission ?? null,
        state: "pending",
        worker_id: null,
        manager_id: null,
      },
    });
    return id;
  });
}

/** Takes a command back that nobody has begun to carry out, as if it had never been. */
export const takeBackCommand = (store: Store, id: string): void =>
  void store.db.query("delete from commands where id = ? and state = 'pending' and attempts = 0").run(id);

/**
 * Moves a command that this process executes itself (not through Dispatch: `attempts` stays as it is), with telemetry `command_<state>`.
 * @param outcome what is stored in `result_json` and `error`
 */
export function setCommandState(
  store: Store,
  id: string,
  state: "attempted" | "succeeded" | "failed",
  outcome: { result?: Record<string, unknown>; error?: string } = {},
): void {
  tx(store, () => {
    store.db
      .query(
        "update commands set state = ?, updated_at = ?, result_json = coalesce(?, result_json), error = coalesce(?, error) where id = ?",
      )
      .run(state, store.now(), outcome.result === undefined ? null : compactJson(outcome.result), outcome.error ?? null, id);
    const row = store.db
      .query<{ type: string; task_id: string | null; correlation_id: string }, [string]>(
        "select type, task_id, correlation_id from commands where id = ?",
      )
      .get(id)!;
    addTelemetry(store, {
      type: `command_${state}`,
      taskId: row.task_id,
      severity: state === "failed" ? "error" : "info",
      summary: `${row.type} command ${state}`,
      correlation: { command_id: id, command_type: row.type, correlation_id: row.correlation_id },
      attributes: { state, ...(outcome.result ? { result: outcome.result } : {}), ...(outcome.error ? { error: outcome.error } : {}) },
    });
  });
}
