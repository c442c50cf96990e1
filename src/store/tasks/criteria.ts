/** `acceptance_criteria`: the ledger of what a task must show. */
import { type Criterion, type CriterionSource, type CriterionStatus } from "../../core/tasks/criteria.ts";
import { evidenceStatus } from "../../core/loops/evidence.ts";
import { besideProof } from "../../core/tasks/evidence.ts";
import { Failure } from "../../core/failure.ts";
import { compactJson, isObject, type JsonObject, parseStored } from "../../core/json.ts";
import type { Task } from "../../core/tasks/task.ts";
import { quoteWord } from "../../core/shell.ts";
import { addEvent } from "../record/events.ts";
import { runById } from "../record/runs.ts";
import { type Store, tx } from "../store.ts";
import { addTelemetry } from "../record/telemetry.ts";

type Row = Omit<Criterion, "evidence"> & { readonly evidence_json: string };

const read = ({ evidence_json, ...row }: Row): Criterion => {
  const evidence = parseStored<unknown>(evidence_json, {});
  return { ...row, evidence: isObject(evidence) ? evidence : {} };
};

/** All criteria of the task, in the order of their ids. */
export const listCriteria = (store: Store, taskId: string): Criterion[] =>
  store.db.query<Row, [string]>("select * from acceptance_criteria where task_id = ? order by id").all(taskId).map(read);

const byText = (store: Store, taskId: string, source: CriterionSource, criterion: string): Criterion | null => {
  const row = store.db
    .query<Row, [string, string, string]>("select * from acceptance_criteria where task_id = ? and source = ? and criterion = ?")
    .get(taskId, source, criterion);
  return row && read(row);
};

/** The task's criteria with exactly this text, whatever their source. */
export const criteriaOfText = (store: Store, taskId: string, criterion: string): Criterion[] =>
  store.db
    .query<Row, [string, string]>("select * from acceptance_criteria where task_id = ? and criterion = ? order by id")
    .all(taskId, criterion)
    .map(read);

/** @throws Failure naming task and id when the task has no such criterion */
export function needCriterion(store: Store, task: Task, id: number): Criterion {
  const row = store.db.query<Row, [number, string]>("select * from acceptance_criteria where id = ? and task_id = ?").get(id, task.id);
  if (!row)
    throw new Failure(`task ${JSON.stringify(task.name)} has no criterion ${id}`, {
      hint: `conveyor criteria ${quoteWord(task.name)} --list`,
    });
  return read(row);
}

interface NewCriterion {
  readonly criterion: string;
  readonly source: CriterionSource;
  readonly status?: CriterionStatus;
  readonly proof?: string | null;
  readonly rationale?: string | null;
  readonly evidence?: Record<string, unknown>;
}

const payload = (row: Criterion) => ({
  criterion_id: row.id,
  criterion: row.criterion,
  status: row.status,
  source: row.source,
  proof: row.proof,
  rationale: row.rationale,
  evidence: row.evidence,
  task_id: row.task_id,
});

/** Evidence of a loop of this task belongs to that loop's run, everything else to the task's active one. */
function loopRun(store: Store, { task_id, evidence }: Criterion): { runId?: string } {
  const { ralph_loop_run_id: id } = evidence;
  const run = typeof id === "string" ? runById(store, id) : null;
  return run?.task_id === task_id ? { runId: run.id } : {};
}

function trace(store: Store, type: string, row: Criterion, previousStatus?: CriterionStatus): void {
  addTelemetry(store, {
    type,
    taskId: row.task_id,
    ...loopRun(store, row),
    summary: `criterion ${row.id} ${previousStatus === undefined ? "added" : `${previousStatus} -> ${row.status}`}`,
    correlation: { criterion_id: row.id, source: row.source },
    attributes: {
      criterion: row.criterion,
      status: row.status,
      has_proof: Boolean(row.proof),
      has_evidence: Object.keys(row.evidence).length > 0,
      previous_status: previousStatus,
    },
  });
}

