/** A permission that an action of the manager needs. */
import { Failure } from "../../core/failure.ts";
import { checkPermission } from "../../core/tasks/permissions.ts";
import { quoteWord } from "../../core/shell.ts";
import type { Task } from "../../core/tasks/task.ts";
import { findConfig } from "../../store/tasks/manager-configs.ts";
import type { Store } from "../../store/store.ts";

/** @throws Failure naming the permission when the task's configuration does not grant it, or there is none */
export function needPermission(store: Store, task: Task, name: string): void {
  const { allowed, reasons } = checkPermission(findConfig(store, task.id)?.permissions ?? null, name, { required: false, present: false });
  if (!allowed) {
    throw new Failure(`task ${JSON.stringify(task.name)} does not permit ${name}: ${reasons.join(", ")}`, {
      hint: `if the operator agrees: conveyor manager-config ${quoteWord(task.name)} --permit ${name}`,
    });
  }
}
