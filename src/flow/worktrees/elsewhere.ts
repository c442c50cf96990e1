/** Whether a command runs where the work of a task lies. */
import { sep } from "node:path";
import type { Task } from "../../core/tasks/task.ts";
import { latestBinding } from "../../store/sessions/bindings.ts";
import { sessionById } from "../../store/sessions/sessions.ts";
import type { Store } from "../../store/store.ts";
import { worktreeOfWorker } from "../../store/worktrees.ts";
import { realPath } from "../../system/files/folders.ts";

/** The worktree of the task's worker when `folder` lies outside of it; null: there is none, or it lies within. */
export function worktreeElsewhere(store: Store, task: Pick<Task, "id">, folder: string): { worker: string; path: string } | null {
  const id = latestBinding(store, task.id)?.worker_session_id ?? null;
  const worker = id === null ? null : (sessionById(store, id)?.name ?? null);
  const tree = worker === null ? null : worktreeOfWorker(store, worker);
  if (tree === null || tree.state !== "made") return null;
  const [root, here] = [realPath(tree.path), realPath(folder)];
  return here === root || here.startsWith(root + sep) ? null : { worker: tree.worker, path: tree.path };
}
