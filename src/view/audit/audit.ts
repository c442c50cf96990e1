/** The audit and the mutation audit as text. */
import type { Shown } from "../../core/row.ts";
import type { MutationRecord } from "../../core/tasks/mutation.ts";
import type { Task } from "../../core/tasks/task.ts";

/** The task's line, then one for each event. */
export function* auditText(task: Task, events: Iterable<Shown>): Generator<string> {
  yield [task.name, task.state, task.goal].join("\t");
  for (const { created_at, type, actor, command_id } of events) {
    yield [created_at, type, `actor=${actor}`, ...(command_id === null ? [] : [`command=${command_id}`])].join("\t");
  }
}

/** The task's line with the counts, then one for each mutation. */
export function* mutationText(
  task: Task,
  counts: { mutations: number; with_warnings: number },
  records: Iterable<MutationRecord>,
): Generator<string> {
  yield [task.name, `mutations=${counts.mutations}`, `warnings=${counts.with_warnings}`].join("\t");
  for (const { command, linked_decision, warnings } of records) {
    yield [command.created_at, command.type, `decision=${linked_decision?.id ?? "-"}`, warnings.join(",") || "ok"].join("\t");
  }
}
