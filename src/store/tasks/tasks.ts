/** `tasks` and their budgets. */
import { Failure } from "../../core/failure.ts";
import { ACTIVE_TASK_STATES, type Budget, type Task, type TaskState } from "../../core/tasks/task.ts";
import { addEvent } from "../record/events.ts";
import { type Store, tx } from "../store.ts";

/** The task with this id or name; names repeat, the newest wins. Null when there is none. */
export const findTask = (store: Store, ref: string): Task | null =>
  store.db
    .query<Task, [string, string]>("select * from tasks where id = ? or name = ? order by julianday(created_at) desc, rowid desc limit 1")
    .get(ref, ref);

export const taskById = (store: Store, id: string): Task | null =>
  store.db.query<Task, [string]>("select * from tasks where id = ?").get(id);

/** @throws Failure naming the task when there is none of this id or name */
export function needTask(store: Store, ref: string): Task {
  const task = findTask(store, ref);
  if (!task) throw new Failure(`unknown task ${JSON.stringify(ref)}`, { hint: "conveyor tasks" });
  return task;
}

/** Creates a task in state `candidate`, with its event. Names may repeat. */
export function createTask(store: Store, input: { name: string; goal: string; summary?: string | null; state?: TaskState }): Task {
  return tx(store, () => {
    const now = store.now();
    const task: Task = {
      id: store.newId("task"),
      name: input.name,
      goal: input.goal,
      summary: input.summary ?? null,
      state: input.state ?? "candidate",
      created_at: now,
      updated_at: now,
    };
    store.db
      .query("insert into tasks (id, name, goal, summary, state, created_at, updated_at) values (?, ?, ?, ?, ?, ?, ?)")
      .run(task.id, task.name, task.goal, task.summary, task.state, now, now);
    addEvent(store, { type: "task_created", taskId: task.id, payload: { goal: task.goal, name: task.name, summary: task.summary } });
    return task;
  });
}

export function setTaskState(store: Store, taskId: string, state: TaskState): void {
  tx(store, () => void store.db.query("update tasks set state = ?, updated_at = ? where id = ?").run(state, store.now(), taskId));
}

interface BudgetRow {
  /** Null where a task has no budget. */
  readonly task_id: string | null;
  readonly max_nudges: number;
  readonly nudges_used: number;
  readonly expires_at: string | null;
}

const budgetFrom = (row: BudgetRow): Budget => ({
  max_nudges: row.max_nudges,
  nudges_used: row.nudges_used,
  nudges_remaining: Math.max(0, row.max_nudges - row.nudges_used),
  expires_at: row.expires_at,
});

/** The task's budget, or null when it has none. */
export function budgetOf(store: Store, taskId: string): Budget | null {
  const row = store.db
    .query<BudgetRow, [string]>("select task_id, max_nudges, nudges_used, expires_at from budgets where task_id = ?")
    .get(taskId);
  return row && budgetFrom(row);
}

/** All tasks in the order of their creation, each with its budget. */
export function listTasks(store: Store, options: { active?: boolean } = {}): (Task & { budget: Budget | null })[] {
  const where = options.active ? `where t.state in (${ACTIVE_TASK_STATES.map((state) => `'${state}'`).join(", ")})` : "";
  return store.db
    .query<Task & BudgetRow, []>(
      `select t.*, b.task_id, b.max_nudges, b.nudges_used, b.expires_at from tasks t left join budgets b on b.task_id = t.id ${where}
       order by julianday(t.created_at), t.rowid`,
    )
    .all()
    .map(({ task_id, max_nudges, nudges_used, expires_at, ...task }) => ({
      ...task,
      budget: task_id === null ? null : budgetFrom({ task_id, max_nudges, nudges_used, expires_at }),
    }));
}
