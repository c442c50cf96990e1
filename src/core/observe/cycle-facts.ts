/** What a report tells about a manager cycle: facts of its status, without what it read. */
import { isObject, type Json, type JsonObject } from "../json.ts";

export interface CycleRow {
  readonly id: number;
  readonly task_id: string;
  readonly task_name?: string | null;
  readonly started_at: string;
  readonly completed_at: string | null;
  readonly state: "started" | "succeeded" | "failed";
  readonly status: unknown;
  readonly health: unknown;
  readonly decision: string | null;
  readonly error: string | null;
}

const objectOf = (value: unknown): JsonObject => (isObject(value) ? value : {});

/** Was the worker's pane captured? Null when the cycle does not tell. */
const paneCaptured = (status: unknown): boolean | null => {
  const { captured } = objectOf(objectOf(status).pane_signal);
  return typeof captured === "boolean" ? captured : null;
};

export const panePattern = (status: unknown): Json => objectOf(status).notable_pane_pattern ?? null;

/** A cycle in a list. */
export function cycleFacts({ status, ...row }: CycleRow) {
  const { pane_signal, ingest, staleness_seconds, state, turn, turn_error } = objectOf(status);
  const signal = objectOf(pane_signal);
  return {
    id: row.id,
    task_id: row.task_id,
    task_name: row.task_name ?? undefined,
    started_at: row.started_at,
    completed_at: row.completed_at,
    state: row.state,
    decision: row.decision,
    error: row.error,
    health: row.health,
    notable_pane_pattern: panePattern(status),
    pane_signal: {
      captured: paneCaptured(status),
      notable_pattern: signal.notable_pattern ?? null,
      reason: signal.reason ?? null,
      staleness_seconds: signal.staleness_seconds ?? signal.status_age_seconds ?? null,
    },
    ingest: ingest ?? null,
    staleness_seconds: staleness_seconds ?? null,
    worker_state: state ?? null,
    turn: turn ?? null,
    turn_error: turn_error ?? null,
  };
}
export type CycleFacts = ReturnType<typeof cycleFacts>;
