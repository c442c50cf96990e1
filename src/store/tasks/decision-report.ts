/** Decisions listed for reports: why, but not with what. */
import { keysOf } from "../../core/dispatch/command-facts.ts";
import { parseStored } from "../../core/json.ts";
import type { Store } from "../store.ts";

export interface DecisionFacts {
  readonly id: number;
  readonly task_id: string;
  readonly manager_id: string | null;
  readonly manager_cycle_id: number | null;
  readonly decision: string;
  readonly reason: string;
  readonly created_at: string;
  readonly payload_keys: string[];
}

/** The task's decisions, newest first. */
export const newestDecisions = (store: Store, taskId: string, limit: number): DecisionFacts[] =>
  store.db
    .query<Omit<DecisionFacts, "payload_keys"> & { payload_json: string }, [string, number]>(
      "select * from manager_decisions where task_id = ? order by id desc limit ?",
    )
    .all(taskId, limit)
    .map(({ payload_json, ...row }) => ({ ...row, payload_keys: keysOf(parseStored<unknown>(payload_json, {})) }));
