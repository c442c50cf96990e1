/** What a report tells about a command: its state and the keys of what it carries, never the contents. */
import { isObject } from "../json.ts";

export interface CommandRow {
  readonly id: string;
  readonly type: string;
  readonly state: string;
  readonly attempts: number;
  readonly max_attempts: number;
  readonly correlation_id: string | null;
  readonly claimed_by: string | null;
  readonly available_at: string | null;
  readonly created_at: string;
  readonly updated_at: string;
  readonly error: string | null;
  readonly required_permission: string | null;
  readonly task_id: string | null;
  readonly worker_id: string | null;
  readonly manager_id: string | null;
  readonly payload: unknown;
  readonly result: unknown;
  readonly task_name?: string | null;
}

/** The keys of an object, sorted; of anything else none. */
export const keysOf = (value: unknown): string[] => (isObject(value) ? Object.keys(value).sort() : []);

/** A command in a list. */
export const commandFacts = (row: CommandRow) => ({
  id: row.id,
  type: row.type,
  state: row.state,
  attempts: row.attempts,
  max_attempts: row.max_attempts,
  correlation_id: row.correlation_id,
  claimed_by: row.claimed_by,
  available_at: row.available_at,
  created_at: row.created_at,
  updated_at: row.updated_at,
  error: row.error,
  required_permission: row.required_permission,
  task_id: row.task_id,
  task_name: row.task_name === undefined ? undefined : row.task_name,
  worker_id: row.worker_id,
  manager_id: row.manager_id,
  payload_keys: keysOf(row.payload),
  result_keys: keysOf(row.result),
});
export type CommandFacts = ReturnType<typeof commandFacts>;