const insert = (store: Store, taskId: string, input: NewCriterion): Criterion => {
  const now = store.now();
  store.db
    .query(
      `insert into acceptance_criteria (task_id, criterion, status, source, proof, rationale, evidence_json, created_at, updated_at)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      taskId,
      input.criterion,
      input.status ?? "proposed",
      input.source,
      input.proof ?? null,
      input.rationale ?? null,
      compactJson(input.evidence ?? {}),
      now,
      now,
    );
  return byText(store, taskId, input.source, input.criterion)!;
};

/** Adds a criterion, with event and telemetry; the same text from the same source is one criterion, which is then given back untouched. */
export function addCriterion(store: Store, taskId: string, input: NewCriterion): { criterion: Criterion; created: boolean } {
  return tx(store, () => {
    const known = byText(store, taskId, input.source, input.criterion);
    if (known) return { criterion: known, created: false };
    const criterion = insert(store, taskId, input);
    addEvent(store, { type: "acceptance_criterion_added", taskId, payload: { ...payload(criterion), created: true } });
    trace(store, "acceptance_criterion_added", criterion);
    return { criterion, created: true };
  });
}

/** Whether the evidence is the receipt of a command that this program ran for the criterion, or of a loop, and says that it held. */
function isMachineProof(store: Store, { id, evidence }: Criterion): boolean {
  const { evidence_run_id: run, ralph_loop_run_id: loop, status } = evidence;
  if (typeof run === "string")
    return store.db.query("select 1 from evidence_runs where id = ? and criterion_id = ? and exit_code = 0").get(run, id) !== null;
  return typeof loop === "string" && typeof status === "string" && evidenceStatus(status) === "satisfied";
}

/**
 * Sets a status; proof, rationale and evidence are replaced only when given. Event and telemetry are written also for a repetition.
 * @param given.evidence put in the place of the stored evidence
 * @param given.shown what a person shows: the same, but beside a machine's proof where there is one
 * @throws Failure when the id is not one of this task
 */
export function setCriterion(
  store: Store,
  task: Task,
  id: number,
  status: CriterionStatus,
  given: { proof?: string; rationale?: string; evidence?: JsonObject; shown?: JsonObject } = {},
): Criterion {
  return tx(store, () => {
    const old = needCriterion(store, task, id);
    const { shown, evidence = shown } = given;
    store.db
      .query("update acceptance_criteria set status = ?, proof = ?, rationale = ?, evidence_json = ?, updated_at = ? where id = ?")
      .run(
        status,
        given.proof ?? old.proof,
        given.rationale ?? old.rationale,
        compactJson(
          evidence !== undefined && evidence === shown && isMachineProof(store, old)
            ? besideProof(old.evidence, shown)
            : (evidence ?? old.evidence),
        ),
        store.now(),
        id,
      );
    const row = needCriterion(store, task, id);
    addEvent(store, {
      type: "acceptance_criterion_updated",
      taskId: task.id,
      payload: {
        ...payload(row),
        previous_status: old.status,
        previous_proof: old.proof,
        previous_rationale: old.rationale,
        previous_evidence: old.evidence,
      },
    });
    trace(store, "acceptance_criterion_updated", row, old.status);
    return row;
  });
}

/** What was to be held to these criteria was cut off: they are taken out of the ledger again, but for those that somebody has touched since. */
export function takeBackCriteria(store: Store, taskId: string, ids: readonly number[]): void {
  tx(store, () => {
    const gone = store.db.query("delete from acceptance_criteria where id = ? and status = 'accepted' and updated_at = created_at");
    const taken = ids.filter((id) => gone.run(id).changes > 0);
    if (taken.length > 0) addEvent(store, { type: "manager_acceptance_criteria_taken_back", taskId, payload: { criterion_ids: taken } });
  });
}

/**
 * Puts the acceptance texts of a configuration into the ledger as accepted, each that no criterion of the task has yet, and gives the new
 * ids.
 */
export function seedCriteria(store: Store, taskId: string, texts: readonly string[]): number[] {
  return tx(store, () => {
    const known = new Set(listCriteria(store, taskId).map((row) => row.criterion));
    const fresh = [...new Set(texts.map((text) => text.trim()))].filter((text) => text !== "" && !known.has(text));
    const ids = fresh.map((criterion) => {
      const row = insert(store, taskId, { criterion, source: "manager_inferred", status: "accepted" });
      trace(store, "acceptance_criterion_added", row);
      return row.id;
    });
    if (ids.length > 0)
      addEvent(store, { type: "manager_acceptance_criteria_seeded", taskId, payload: { criterion_ids: ids, source: "manager_config" } });
    return ids;
  });
}
