/** `runs`: named stretches of work on a task, and the policy records of loops. */
import { SQLiteError } from "bun:sqlite";
import { Failure } from "../../core/failure.ts";
import { compactJson, parseStored } from "../../core/json.ts";
import { isLoop, LOOP, loopPolicy, nameMoment, type Run, type RunEnd, type RunStatus } from "../../core/loops/run.ts";
import type { Task } from "../../core/tasks/task.ts";
import { activeRunId } from "./active-run.ts";
import { addEvent } from "./events.ts";
import { type Store, tx } from "../store.ts";
import { addTelemetry } from "./telemetry.ts";

type Row = Omit<Run, "metadata"> & { readonly metadata_json: string };

const runOf = ({ metadata_json, ...row }: Row): Run => ({ ...row, metadata: parseStored<Record<string, unknown>>(metadata_json, {}) });

export const runById = (store: Store, id: string): Run | null => {
  const row = store.db.query<Row, [string]>("select * from runs where id = ?").get(id);
  return row && runOf(row);
};

/** The run of this id, else the youngest of this name; with a task only among its runs. Null when there is none. */
export function findRun(store: Store, ref: string, taskId?: string): Run | null {
  const row = store.db
    .query<Row, [string, string | null]>(
      `select * from runs where (id = ?1 or name = ?1) and (?2 is null or task_id = ?2)
       order by id = ?1 desc, julianday(started_at) desc, id desc limit 1`,
    )
    .get(ref, taskId ?? null);
  return row && runOf(row);
}

/** @throws Failure naming the run when there is none of this id or name (of this task, when one is given) */
export function needRun(store: Store, ref: string, task?: Task): Run {
  const run = findRun(store, ref, task?.id);
  if (run) return run;
  if (!task) throw new Failure(`unknown run ${JSON.stringify(ref)}`, { hint: "conveyor runs --list" });
  throw new Failure(`task ${JSON.stringify(task.name)} has no run ${JSON.stringify(ref)}`, {
    hint: `conveyor runs --list --task ${task.id}`,
  });
}

/** Runs by start, youngest first. */
export const listRuns = (store: Store, filter: { taskId?: string; status?: RunStatus } = {}): Run[] =>
  store.db
    .query<Row, [string | null, string | null]>(
      "select * from runs where (?1 is null or task_id = ?1) and (?2 is null or status = ?2) order by julianday(started_at) desc, id",
    )
    .all(filter.taskId ?? null, filter.status ?? null)
    .map(runOf);

interface NewRun {
  /** `<task>-<moment>` unless given; names need not be unique. */
  readonly name?: string;
  readonly purpose?: string | null;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

const refuseSecond = (task: Task, active: string | null): never => {
  throw new Failure(`task ${JSON.stringify(task.name)} already has an active run: ${active ?? "started a moment ago"}`, {
    hint: active ? `conveyor runs --finish ${active}` : `conveyor runs --list --task ${task.id} --status active`,
  });
};

/**
 * Creates an active run, or, when purpose or `metadata.kind` is `ralph_loop`, a loop's policy record: finished at once and allowed beside
 * the active run. With the event `run_created` and telemetry `run_started`.
 * @throws Failure when the task has an active run already, or the policy is incomplete; no row is written then
 */
export function createRun(store: Store, task: Task, input: NewRun = {}): Run {
  const loop = isLoop(input.purpose, input.metadata ?? {});
  const metadata = loop ? loopPolicy(input.metadata ?? {}) : (input.metadata ?? {});
  return tx(store, () => {
    const now = store.now();
    const run: Run = {
      id: store.newId("run"),
      task_id: task.id,
      name: input.name ?? `${task.name}${loop ? "-ralph-loop" : ""}-${nameMoment(now)}`,
      purpose: loop ? LOOP : (input.purpose ?? null),
      status: loop ? "finished" : "active",
      started_at: now,
      ended_at: loop ? now : null,
      metadata,
    };
    try {
      store.db
        .query("insert into runs (id, task_id, name, purpose, status, started_at, ended_at, metadata_json) values (?, ?, ?, ?, ?, ?, ?, ?)")
        .run(run.id, run.task_id, run.name, run.purpose, run.status, run.started_at, run.ended_at, compactJson(metadata));
    } catch (error) {
      if (error instanceof SQLiteError && error.code === "SQLITE_CONSTRAINT_UNIQUE") refuseSecond(task, activeRunId(store, task.id));
      throw error;
    }
    const facts = { run_id: run.id, run_name: run.name };
    addEvent(store, { type: "run_created", taskId: task.id, payload: { ...facts, purpose: run.purpose, status: run.status } });
    addTelemetry(store, {
      type: "run_started",
      runId: run.id,
      summary: `Run ${run.name} started`,
      correlation: facts,
      attributes: { purpose: run.purpose, status: run.status },
    });
    return run;
  });
}

/**
 * Ends a run, with telemetry `run_finished`. Ending it again in the same way changes nothing.
 * @throws Failure when it has ended in another way
 */
export function finishRun(store: Store, runId: string, status: RunEnd = "finished"): Run {
  return tx(store, () => {
    const run = runById(store, runId);
    if (!run) throw new Failure(`unknown run ${JSON.stringify(runId)}`, { hint: "conveyor runs --list" });
    if (run.status === status) return run;
    if (run.status !== "active")
      throw new Failure(`run ${JSON.stringify(run.name)} (${run.id}) has ended as ${run.status} and stays so`, {
        hint: `conveyor runs --show ${run.id}`,
      });
    const ended = store.now();
    store.db.query("update runs set status = ?, ended_at = ? where id = ?").run(status, ended, run.id);
    addTelemetry(store, {
      type: "run_finished",
      severity: status === "failed" ? "error" : "info",
      runId: run.id,
      summary: `Run ${run.name} ${status}`,
      correlation: { run_id: run.id, run_name: run.name },
      attributes: { status },
    });
    return { ...run, status, ended_at: ended };
  });
}
