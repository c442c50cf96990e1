/** `bindings`: which worker and manager session are joined on which task. */
import { COMPLETION } from "../../core/dispatch/queued-command.ts";
import { Failure } from "../../core/failure.ts";
import { type Session, wayBack } from "../../core/sessions/session.ts";
import type { Task } from "../../core/tasks/task.ts";
import { quoteWord } from "../../core/shell.ts";
import { addEvent } from "../record/events.ts";
import { AGENT_JOIN, SESSION_COLUMNS } from "./agents.ts";
import { takeCrews } from "./crews.ts";
import { sessionById } from "./sessions.ts";
import { type Store, tx } from "../store.ts";

export interface Binding {
  readonly id: string;
  readonly task_id: string;
  readonly worker_id: string | null;
  readonly manager_id: string | null;
  readonly worker_session_id: string | null;
  readonly manager_session_id: string | null;
  readonly state: "active" | "ending" | "ended" | "invalid";
  readonly created_at: string;
  readonly ended_at: string | null;
}

/** A binding whose both sides are registered sessions. */
export interface Pairing {
  readonly binding: Binding;
  readonly worker: Session;
  readonly manager: Session;
}

/** The task's open (active or ending) binding, or null; a partial unique index keeps it one. */
export const openBinding = (store: Store, taskId: string): Binding | null =>
  store.db.query<Binding, [string]>("select * from bindings where task_id = ? and state in ('active', 'ending')").get(taskId);

/** The task's open binding, else the one made last, whatever became of it; null when it never had one. */
export const latestBinding = (store: Store, taskId: string): Binding | null =>
  openBinding(store, taskId) ??
  store.db
    .query<Binding, [string]>("select * from bindings where task_id = ? order by julianday(created_at) desc, rowid desc limit 1")
    .get(taskId);

/** The open bindings of this session on either side, the oldest first: of a worker at most one, of a manager many. */
export const bindingsOfSession = (store: Store, sessionId: string): Binding[] =>
  store.db
    .query<Binding, [string, string]>(
      `select b.* from (
         select rowid as place from bindings where worker_session_id = ?1 and state in ('active', 'ending')
         union all select rowid from bindings where manager_session_id = ?2 and state in ('active', 'ending')) p
       cross join bindings b on b.rowid = p.place order by p.place`,
    )
    .all(sessionId, sessionId);

/** The open binding to which a fact about this session belongs; null when it has none, or leads several. */
export function soleBinding(store: Store, sessionId: string): Binding | null {
  const [binding, another] = bindingsOfSession(store, sessionId);
  return another === undefined ? (binding ?? null) : null;
}

/** The task of {@link soleBinding}. */
export const taskOfSession = (store: Store, sessionId: string): string | null => soleBinding(store, sessionId)?.task_id ?? null;

/** The tasks, apart from this one, on which the session is bound: those that its manager leads beside it. */
export const otherTasksOf = (store: Store, sessionId: string, taskId: string): string[] =>
  bindingsOfSession(store, sessionId).flatMap(({ task_id }) => (task_id === taskId ? [] : task_id));

/** The task's open binding with both sessions, or null. */
export function findPairing(store: Store, taskId: string): Pairing | null {
  const binding = openBinding(store, taskId);
  if (!binding?.worker_session_id || !binding.manager_session_id) return null;
  const worker = sessionById(store, binding.worker_session_id);
  const manager = sessionById(store, binding.manager_session_id);
  return worker && manager ? { binding, worker, manager } : null;
}

/** @throws Failure naming the task when it has no open binding of two sessions */
export function needPairing(store: Store, task: Task): Pairing {
  const pairing = findPairing(store, task.id);
  if (!pairing) {
    // One that is over takes none any more, and can still be read.
    const over = task.state === "done" || task.state === "failed";
    throw new Failure(`task ${JSON.stringify(task.name)} has no active binding`, {
      hint: over
        ? `it is ${task.state}; conveyor replay ${quoteWord(task.name)}`
        : `conveyor bind --task ${quoteWord(task.name)} --worker NAME --manager NAME`,
    });
  }
  return pairing;
}

const taskName = (store: Store, { task_id }: Binding): string =>
  store.db.query<{ name: string }, [string]>("select name from tasks where id = ?").get(task_id)?.name ?? task_id;

/** The names of the tasks of these bindings, for a sentence. */
export const tasksIn = (store: Store, bindings: readonly Binding[]): string =>
  `${bindings.length === 1 ? "task" : "tasks"} ${bindings.map((each) => JSON.stringify(taskName(store, each))).join(", ")}`;

/** @param also another way than to end the binding that is in the way */
function refuseBound(store: Store, what: string, bound: readonly Binding[], also = ""): void {
  const [first] = bound;
  if (first === undefined) return;
  const which = bound.length === 1 ? `, binding ${first.id}` : "";
  throw new Failure(`${what} is already bound: ${tasksIn(store, bound)}${which}`, {
    hint: `${also}conveyor unbind --task ${quoteWord(taskName(store, first))}`,
  });
}

