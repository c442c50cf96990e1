/** What the records of the demonstration say of how far it has come. */
import type { Store } from "./store.ts";

export interface DemoFacts {
  /** Times the news of an ended turn reached the manager, proven in its rollout. */
  readonly completionsProven: number;
  /** Times the manager's words reached the worker, proven in its rollout. */
  readonly nudgesProven: number;
  readonly cycles: number;
  readonly accepted: number;
  readonly satisfiedWithEvidence: number;
  /** Times the task could not be finished because a criterion was open. */
  readonly refusals: number;
  readonly taskState: string | null;
}

/** @param sessions names of the two sessions of the demonstration */
export function demoFacts(store: Store, taskId: string, sessions: { worker: string; manager: string }): DemoFacts {
  const count = (sql: string, ...values: string[]): number => store.db.query<{ n: number }, string[]>(sql).get(...values)?.n ?? 0;
  const proven = (name: string, from: string) =>
    count(
      `select count(*) as n from deliveries where task_id = ? and session_name = ? and state = 'delivered' and proof = 'seen' and ${from}`,
      taskId,
      name,
    );
  return {
    completionsProven: proven(sessions.manager, "notification_id is not null"),
    nudgesProven: proven(sessions.worker, "origin = 'session-nudge'"),
    cycles: count("select count(*) as n from manager_cycles where task_id = ? and state = 'succeeded'", taskId),
    accepted: count("select count(*) as n from acceptance_criteria where task_id = ? and status in ('accepted', 'satisfied')", taskId),
    satisfiedWithEvidence: count(
      `select count(*) as n from acceptance_criteria where task_id = ? and status = 'satisfied' and json_extract(evidence_json,
          '$.command') is not null`,
      taskId,
    ),
    refusals: count(
      `select count(*) as n from events where task_id = ? and type = 'finish_task_failed' and json_extract(payload_json,
          '$.failure_stage') = 'final_criteria_audit'`,
      taskId,
    ),
    taskState: store.db.query<{ state: string }, [string]>("select state from tasks where id = ?").get(taskId)?.state ?? null,
  };
}

export interface CrewFacts {
  /** Tasks of which the news that a turn has ended reached the manager, proven in its record. */
  readonly told: number;
  /** Tasks with a proof that held, made in a worktree. */
  readonly provenAlone: number;
  /** Ended ones, the oldest first. */
  readonly landings: readonly { readonly task: string; readonly state: string; readonly why: string | null }[];
}

/** The same of a crew: all that is on record is the demonstration's own. */
export const crewFacts = ({ db }: Store): CrewFacts => ({
  told: db
    .query<{ n: number }, []>(
      `select count(distinct task_id) as n from routed_notifications
       where signal_type = 'worker_task_complete' and state = 'delivered' and side_effect_completed = 1`,
    )
    .get()!.n,
  provenAlone: db
    .query<{ n: number }, []>(
      `select count(distinct e.task_id) as n from evidence_runs e join worktrees w on e.folder = w.path where e.exit_code = 0`,
    )
    .get()!.n,
  landings: db
    .query<{ task: string; state: string; why: string | null }, []>(
      `select t.name as task, l.state, l.why from landings l join tasks t on t.id = l.task_id where l.ended_at is not null
       order by l.began_at, l.rowid`,
    )
    .all(),
});
