/** Which run telemetry belongs to. */
import { Failure } from "../../core/failure.ts";
import type { Store } from "../store.ts";

/** Id of the task's one active run (a partial unique index keeps it one), or null. */
export const activeRunId = (store: Store, taskId: string): string | null =>
  store.db.query<{ id: string }, [string]>("select id from runs where task_id = ? and status = 'active'").get(taskId)?.id ?? null;

/** Task and run of an event: a run brings its task, a task its active run. Throws a Failure when the run is of another task. */
export function belonging(
  store: Store,
  given: { taskId?: string | null; runId?: string | null },
): { taskId: string | null; runId: string | null } {
  const taskId = given.taskId ?? null;
  if (given.runId === undefined) return { taskId, runId: taskId === null ? null : activeRunId(store, taskId) };
  if (given.runId === null) return { taskId, runId: null };
  const owner = store.db.query<{ task_id: string }, [string]>("select task_id from runs where id = ?").get(given.runId)?.task_id;
  if (owner === undefined) throw new Failure(`unknown run ${JSON.stringify(given.runId)}`, { hint: "conveyor runs --list" });
  if (taskId !== null && owner !== taskId)
    throw new Failure(`run ${given.runId} belongs to task ${owner}, not to task ${taskId}`, {
      hint: `conveyor runs --list --task ${taskId}`,
    });
  return { taskId: owner, runId: given.runId };
}
