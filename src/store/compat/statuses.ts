/** `statuses`: what workers report of themselves, one row a report. */
import type { WorkerStatus } from "../../core/tasks/worker-status.ts";
import { addEvent } from "../record/events.ts";
import { type Store, tx } from "../store.ts";
import { putWorker, type SeenWorker } from "./workers.ts";

/** The newest report of the worker of this name, or null. */
export const latestStatus = (store: Store, name: string): WorkerStatus | null =>
  store.db
    .query<WorkerStatus, [string]>(
      `select s.state, s.current_task, s.next_action, s.blocker, s.created_at as last_update from workers w join statuses s on s.worker_id = w.id
       where w.name = ? order by s.id desc limit 1`,
    )
    .get(name);

/** Stores a report with its event and puts its worker on record. Its time is set here. */
export function addStatus(store: Store, worker: SeenWorker, report: Omit<WorkerStatus, "last_update">): WorkerStatus {
  return tx(store, () => {
    const id = putWorker(store, worker);
    const now = store.now();
    store.db
      .query("insert into statuses (worker_id, state, current_task, next_action, blocker, created_at) values (?, ?, ?, ?, ?, ?)")
      .run(id, report.state, report.current_task, report.next_action, report.blocker, now);
    const status: WorkerStatus = { ...report, last_update: now };
    addEvent(store, { type: "status_updated", workerId: id, payload: { ...status } });
    return status;
  });
}
