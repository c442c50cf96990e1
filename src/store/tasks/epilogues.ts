/** `epilogue_runs`: every run of a closing step, as it went. */
import type { EpilogueRun } from "../../core/tasks/epilogue.ts";
import { compactJson, type JsonObject, parseStored } from "../../core/json.ts";
import type { EpilogueStep } from "../../core/tasks/manager-config.ts";
import { addEvent } from "../record/events.ts";
import { type Store, tx } from "../store.ts";

type Row = Omit<EpilogueRun, "result"> & { readonly result_json: string | null };

/** All runs of the task in the order of their ids. */
export const listEpilogueRuns = (store: Store, taskId: string): EpilogueRun[] =>
  store.db
    .query<Row, [string]>("select * from epilogue_runs where task_id = ? order by id")
    .all(taskId)
    .map(({ result_json, ...row }) => ({ ...row, result: parseStored<JsonObject | null>(result_json, null) }));

interface FinishedStep {
  readonly step: EpilogueStep;
  readonly startedAt: string;
  readonly result: JsonObject | null;
  /** Null: the step succeeded. */
  readonly error: string | null;
  readonly correlationId: string;
}

/** Stores a run that has ended, with its event. */
export function addEpilogueRun(store: Store, taskId: string, run: FinishedStep): void {
  tx(store, () => {
    const state = run.error === null ? "succeeded" : "failed";
    const id = Number(
      store.db
        .query(
          `insert into epilogue_runs (task_id, step_name, state, started_at, finished_at, result_json, error, correlation_id) values (?,
              ?, ?, ?, ?, ?, ?, ?)`,
        )
        .run(
          taskId,
          run.step,
          state,
          run.startedAt,
          store.now(),
          run.result === null ? null : compactJson(run.result),
          run.error,
          run.correlationId,
        ).lastInsertRowid,
    );
    addEvent(store, {
      type: "epilogue_step_recorded",
      taskId,
      correlationId: run.correlationId,
      payload: { epilogue_run_id: id, state, step_name: run.step },
    });
  });
}

/** What a draft of a pull request counts. */
export const countTaskRecords = (store: Store, taskId: string): { events: number; commands: number } =>
  store.db
    .query<{ events: number; commands: number }, [string]>(
      "select (select count(*) from events where task_id = ?1) as events, (select count(*) from commands where task_id = ?1) as commands",
    )
    .get(taskId)!;
