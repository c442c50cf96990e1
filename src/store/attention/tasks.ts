/** What stands on record of a task that decides what needs a person: its pair, its queue, its criteria. Indexed lookups only. */
import type { Session } from "../../core/sessions/session.ts";
import type { SideAsk, Trouble } from "../../core/attention/situation.ts";
import { ACTIVE_TASK_STATES, type Task } from "../../core/tasks/task.ts";
import { openAsks } from "../asks.ts";
import { untoldTurns } from "../dispatch/completions.ts";
import { newestTurnEvent, type TurnEvent } from "../observe/codex-events.ts";
import { type Binding, bindingsOfSession, openBinding } from "../sessions/bindings.ts";
import { AGENT_JOIN, SESSION_COLUMNS } from "../sessions/agents.ts";
import { endedUnasked } from "../sessions/revivable.ts";
import { sessionById } from "../sessions/sessions.ts";
import type { Store } from "../store.ts";
import { type OverBudget, overBudget } from "./budgets.ts";
import { dismissedOf } from "./dismissals.ts";
import { type Limited, limitedUntil, limitOverSince } from "./limits.ts";
import { failedOf, uncertainOf } from "./troubles.ts";

/** A session as recorded. */
export interface SideFacts {
  readonly session: Session;
  /** The newest record that tells how its turn stands. */
  readonly turn: TurnEvent | null;
  /** Messages in its inbox that nobody has taken. */
  readonly waiting: number;
  /** What it asks. */
  readonly asks: readonly SideAsk[];
  readonly limit: Limited;
  /** Since when the limit is over of which its newest turn died. */
  readonly limitOverSince: string | null;
  /** It is gone because somebody has ended it. */
  readonly stopped: boolean;
}

export interface TaskFacts {
  readonly task: Task;
  /** The open binding. */
  readonly binding: Pick<Binding, "id" | "created_at"> | null;
  /** Of a task that is over: who worked on it last. */
  readonly worker: SideFacts | null;
  readonly manager: SideFacts | null;
  /** Of a task that nobody is bound to since: who was found dead, and took the binding along. */
  readonly lost: readonly SideFacts[];
  readonly proposed: number;
  /** Messages that may or may not have arrived. */
  readonly uncertain: readonly Trouble[];
  readonly failed: readonly Trouble[];
  /** Commands and messages that wait for Dispatch. */
  readonly queued: number;
  /** Ends of turns that no message was made of yet; none ever is where no Dispatch runs. */
  readonly untold: number;
  /** Since when the first of both waits. */
  readonly queuedSince: string | null;
  /** Messages that are on their way, and commands that are being carried out. */
  readonly underWay: number;
  readonly budget: OverBudget;
  readonly dismissed: readonly string[];
  /** The manager, where it leads several: what is so of it is told in the first of its tasks. */
  readonly toldElsewhere: string | null;
}

/** A session that works for nobody. */
export interface FreeFacts {
  readonly side: SideFacts;
  /** When a binding ended of which it was the worker; null: none did. */
  readonly freeSince: string | null;
}

/** Every session that is not gone and works for nobody, in the order of their registration. */
export const freeFacts = (store: Store): FreeFacts[] =>
  store.db
    .query<Session & { free_since: string | null }, []>(
      `select ${SESSION_COLUMNS}, (select max(ended_at) from bindings b where b.worker_session_id = s.id) as free_since
       from sessions s indexed by sessions_active ${AGENT_JOIN} where s.state = 'active'
         and not exists (select 1 from bindings b where b.worker_session_id = s.id and b.state in ('active', 'ending'))
         and not exists (select 1 from bindings b where b.manager_session_id = s.id and b.state in ('active', 'ending'))
       order by julianday(s.registered_at), s.rowid`,
    )
    .all()
    .map(({ free_since: freeSince, ...session }) => ({ side: sideFacts(store, session), freeSince }));

