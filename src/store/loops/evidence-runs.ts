/** `evidence_runs` (an extension): commands that this program ran itself to prove a criterion. */
import type { Criterion } from "../../core/tasks/criteria.ts";
import { type EvidenceRun, succeeded } from "../../core/loops/evidence-run.ts";
import { compactJson, parseStored } from "../../core/json.ts";
import type { Store } from "../store.ts";

interface Row extends Omit<EvidenceRun, "command" | "tree" | "tree_changed" | "timed_out"> {
  readonly command_json: string;
  readonly git_head: string | null;
  readonly git_dirty: number | null;
  readonly diff_sha256: string | null;
  readonly tree_changed: number;
  readonly timed_out: number;
}

const read = ({ command_json, git_head, git_dirty, diff_sha256, tree_changed, timed_out, ...row }: Row): EvidenceRun => ({
  ...row,
  command: parseStored<string[]>(command_json, []),
  tree: diff_sha256 === null ? null : { head: git_head, dirty: git_dirty === 1, diff_sha256 },
  tree_changed: tree_changed === 1,
  timed_out: timed_out === 1,
});

/** Inserts the record. Call it inside the transaction of the criterion it is about. */
export function addEvidenceRun(store: Store, run: EvidenceRun): void {
  store.db
    .query(
      `insert into evidence_runs (id, task_id, criterion_id, loop_run_id, iteration, evidence_type, command_json, folder, git_head, git_dirty, diff_sha256,
         tree_changed, started_at, duration_ms, exit_code, signal, timed_out, output_bytes, output_sha256, output_tail)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      run.id,
      run.task_id,
      run.criterion_id,
      run.loop_run_id,
      run.iteration,
      run.evidence_type,
      compactJson(run.command),
      run.folder,
      run.tree?.head ?? null,
      run.tree === null ? null : Number(run.tree.dirty),
      run.tree?.diff_sha256 ?? null,
      Number(run.tree_changed),
      run.started_at,
      run.duration_ms,
      run.exit_code,
      run.signal,
      Number(run.timed_out),
      run.output_bytes,
      run.output_sha256,
      run.output_tail,
    );
}

/** The task's evidence runs, youngest first; with a criterion only its own. */
export const listEvidenceRuns = (store: Store, taskId: string, criterionId?: number): EvidenceRun[] =>
  store.db
    .query<Row, [string, number | null]>(
      `select * from evidence_runs where task_id = ?1 and (?2 is null or criterion_id = ?2) order by julianday(started_at) desc, rowid
          desc`,
    )
    .all(taskId, criterionId ?? null)
    .map(read);

export function evidenceRunById(store: Store, id: string): EvidenceRun | null {
  const row = store.db.query<Row, [string]>("select * from evidence_runs where id = ?").get(id);
  return row && read(row);
}

/**
 * The run that proves this criterion, or null: it is satisfied, its evidence names a run, and the record of that run, which only
 * `evidence run` writes, is about this criterion and ended well.
 */
export function provingRun(store: Store, criterion: Criterion): EvidenceRun | null {
  const { evidence_run_id: id } = criterion.evidence;
  if (criterion.status !== "satisfied" || typeof id !== "string") return null;
  const row = store.db.query<Row, [string, number]>("select * from evidence_runs where id = ? and criterion_id = ?").get(id, criterion.id);
  const run = row && read(row);
  return run && succeeded(run) ? run : null;
}