/** @throws Failure when the manager is bound, and would lead a second worker without that being wanted */
const refuseCrew = (store: Store, manager: Session): void =>
  refuseBound(
    store,
    `manager ${JSON.stringify(manager.name)}`,
    bindingsOfSession(store, manager.id),
    "with --crew it leads this worker too; or give up the other: ",
  );

/** How a binding is to be made. */
interface BindOptions {
  /** The manager may be bound already: it then leads several workers, each on a task of its own. */
  readonly crew?: boolean;
}

/**
 * Joins a worker and a manager on a task, with the event. All refusals happen inside the transaction, so a race ends in the same message.
 * @throws Failure when the task is over, a session is gone, or anything is bound already, but the manager of a crew
 */
export function bind(store: Store, task: Task, worker: Session, manager: Session, { crew = false }: BindOptions = {}): Binding {
  return tx(store, () => {
    if (task.state === "done" || task.state === "failed")
      throw new Failure(`task ${JSON.stringify(task.name)} is ${task.state} and takes no binding`, { hint: "conveyor tasks --active" });
    for (const session of [worker, manager]) {
      if (session.state === "gone")
        throw new Failure(`session ${JSON.stringify(session.name)} is gone`, {
          hint: wayBack(session),
        });
    }
    const bound = openBinding(store, task.id);
    refuseBound(store, `task ${JSON.stringify(task.name)}`, bound === null ? [] : [bound]);
    refuseBound(store, `worker ${JSON.stringify(worker.name)}`, bindingsOfSession(store, worker.id));
    const isSecond = bindingsOfSession(store, manager.id).length > 0;
    if (isSecond) {
      if (!crew) refuseCrew(store, manager);
      takeCrews(store);
    }
    const id = store.newId("binding");
    store.db
      .query(
        `insert into bindings (id, task_id, worker_id, manager_id, worker_session_id, manager_session_id, state, created_at) values (?,
            ?, null, null, ?, ?, 'active', ?)`,
      )
      .run(id, task.id, worker.id, manager.id, store.now());
    addEvent(store, {
      type: "binding_created",
      taskId: task.id,
      payload: { binding_id: id, task: task.name, worker: worker.name, manager: manager.name, ...(isSecond ? { crew: true } : {}) },
    });
    return openBinding(store, task.id)!;
  });
}

/**
 * Ends the task's open binding, with the event.
 * @throws Failure when there is none
 */
export function unbind(store: Store, task: Task): void {
  tx(store, () => {
    const ended = store.db
      .query("update bindings set state = 'ended', ended_at = ? where task_id = ? and state in ('active', 'ending')")
      .run(store.now(), task.id);
    if (ended.changes === 0) throw new Failure(`task ${JSON.stringify(task.name)} has no active binding`, { hint: "conveyor discover" });
    addEvent(store, { type: "binding_ended", taskId: task.id, payload: { task: task.name } });
  });
}

/** The worker sessions of all open bindings that have a manager session too. */
export const boundWorkers = (store: Store): Session[] =>
  store.db
    .query<Session, []>(
      `select ${SESSION_COLUMNS} from bindings b indexed by one_active_binding_per_worker_session
         join sessions s on s.id = b.worker_session_id ${AGENT_JOIN}
       where b.state in ('active', 'ending') and b.worker_session_id is not null and b.manager_session_id is not null order by b.rowid`,
    )
    .all();

/** The pairs that this manager leads, the oldest first. */
export const crewOf = (store: Store, managerId: string): Pairing[] =>
  bindingsOfSession(store, managerId).flatMap((binding) =>
    binding.manager_session_id === managerId ? (findPairing(store, binding.task_id) ?? []) : [],
  );

/** Whether this binding has not ended. */
export const isOpenBinding = (store: Store, bindingId: string): boolean =>
  store.db.query("select 1 from bindings where id = ? and state in ('active', 'ending')").get(bindingId) !== null;

/** The manager sessions of all open bindings, each once. */
export const boundManagers = (store: Store): Session[] =>
  store.db
    .query<Session, []>(
      `select ${SESSION_COLUMNS} from bindings b join sessions s on s.id = b.manager_session_id ${AGENT_JOIN}
       where b.state in ('active', 'ending') group by s.id order by min(b.rowid)`,
    )
    .all();

/** The managers of all open bindings, and those of ended ones for which the end of a turn still waits to be told: each once. */
export function managersToTell(store: Store): Session[] {
  const bound = boundManagers(store);
  const waitedFor = store.db
    .query<{ id: string }, []>(
      `select distinct target_session_id as id from routed_notifications where state = 'pending' and signal_type = '${COMPLETION}' and
        side_effect_started = 0`,
    )
    .all();
  const left = waitedFor.filter(({ id }) => !bound.some((manager) => manager.id === id));
  return [...bound, ...left.flatMap(({ id }) => sessionById(store, id) ?? [])];
}
