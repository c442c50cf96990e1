/** `runs` read as loops: found within their task, and how far each has come. */
import { Failure } from "../../core/failure.ts";
import { type LoopRun, readLoop } from "../../core/loops/loop-run.ts";
import type { Run } from "../../core/loops/run.ts";
import type { Task } from "../../core/tasks/task.ts";
import { quoteWord } from "../../core/shell.ts";
import { findRun } from "../record/runs.ts";
import type { Store } from "../store.ts";
import { taskById } from "../tasks/tasks.ts";

/**
 * The task's loop run with this id or name (the newest of that name).
 * @throws Failure when the task has no such run, or the run is no readable loop
 */
export function needLoopRun(store: Store, task: Task, ref: string): LoopRun {
  const run = findRun(store, ref, task.id);
  if (run) return readLoop(run, ref);
  const elsewhere = findRun(store, ref);
  const other = elsewhere && taskById(store, elsewhere.task_id);
  throw new Failure(
    other
      ? `run ${JSON.stringify(ref)} belongs to task ${JSON.stringify(other.name)}, not to ${JSON.stringify(task.name)}`
      : `task ${JSON.stringify(task.name)} has no run ${JSON.stringify(ref)}`,
    { hint: `conveyor runs --list --task ${quoteWord(task.name)}` },
  );
}

/** One message that asked the worker for an iteration of a loop. */
export interface IterationMessage {
  readonly notification_id: number;
  readonly iteration: number;
  readonly state: "pending" | "delivered" | "failed" | "suppressed";
  readonly delivery_mode: "push" | "pull_required";
  readonly delivered_at: string | null;
  readonly consumed_at: string | null;
}

/** The run's `continue_iteration` messages, oldest first, without the one of the command `except`. */
export const iterationMessages = (store: Store, run: Run, except: string | null = null): IterationMessage[] =>
  store.db
    .query<IterationMessage, [string, string, string | null]>(
      `select id as notification_id, cast(json_extract(payload_json, '$.ralph_loop.requested_iteration') as integer) as iteration,
              state, delivery_mode, delivered_at, consumed_at
       from routed_notifications
       where task_id = ?1 and signal_type = 'continue_iteration' and json_extract(payload_json, '$.ralph_loop.run_id') = ?2
         and json_type(payload_json, '$.ralph_loop.requested_iteration') = 'integer'
         and (?3 is null or command_id is not ?3)
       order by id`,
    )
    .all(run.task_id, run.id, except);

/** How far a loop has come. The stored `current_iteration` stays what it was made with; older programs rely on that. */
export interface LoopProgress {
  /** The stored current iteration, or the highest one whose message was consumed or pushed: what counts as current from now on. */
  readonly reached: number;
  /** Iterations whose message was delivered, or is being delivered right now: none of them may be delivered again. Ascending. */
  readonly delivered: number[];
  /** The first iteration that nobody has asked for with success. */
  readonly next: number;
}

/** @param exceptCommand the command that asks: a message it left behind itself does not count against it */
export function loopProgress(store: Store, loop: LoopRun, exceptCommand: string | null = null): LoopProgress {
  const messages = iterationMessages(store, loop.run, exceptCommand).filter(({ state }) => state === "delivered" || state === "pending");
  const arrived = messages.filter(
    (message) => message.state === "delivered" && (message.delivery_mode === "push" || message.consumed_at !== null),
  );
  const reached = Math.max(loop.policy.current_iteration, ...arrived.map(({ iteration }) => iteration));
  const delivered = [...new Set(messages.map(({ iteration }) => iteration))].sort((a, b) => a - b);
  return { reached, delivered, next: Math.max(reached, ...delivered) + 1 };
}
