/** The audit as text. */
import type { Shown } from "../../core/row.ts";
import type { Task } from "../../core/tasks/task.ts";

/** The task's line, then one for each event. */
export function* auditText(task: Task, events: Iterable<Shown>): Generator<string> {
  yield [task.name, task.state, task.goal].join("\t");
  for (const { created_at, type, actor, command_id } of events) {
    yield [created_at, type, `actor=${actor}`, ...(command_id === null ? [] : [`command=${command_id}`])].join("\t");
  }
}
