/** Telemetry of Dispatch: every event about a queued command or a routed notification, tied to its task and run. */
import { runIdOf } from "../../core/loops/loop-run.ts";
import { type CommandRow, payloadOf } from "../../core/dispatch/queued-command.ts";
import { activeRunId } from "../record/active-run.ts";
import type { Store } from "../store.ts";
import type { Severity } from "../../core/telemetry.ts";
import { addTelemetry } from "../record/telemetry.ts";

export interface DispatchEvent {
  readonly type: string;
  readonly summary: string;
  readonly severity?: Severity;
  readonly correlation?: Record<string, unknown>;
  readonly attributes?: Record<string, unknown>;
}

/** An event that is not about a command. */
export function reportSignal(store: Store, taskId: string | null, event: DispatchEvent): void {
  addTelemetry(store, { actor: "dispatch", taskId, ...event });
}

/** The run of a command's events: the task's active one, else the loop run that the command continues. */
export function commandRunId(store: Store, taskId: string | null, payload: Record<string, unknown>): string | null {
  if (taskId === null) return null;
  const active = activeRunId(store, taskId);
  if (active !== null) return active;
  const loop = runIdOf(payload);
  if (loop === null) return null;
  return store.db.query<{ id: string }, [string, string]>("select id from runs where id = ? and task_id = ?").get(loop, taskId)?.id ?? null;
}

/** An event about a command: its correlation begins with command id, type and correlation id. */
export function reportCommand(store: Store, command: CommandRow, event: DispatchEvent): void {
  addTelemetry(store, {
    actor: "dispatch",
    taskId: command.task_id,
    runId: commandRunId(store, command.task_id, payloadOf(command)),
    ...event,
    correlation: { command_id: command.id, command_type: command.type, correlation_id: command.correlation_id, ...event.correlation },
  });
}
