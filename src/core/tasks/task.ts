/** A task: what is to be done, and how far it is. */

const TASK_STATES = ["candidate", "managed", "paused", "done", "failed"] as const;
export type TaskState = (typeof TASK_STATES)[number];
/** States in which a task is still being worked on. */
export const ACTIVE_TASK_STATES = ["candidate", "managed", "paused"] as const satisfies readonly TaskState[];

export interface Task {
  readonly id: string;
  readonly name: string;
  readonly goal: string;
  readonly summary: string | null;
  readonly state: TaskState;
  readonly created_at: string;
  readonly updated_at: string;
}

export interface Budget {
  readonly max_nudges: number;
  readonly nudges_used: number;
  readonly nudges_remaining: number;
  readonly expires_at: string | null;
}
