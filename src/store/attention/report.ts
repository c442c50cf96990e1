/** The limits of accounts and of the sessions that work with them, as commands print them. */
import type { Role, Session } from "../../core/sessions/session.ts";
import { toIso } from "../../core/time.ts";
import { bindingsOfSession } from "../sessions/bindings.ts";
import { listSessions } from "../sessions/list.ts";
import { sessionById } from "../sessions/sessions.ts";
import type { Store } from "../store.ts";
import { needTask } from "../tasks/tasks.ts";
import { type Account, accountOf, type KnownWindow, knownWindows } from "./accounts.ts";
import { type BudgetState, budgetState } from "./budgets.ts";
import { type Limited, limitedUntil } from "./limits.ts";
import { countParked } from "./parked.ts";

export interface ReportedWindow extends Omit<KnownWindow, keyof Account | "session_id"> {
  /** `unknown`: it was full again since it was told. */
  readonly state: "told" | "unknown";
  /** Name of the session that was told. */
  readonly told_by: string;
}

interface ReportedSession extends Limited {
  readonly session: string;
  readonly role: Role;
  /** Name of the task that it is bound to; null too when it leads several. */
  readonly task: string | null;
  /** All of them. */
  readonly tasks: readonly string[];
  /** Messages of Dispatch that wait for it to go on. */
  readonly parked: number;
}

export interface ReportedAccount extends Account {
  /** `unknown`: nothing was told of any of its windows. */
  readonly state: "told" | "unknown";
  readonly windows: readonly ReportedWindow[];
  readonly sessions: readonly ReportedSession[];
}

const reported = (store: Store, { session_id, ...row }: KnownWindow): ReportedWindow => {
  const { agent: _, home: __, ...window } = row;
  const state = window.used_percent === null ? "unknown" : "told";
  return { ...window, state, told_by: sessionById(store, session_id)?.name ?? session_id };
};

const ofSession = (store: Store, session: Session, nowMs: number): ReportedSession => {
  const tasks = bindingsOfSession(store, session.id).map(({ task_id }) => needTask(store, task_id).name);
  return {
    session: session.name,
    role: session.role,
    task: tasks.length === 1 ? tasks[0]! : null,
    tasks,
    ...limitedUntil(store, session, nowMs),
    parked: countParked(store, session.id),
  };
};

/** Every account of which something was told or that a session works with; sessions of an unknown one stand under an empty home. */
export function limitsReport(store: Store): { readonly generated_at: string; readonly accounts: readonly ReportedAccount[] } {
  const now = Date.parse(store.now());
  const sessions = listSessions(store).filter(({ state }) => state === "active");
  const windows = knownWindows(store, now);
  const own = new Map(sessions.map((session) => [session.id, accountOf(store, session) ?? { agent: session.agent, home: "" }]));
  const keyOf = ({ agent, home }: Account): string => `${agent} ${home}`;
  const accounts = new Map([...windows, ...own.values()].map(({ agent, home }) => [keyOf({ agent, home }), { agent, home }]));
  return {
    generated_at: toIso(now),
    accounts: [...accounts].map(([key, account]) => {
      const told = windows.filter((window) => keyOf(window) === key).map((window) => reported(store, window));
      return {
        ...account,
        state: told.some(({ state }) => state === "told") ? "told" : "unknown",
        windows: told,
        sessions: sessions.filter(({ id }) => keyOf(own.get(id)!) === key).map((session) => ofSession(store, session, now)),
      };
    }),
  };
}

interface SideLimits extends Limited {
  readonly parked: number;
  /** Of its account; none: nothing was told. */
  readonly windows: readonly ReportedWindow[];
}

const sideLimits = (store: Store, session: Session, nowMs: number): SideLimits => {
  const account = accountOf(store, session);
  return {
    ...limitedUntil(store, session, nowMs),
    parked: countParked(store, session.id),
    windows: account === null ? [] : knownWindows(store, nowMs, account).map((window) => reported(store, window)),
  };
};

/** How a task's sides stand to the limits of their accounts, and the task to its budget. */
export interface TaskLimits {
  readonly limits: Readonly<Record<Role, SideLimits>>;
  /** Null: it has none. */
  readonly budget: BudgetState | null;
}

export function limitsOfTask(store: Store, taskId: string, sides: Readonly<Record<Role, Session>>): TaskLimits {
  const now = Date.parse(store.now());
  const budget = budgetState(store, taskId);
  return {
    limits: { worker: sideLimits(store, sides.worker, now), manager: sideLimits(store, sides.manager, now) },
    budget: budget.budget === null ? null : budget,
  };
}