export function sideFacts(store: Store, session: Session): SideFacts {
  const waiting = store.db
    .query<{ n: number }, [string]>(
      "select count(*) as n from routed_notifications where target_session_id = ? and state = 'delivered' and consumed_at is null",
    )
    .get(session.id)!.n;
  const asks = openAsks(store, session.id).map(({ id, kind, question, command, choices, takes_text, asked_at }) => ({
    id,
    kind,
    question,
    command,
    choices,
    takes_text,
    asked_at,
  }));
  const nowMs = Date.parse(store.now());
  const limit = limitedUntil(store, session, nowMs);
  const stopped = session.state === "gone" && !endedUnasked(store, session);
  return {
    session,
    turn: newestTurnEvent(store, session.id),
    waiting,
    asks,
    limit,
    limitOverSince: limitOverSince(store, session, nowMs),
    stopped,
  };
}

function sideOf(store: Store, sessionId: string | null): SideFacts | null {
  const session = sessionId === null ? null : sessionById(store, sessionId);
  return session && sideFacts(store, session);
}

const lastBinding = (store: Store, taskId: string): Binding | null =>
  store.db.query<Binding, [string]>("select * from bindings where task_id = ? order by created_at desc, rowid desc limit 1").get(taskId);

const lostOf = (store: Store, { worker_session_id, manager_session_id }: Binding): SideFacts[] =>
  [worker_session_id, manager_session_id]
    .flatMap((id) => sideOf(store, id) ?? [])
    .filter(({ session, stopped }) => session.state === "gone" && !stopped);

function queueOf(store: Store, taskId: string, binding: Binding | null): Pick<TaskFacts, "queued" | "untold" | "queuedSince" | "underWay"> {
  const commands = store.db
    .query<{ n: number; since: string | null; attempted: number }, [string]>(
      `select count(*) filter (where state = 'pending') as n, min(created_at) filter (where state = 'pending') as since,
         count(*) filter (where state = 'attempted') as attempted from commands where task_id = ? and state in ('pending', 'attempted')`,
    )
    .get(taskId)!;
  const turns = store.db
    .query<{ n: number; since: string | null; begun: number }, [string]>(
      `select count(*) filter (where side_effect_started = 0 and command_id is null) as n,
         min(created_at) filter (where side_effect_started = 0 and command_id is null) as since,
         count(*) filter (where side_effect_started = 1 or command_id is not null) as begun
       from routed_notifications where task_id = ? and state = 'pending'`,
    )
    .get(taskId)!;
  const ends = binding === null ? [] : untoldTurns(store, binding);
  const [first = null] = [commands.since, turns.since, ...ends].filter((at) => at !== null).sort();
  return { queued: commands.n + turns.n, untold: ends.length, queuedSince: first, underWay: commands.attempted + turns.begun };
}

const ledFirst = (store: Store, { id, manager_session_id: manager }: Binding): boolean =>
  manager === null || bindingsOfSession(store, manager)[0]?.id === id;

export function taskFacts(store: Store, task: Task): TaskFacts {
  const binding = openBinding(store, task.id);
  const isOver = task.state === "done" || task.state === "failed";
  const last = binding ?? lastBinding(store, task.id);
  const shown = binding ?? (isOver ? last : null);
  return {
    task,
    binding,
    worker: sideOf(store, shown?.worker_session_id ?? null),
    manager: sideOf(store, shown?.manager_session_id ?? null),
    lost: isOver || last?.state !== "invalid" ? [] : lostOf(store, last),
    proposed: store.db
      .query<{ n: number }, [string]>("select count(*) as n from acceptance_criteria where task_id = ? and status = 'proposed'")
      .get(task.id)!.n,
    uncertain: uncertainOf(store, task.id),
    failed: failedOf(store, task.id),
    ...queueOf(store, task.id, binding),
    budget: overBudget(store, task.id),
    dismissed: dismissedOf(store, task.id),
    toldElsewhere: binding === null || ledFirst(store, binding) ? null : binding.manager_session_id,
  };
}

/** Every task that is still worked on, newest first. */
export const activeTasks = (store: Store): Task[] =>
  store.db.query<Task, []>(`select * from tasks where ${OPEN} order by julianday(created_at) desc, rowid desc`).all();

/** The condition of the index `tasks_open`, word by word. */
const OPEN = `state in (${ACTIVE_TASK_STATES.map((state) => `'${state}'`).join(", ")})`;
