/** `tasks` and their budgets. */
import { Failure } from "../../core/failure.ts";
import { ACTIVE_TASK_STATES, type Budget, type Task, type TaskState } from "../../core/tasks/task.ts";
import { addEvent } from "../record/events.ts";
import { unknownTask } from "../names.ts";
import { type Store, tx } from "../store.ts";

const isOpen = `state in (${ACTIVE_TASK_STATES.map((state) => `'${state}'`).join(", ")})`;
const isBound = "exists (select 1 from bindings b where b.task_id = tasks.id and b.state in ('active', 'ending'))";
const newestFirst = "julianday(created_at) desc, rowid desc";

/**
 * Which task a name means, for whoever tells what happened: the newest of that name. An id means its own task, whatever others are called.
 * Null when there is none.
 */
export const findNewestTask = (store: Store, ref: string): Task | null =>
  store.db.query<Task, [string]>(`select * from tasks where id = ?1 or name = ?1 order by id = ?1 desc, ${newestFirst} limit 1`).get(ref);

/**
 * Which task a name means, for whoever acts on one: that of this id; else the bound one of this name, then the newest open one, then the
 * newest. Null when there is none.
 * @throws Failure naming them when several of this name are bound
 */
export function findTask(store: Store, ref: string): Task | null {
  const [first, second] = store.db
    .query<Task & { bound: number; is_id: number }, [string]>(
      `select *, ${isBound} as bound, id = ?1 as is_id from tasks where id = ?1 or name = ?1
       order by is_id desc, bound desc, ${isOpen} desc, ${newestFirst} limit 2`,
    )
    .all(ref);
  if (!first) return null;
  const { bound, is_id, ...task } = first;
  if (!is_id && bound && second?.bound) throw severalBound(store, ref);
  return task;
}

function severalBound(store: Store, name: string): Failure {
  const rows = store.db
    .query<{ id: string; worker: string | null; manager: string | null }, [string]>(
      `select tasks.id, w.name as worker, m.name as manager from tasks join bindings b on b.task_id = tasks.id and b.state in ('active', 'ending')
         left join sessions w on w.id = b.worker_session_id left join sessions m on m.id = b.manager_session_id
       where tasks.name = ? order by julianday(tasks.created_at), tasks.rowid`,
    )
    .all(name);
  const list = rows.map(({ id, worker, manager }) => `${id} (${[worker, manager].filter((each) => each !== null).join(" and ")})`);
  return new Failure(`${rows.length} bound tasks are called ${JSON.stringify(name)}: ${list.join(", ")}`, {
    hint: "give the id in place of the name; conveyor discover shows all pairs",
  });
}

/** The newest open task of exactly this name, or null. */
export const openTaskNamed = (store: Store, name: string): Task | null =>
  store.db.query<Task, [string]>(`select * from tasks where name = ? and ${isOpen} order by ${newestFirst} limit 1`).get(name);

export const taskById = (store: Store, id: string): Task | null =>
  store.db.query<Task, [string]>("select * from tasks where id = ?").get(id);

/** As `findTask`, for acting on it. @throws Failure also when there is none, with a likely spelling */
export function needTask(store: Store, ref: string): Task {
  const task = findTask(store, ref);
  if (!task) throw unknownTask(store, ref);
  return task;
}

/** As `findNewestTask`, for telling what happened. @throws Failure when there is none, with a likely spelling */
export function needNewestTask(store: Store, ref: string): Task {
  const task = findNewestTask(store, ref);
  if (!task) throw unknownTask(store, ref);
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

/** What was to be done with it was cut off before it began: it is failed, and its name is free again. @param reason why */
export function takeBackTask(store: Store, { id, name }: Task, reason: string): void {
  tx(store, () => {
    setTaskState(store, id, "failed");
    addEvent(store, { type: "task_taken_back", taskId: id, payload: { name, reason } });
  });
}

/** Whether it is one that was taken back. */
export const isTakenBack = (store: Store, { id, state }: Task): boolean =>
  state === "failed" && store.db.query("select 1 from events where task_id = ? and type = 'task_taken_back' limit 1").get(id) !== null;

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
