/** What a person has put away, and does not want to be told of again. */
import { type Store, tx } from "../store.ts";

/** What was put away. */
export const dismissedOf = (store: Store, taskId: string): string[] =>
  store.db
    .query<{ item: string }, [string]>("select item from dashboard_dismissals where task_id = ?")
    .all(taskId)
    .map((row) => row.item);

/** Takes an item off the list of what waits, once a person has looked at it; again is no error. Gives whether it was still on it. */
export const dismiss = (store: Store, taskId: string, item: string): boolean =>
  tx(
    store,
    () =>
      store.db
        .query("insert or ignore into dashboard_dismissals (task_id, item, dismissed_at) values (?, ?, ?)")
        .run(taskId, item, store.now()).changes > 0,
  );
