/** The task's mutations with the decisions behind them. */
import {
  ALLOWED_DECISIONS,
  judgeMutation,
  type LinkedDecision,
  type MutationCommand,
  type MutationRecord,
} from "../../core/tasks/mutation.ts";
import { type Row, shown } from "../../core/row.ts";
import { rows } from "../reading.ts";
import type { Store } from "../store.ts";

const TYPES = Object.keys(ALLOWED_DECISIONS)
  .map((type) => `'${type}'`)
  .join(", ");

interface Timed {
  readonly id: number;
  readonly at: number | null;
}

/** The task's mutations in the order of its commands, each judged. */
export function* mutations(store: Store, taskId: string): Generator<MutationRecord> {
  const byId = (id: number): LinkedDecision | null => {
    const row = store.db.query<Row, [number, string]>("select * from manager_decisions where id = ? and task_id = ?").get(id, taskId);
    return row && shown(row);
  };
  // Commands and decisions are walked side by side by instant; of the decisions passed so far the one with the highest id is the nearest.
  const decisions = rows<Timed>(
    store,
    "select id, julianday(created_at) as at from manager_decisions where task_id = ? order by julianday(created_at), id",
    taskId,
  );
  try {
    let ahead = decisions.next();
    let nearest = 0;
    const commands = rows<Row>(
      store,
      `select *, julianday(created_at) as at from commands where task_id = ? and type in (${TYPES}) order by julianday(created_at), id`,
      taskId,
    );
    for (const { at, ...row } of commands) {
      for (; !ahead.done && (ahead.value.at ?? 0) <= ((at as number | null) ?? 0); ahead = decisions.next())
        nearest = Math.max(nearest, ahead.value.id);
      yield judgeMutation(shown(row) as unknown as MutationCommand, byId, nearest === 0 ? null : byId(nearest));
    }
  } finally {
    decisions.return(undefined);
  }
}

interface MutationCounts {
  readonly mutations: number;
  readonly with_warnings: number;
}

/** How many there are, and how many are not covered by a decision. */
export function countMutations(store: Store, taskId: string): MutationCounts {
  const counts = { mutations: 0, with_warnings: 0 };
  for (const { ok } of mutations(store, taskId)) {
    counts.mutations++;
    if (!ok) counts.with_warnings++;
  }
  return counts;
}
