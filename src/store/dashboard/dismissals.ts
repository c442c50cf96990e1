/** `dashboard_dismissals`: what a person has looked at and does not want to be told of again. */
import { type Store, tx } from "../store.ts";

/** Takes an item off the list of what waits; again is no error. Gives whether it was still on it. */
export const dismiss = (store: Store, taskId: string, item: string): boolean =>
  tx(
    store,
    () =>
      store.db
        .query("insert or ignore into dashboard_dismissals (task_id, item, dismissed_at) values (?, ?, ?)")
        .run(taskId, item, store.now()).changes > 0,
  );
