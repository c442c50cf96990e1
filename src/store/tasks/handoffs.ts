/** `worker_handoffs`: what a worker leaves behind for whoever goes on. */
import { compactJson, type JsonObject, parseStored } from "../../core/json.ts";
import { openBinding } from "../sessions/bindings.ts";
import { addEvent } from "../record/events.ts";
import { type Store, tx } from "../store.ts";
import { addTelemetry } from "../record/telemetry.ts";

export interface Handoff {
  readonly id: number;
  readonly task_id: string;
  readonly worker_session_id: string | null;
  readonly summary: string;
  readonly next_steps: readonly string[];
  readonly payload: JsonObject;
  readonly created_at: string;
}

type Row = Omit<Handoff, "next_steps" | "payload"> & { readonly next_steps_json: string; readonly payload_json: string };

/** The newest handoff of the task, or null. */
export function latestHandoff(store: Store, taskId: string): Handoff | null {
  const row = store.db.query<Row, [string]>("select * from worker_handoffs where task_id = ? order by id desc limit 1").get(taskId);
  if (!row) return null;
  const { next_steps_json, payload_json, ...rest } = row;
  return { ...rest, next_steps: parseStored<string[]>(next_steps_json, []), payload: parseStored<JsonObject>(payload_json, {}) };
}

/** Saves a handoff of the task's bound worker (of nobody, when none is bound). What the payload says stays out of event and telemetry. */
export function addHandoff(
  store: Store,
  taskId: string,
  input: { summary: string; nextSteps: readonly string[]; payload: Record<string, unknown> },
): Handoff {
  return tx(store, () => {
    const worker = openBinding(store, taskId)?.worker_session_id ?? null;
    const steps = input.nextSteps.length;
    store.db
      .query(
        `insert into worker_handoffs (task_id, worker_session_id, summary, next_steps_json, payload_json, created_at) values (?, ?, ?, ?,
            ?, ?)`,
      )
      .run(taskId, worker, input.summary, compactJson(input.nextSteps), compactJson(input.payload), store.now());
    const handoff = latestHandoff(store, taskId)!;
    addEvent(store, {
      type: "worker_handoff_recorded",
      taskId,
      payload: { handoff_id: handoff.id, next_step_count: steps, worker_session_id: worker },
    });
    addTelemetry(store, {
      type: "worker_handoff_recorded",
      taskId,
      actor: "worker",
      summary: "worker handoff recorded",
      correlation: { handoff_id: handoff.id, worker_session_id: worker },
      attributes: { next_step_count: steps, payload_keys: Object.keys(input.payload).sort(), summary_length: input.summary.length },
    });
    return handoff;
  });
}
