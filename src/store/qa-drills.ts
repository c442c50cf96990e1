/** What QA drills look at in their database, besides what the commands print. */
import type { Store } from "./store.ts";

interface OpenIteration {
  readonly id: string;
  readonly state: "pending" | "attempted";
}

/** Requests for an iteration that Dispatch has not settled, oldest first. */
export const openIterations = (store: Store): OpenIteration[] =>
  store.db
    .query<OpenIteration, []>(
      `select id, state from commands where type = 'continue_iteration' and state in ('pending', 'attempted') order by
          julianday(created_at), id`,
    )
    .all();

/** How many messages a command became. */
export const routedCount = (store: Store, commandId: string): number =>
  store.db.query<{ n: number }, [string]>("select count(*) as n from routed_notifications where command_id = ?").get(commandId)!.n;
