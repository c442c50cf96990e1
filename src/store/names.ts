/** What is said of a name that nothing has: whether it is one of another kind, and which names it could have been meant for. */
import { Failure } from "../core/failure.ts";
import type { Store } from "./store.ts";

/** So many of the newest names are compared with a mistyped one. */
const MOST = 500;

const namesOf = (store: Store, table: "tasks" | "sessions"): string[] =>
  store.db
    .query<{ name: string }, [number]>(`select distinct name from (select name from ${table} order by rowid desc limit ?)`)
    .all(MOST)
    // A damaged file can hold anything in place of a name.
    .flatMap(({ name }) => (typeof name === "string" ? [name] : []));

interface Member {
  readonly task: string;
  readonly worker: string | null;
}

/** The task of this name that somebody works on, with its worker; else any. */
const asTask = (store: Store, ref: string): Member | null =>
  store.db
    .query<Member, [string]>(
      `select t.name as task, s.name as worker from tasks t
         left join bindings b on b.task_id = t.id and b.state in ('active', 'ending') left join sessions s on s.id = b.worker_session_id
       where t.id = ?1 or t.name = ?1 order by s.name is null limit 1`,
    )
    .get(ref);

/** The refusal of a task that is not there. */
export function unknownTask(store: Store, ref: string): Failure {
  const row = store.db
    .query<Member, [string]>(
      `select s.name as worker, t.name as task from sessions s
         left join bindings b on s.id in (b.worker_session_id, b.manager_session_id) and b.state in ('active', 'ending')
         left join tasks t on t.id = b.task_id where s.name = ? limit 1`,
    )
    .get(ref);
  const also = row === null ? "" : row.task === null ? "; it is a session" : `; it is a session, of task ${JSON.stringify(row.task)}`;
  return new Failure(`unknown task ${JSON.stringify(ref)}${also}`, {
    hint: "conveyor tasks",
    similar: { typed: ref, names: row === null ? namesOf(store, "tasks") : [] },
  });
}

/** The refusal of a session that is not there. @param what how the sentence begins, for instance `unknown session` */
export function unknownSession(store: Store, name: string, what = "unknown session"): Failure {
  const row = asTask(store, name);
  const also =
    row === null
      ? ""
      : row.worker === null
        ? "; it is a task, and nobody works on it"
        : `; it is a task, whose worker is ${JSON.stringify(row.worker)}`;
  return new Failure(`${what} ${JSON.stringify(name)}${also}`, {
    hint: "conveyor sessions --state all",
    similar: { typed: name, names: row === null ? namesOf(store, "sessions") : [] },
  });
}

/** The refusal of a name that neither a session nor a task has. */
export const unknownTarget = (store: Store, name: string): Failure =>
  new Failure(`there is no session and no task ${JSON.stringify(name)}`, {
    hint: "conveyor sessions --state all; conveyor tasks",
    similar: { typed: name, names: [...new Set([...namesOf(store, "sessions"), ...namesOf(store, "tasks")])] },
  });
