/** `runs` read as loops: found within their task, made with their birth on record, and how far each has come. */
import { Failure } from "../core/failure.ts";
import { compactJson } from "../core/json.ts";
import { LOOP_KIND, type LoopRun, loopRunName, readLoop } from "../core/loop-run.ts";
import type { Run } from "../core/run.ts";
import type { Task } from "../core/task.ts";
import { addEvent } from "./events.ts";
import { type Store, tx } from "./store.ts";
import { addTelemetry } from "./telemetry.ts";

/** The task's run with this id, else its newest of this name, or null. */
export const findTaskRun = (store: Store, taskId: string, ref: string): Run | null =>
  store.db
    .query<Run, [string, string, string]>(
      `select * from runs where task_id = ?1 and (id = ?2 or name = ?3)
       order by id = ?2 desc, julianday(started_at) desc, id desc limit 1`,
    )
    .get(taskId, ref, ref);

/**
 * The task's loop run with this id or name (the newest of that name).
 * @throws Failure when the task has no such run, or the run is no readable loop
 */
export function needLoopRun(store: Store, task: Task, ref: string): LoopRun {
  const run = findTaskRun(store, task.id, ref);
  if (run) return readLoop(run, ref);
  const other = store.db
    .query<{ name: string }, [string, string]>("select t.name from runs r join tasks t on t.id = r.task_id where r.id = ? or r.name = ? limit 1")
    .get(ref, ref);
  throw new Failure(
    other
      ? `run ${JSON.stringify(ref)} belongs to task ${JSON.stringify(other.name)}, not to ${JSON.stringify(task.name)}`
      : `task ${JSON.stringify(task.name)} has no run ${JSON.stringify(ref)}`,
    { hint: `conveyor runs --list --task ${task.name}` },
  );
}

/**
 * Inserts a loop run: finished from its birth, since only one *active* run per task is allowed and a policy must not take that place.
 * An event and telemetry of the run itself say that it was made.
 * @param input.name `<task>-ralph-loop-<time>` unless given; names may repeat
 */
export function createLoopRun(store: Store, task: Task, input: { name?: string | undefined; metadata: Record<string, unknown> }): Run {
  return tx(store, () => {
    const now = store.now();
    const run: Run = {
      id: store.newId("run"),
      task_id: task.id,
      name: input.name ?? loopRunName(task.name, now),
      purpose: LOOP_KIND,
      status: "finished",
      started_at: now,
      ended_at: now,
      metadata_json: compactJson(input.metadata),
    };
    store.db
      .query("insert into runs (id, task_id, name, purpose, status, started_at, ended_at, metadata_json) values (?, ?, ?, ?, ?, ?, ?, ?)")
      .run(run.id, run.task_id, run.name, run.purpose, run.status, run.started_at, run.ended_at, run.metadata_json);
    const { current_iteration, max_iterations, required_before_continue, template = null } = input.metadata;
    const policy = { name: run.name, template, current_iteration, max_iterations, required_before_continue };
    addEvent(store, { type: "loop_policy_created", taskId: task.id, payload: { run_id: run.id, ...policy } });
    addTelemetry(store, {
      type: "loop_policy_created",
      taskId: task.id,
      runId: run.id,
      summary: `loop policy ${run.name} created`,
      correlation: { run_id: run.id },
      attributes: policy,
    });
    return run;
  });
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

/** The run's `continue_iteration` messages, oldest first. */
export const iterationMessages = (store: Store, run: Run): IterationMessage[] =>
  store.db
    .query<IterationMessage, [string, string]>(
      `select id as notification_id, cast(json_extract(payload_json, '$.ralph_loop.requested_iteration') as integer) as iteration,
              state, delivery_mode, delivered_at, consumed_at
       from routed_notifications
       where task_id = ? and signal_type = 'continue_iteration' and json_extract(payload_json, '$.ralph_loop.run_id') = ?
         and json_type(payload_json, '$.ralph_loop.requested_iteration') = 'integer'
       order by id`,
    )
    .all(run.task_id, run.id);

/** How far a loop has come. The stored `current_iteration` stays what it was made with; older programs rely on that. */
export interface LoopProgress {
  /** The stored current iteration, or the highest one whose message was consumed or pushed: what counts as current from now on. */
  readonly reached: number;
  /** Iterations whose message was delivered, or is being delivered right now: none of them may be delivered again. Ascending. */
  readonly delivered: number[];
}

export function loopProgress(store: Store, loop: LoopRun): LoopProgress {
  const messages = iterationMessages(store, loop.run).filter(({ state }) => state === "delivered" || state === "pending");
  const arrived = messages.filter((message) => message.state === "delivered" && (message.delivery_mode === "push" || message.consumed_at !== null));
  return {
    reached: Math.max(loop.policy.current_iteration, ...arrived.map(({ iteration }) => iteration)),
    delivered: [...new Set(messages.map(({ iteration }) => iteration))].sort((a, b) => a - b),
  };
}
