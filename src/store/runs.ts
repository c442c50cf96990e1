/** `runs`: named stretches of work on a task, and the records of loops. */
import type { Store } from "./store.ts";

/** Id of the task's one active run (a partial unique index keeps it one), or null. */
export const activeRunId = (store: Store, taskId: string): string | null =>
  store.db.query<{ id: string }, [string]>("select id from runs where task_id = ? and status = 'active'").get(taskId)?.id ?? null;
