/** Sessions whose end nobody asked for, and the bindings that wait for them to come back. */
import { INTERRUPTED, type Session } from "../../core/sessions/session.ts";
import { ACTIVE_TASK_STATES } from "../../core/tasks/task.ts";
import { addEvent } from "../record/events.ts";
import { type Store, tx } from "../store.ts";
import { AGENT_JOIN, SESSION_COLUMNS } from "./agents.ts";
import { takesCrews } from "./crews.ts";

interface Row {
  readonly type: string;
  readonly name: string;
  readonly reason: string | null;
}

/** Whether the end of a session that is gone was asked for by nobody: it was found dead, and `revive` brings it back. */
export const endedUnasked = (store: Store, { name }: Pick<Session, "name">): boolean => foundDead(store, name).has(name);

/**
 * Names of the sessions of which the last thing on record is that they were found dead: not stopped, nor finished with their task, nor
 * taken off the record since. A start that was interrupted, and has taken itself back, is as if it had never been.
 * @param only this one
 */
function foundDead(store: Store, only: string | null = null): Set<string> {
  const told = new Map<string, string[]>();
  // stop names the session as `session`, everything else as `name`.
  const rows = store.db.query<Row, [string | null]>(
    `select type, coalesce(payload_json ->> 'session', payload_json ->> 'name') as name, payload_json ->> 'reason' as reason from events
     where type in ('session_registered', 'session_stopped', 'session_deregistered', 'session_marked_gone_by_reconcile')
       and (?1 is null or ?1 = coalesce(payload_json ->> 'session', payload_json ->> 'name')) order by id`,
  );
  for (const { type, name, reason } of rows.iterate(only)) {
    const before = told.get(name) ?? [];
    if (type === "session_stopped" && reason === INTERRUPTED) {
      if (before.at(-1) === "session_registered") before.pop();
    } else before.push(type);
    told.set(name, before);
  }
  return new Set([...told].flatMap(([name, types]) => (types.at(-1) === "session_marked_gone_by_reconcile" ? name : [])));
}

/** The sessions that were found dead, and are gone for no other reason; in the order of their registration. */
export function goneUnasked(store: Store): Session[] {
  const dead = foundDead(store);
  if (dead.size === 0) return [];
  return store.db
    .query<Session, []>(`select ${SESSION_COLUMNS} from sessions s ${AGENT_JOIN} where s.state = 'gone' order by s.registered_at, s.rowid`)
    .all()
    .filter(({ name }) => dead.has(name));
}

/** A binding that is open, or was until one of its ends was found dead, of a task that is still worked on. */
export interface WaitingBinding {
  readonly id: string;
  readonly state: "active" | "ending" | "invalid";
  readonly task_id: string;
  readonly task_name: string;
  readonly worker_session_id: string;
  readonly manager_session_id: string;
}

const open = ACTIVE_TASK_STATES.map((state) => `'${state}'`).join(", ");

/** One for each task that has such a binding as its last, the oldest first. A task whose end has begun is left out. */
export const waitingBindings = (store: Store): WaitingBinding[] =>
  store.db
    .query<WaitingBinding, []>(
      `select b.id, b.state, t.id as task_id, t.name as task_name, b.worker_session_id, b.manager_session_id
       from tasks t join bindings b on b.id = (select l.id from bindings l where l.task_id = t.id
         order by l.state in ('active', 'ending') desc, julianday(l.created_at) desc, l.rowid desc limit 1)
       where t.state in (${open}) and b.state <> 'ended' and b.worker_session_id is not null and b.manager_session_id is not null
         and not exists (select 1 from commands c where c.task_id = t.id and c.type in ('finish_task', 'stop_task')
           and c.state in ('pending', 'attempted'))
       order by julianday(b.created_at), b.rowid`,
    )
    .all();

/**
 * The binding that an end of one of its sides made invalid is active again, with its event, once both sides are on record as running.
 * Those that a manager led beside it at the end of this one are no others.
 * @returns whether it is now, and was not before; false too when task or side are bound otherwise meanwhile
 */
export const reviveBinding = (store: Store, { id, task_id, task_name }: WaitingBinding): boolean =>
  tx(store, () => {
    const crews = takesCrews(store);
    const revived = store.db
      .query(
        `update bindings set state = 'active', ended_at = null where id = ? and state = 'invalid'
           and exists (select 1 from tasks t where t.id = bindings.task_id and t.state in (${open}))
           and 2 = (select count(*) from sessions s where s.id in (bindings.worker_session_id, bindings.manager_session_id)
             and s.state = 'active')
           and not exists (select 1 from bindings o where o.state in ('active', 'ending') and (o.task_id = bindings.task_id
             or o.worker_session_id = bindings.worker_session_id or (o.manager_session_id = bindings.manager_session_id
               and not (? and julianday(o.created_at) < julianday(bindings.ended_at)))))`,
      )
      .run(id, crews ? 1 : 0);
    if (revived.changes === 0) return false;
    addEvent(store, { type: "binding_revived", taskId: task_id, payload: { binding_id: id, task: task_name } });
    return true;
  });
