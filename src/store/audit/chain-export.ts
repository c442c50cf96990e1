/** The chain of a task as an export carries it, and what else tells how old the state is. */
import type { ExportedLink } from "../../core/chain.ts";
import { type ChainHead, rowHash } from "../record/chain.ts";
import { chainLinks, linkedRow } from "./chain-verify.ts";
import { rows } from "../reading.ts";
import type { Store } from "../store.ts";

/** Every link with the hash of its row. */
export function* exportedLinks(store: Store, end: ChainHead): Generator<ExportedLink> {
  for (const link of chainLinks(store, end)) {
    const row = linkedRow(store, link);
    yield { hash: link.hash, id: link.id, row_sha256: row && rowHash(link.table, row), table: link.table };
  }
}

/** When the newest record of the task was written: the time of its state. */
export function stateTime(store: Store, taskId: string): string {
  const newest = rows<{ at: string }>(
    store,
    `select at from (
       select updated_at as at from tasks where id = ?1
       union all select * from (select created_at from events where task_id = ?1 order by id desc limit 1)
       union all select * from (select timestamp from telemetry_events where task_id = ?1 order by julianday(timestamp) desc limit 1)
       union all select * from (select updated_at from commands where task_id = ?1 order by julianday(updated_at) desc limit 1)
       ${[
         "manager_decisions",
         "task_acknowledgements",
         "task_continuations",
         "continuation_reviews",
         "worker_handoffs",
         "transcript_segments",
         "agent_observations",
       ]
         .map((table) => `union all select * from (select created_at from ${table} where task_id = ?1 order by id desc limit 1)`)
         .join("\n       ")}
       union all select * from (select captured_at from terminal_captures where task_id = ?1 order by id desc limit 1)
       union all select * from (select coalesce(finished_at, started_at) from epilogue_runs where task_id = ?1 order by id desc limit 1)
       union all select * from (select coalesce(consumed_at, delivered_at, created_at) from routed_notifications where task_id = ?1 order
         by id desc limit 1)
       union all select * from (select coalesce(completed_at, started_at) from manager_cycles where task_id = ?1 order by
         julianday(coalesce(completed_at, started_at)) desc limit 1)
     ) order by julianday(at) desc limit 1`,
    taskId,
  );
  return [...newest][0]!.at;
}
