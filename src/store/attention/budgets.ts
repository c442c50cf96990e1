/** `task_budgets`: what a task may use, and whether it has. */
import { instant } from "../../core/time.ts";
import { addEvent } from "../record/events.ts";
import { tokensOfTask } from "../observe/tokens.ts";
import { openBinding } from "../sessions/bindings.ts";
import { sessionById } from "../sessions/sessions.ts";
import { type Store, tx } from "../store.ts";
import { accountOf, knownWindows } from "./accounts.ts";

export interface Budget {
  /** Tokens that its sessions may use, cached ones not counted; null: as many as they will. */
  readonly tokens: number | null;
  /** How much of any window of its worker's account may be used, by whomever; null: all of it. */
  readonly window_percent: number | null;
  readonly set_at: string;
}

export interface BudgetState {
  /** Null: the task has none. */
  readonly budget: Budget | null;
  /** Used by the task's sessions while they were bound to it; cached input stands apart. */
  readonly tokens_used: number;
  readonly tokens_cached: number;
  /** The window of the worker's account of which most is used; null: nothing is known of them. */
  readonly window_used_percent: number | null;
  readonly over: boolean;
  /** What is over, in words; null: nothing. */
  readonly why: string | null;
  /** When the windows that are over are full again; null: nothing is over, tokens are, or nobody told. */
  readonly until: string | null;
  /** When what is used was told last, or the budget was set, whichever came later; null: nothing is over. */
  readonly since: string | null;
}

const findBudget = (store: Store, taskId: string): Budget | null =>
  store.db.query<Budget, [string]>("select tokens, window_percent, set_at from task_budgets where task_id = ?").get(taskId);

/** Sets what is given and leaves the other part as it is. */
export function setBudget(store: Store, taskId: string, part: { tokens: number | undefined; windowPercent: number | undefined }): void {
  tx(store, () => {
    store.db
      .query(
        `insert into task_budgets (task_id, tokens, window_percent, set_at) values (?, ?, ?, ?)
         on conflict do update set tokens = coalesce(excluded.tokens, tokens), window_percent = coalesce(excluded.window_percent,
           window_percent), set_at = excluded.set_at`,
      )
      .run(taskId, part.tokens ?? null, part.windowPercent ?? null, store.now());
    const { tokens, window_percent } = findBudget(store, taskId)!;
    addEvent(store, { type: "budget_set", taskId, payload: { tokens, window_percent } });
  });
}

/** The task may use what it will; false: it had no budget. */
export const clearBudget = (store: Store, taskId: string): boolean =>
  tx(store, () => {
    if (store.db.query("delete from task_budgets where task_id = ?").run(taskId).changes === 0) return false;
    addEvent(store, { type: "budget_cleared", taskId });
    return true;
  });

/** How a task stands to its budget. Nothing is over that is not known. */
export function budgetState(store: Store, taskId: string): BudgetState {
  const budget = findBudget(store, taskId);
  const now = Date.parse(store.now());
  const totals = tokensOfTask(store, taskId);
  const sum = (of: (total: (typeof totals)[number]) => number): number => totals.reduce((all, each) => all + of(each), 0);
  const cached = sum(({ cached_input_tokens }) => cached_input_tokens);
  const used = Math.max(0, sum(({ total_tokens }) => total_tokens) - cached);
  const windows = workerWindows(store, taskId, now).filter(({ used_percent }) => used_percent !== null);
  const most = windows.length === 0 ? null : Math.max(...windows.map(({ used_percent }) => used_percent!));
  const spent = windows.filter(({ used_percent }) => budget?.window_percent != null && used_percent! >= budget.window_percent);
  const tokensOver = budget?.tokens != null && used >= budget.tokens;
  const words = [
    ...(tokensOver ? [`${used} of ${budget.tokens} tokens are used`] : []),
    ...(spent.length > 0 ? [`${most} % of a window of its worker's account is used, ${budget!.window_percent} % is the most`] : []),
  ];
  const over = words.length > 0;
  const ends = spent.map(({ resets_at }) => resets_at);
  const told = [budget?.set_at, ...totals.map(({ updated_at }) => updated_at), ...spent.map(({ told_at }) => told_at)];
  return {
    budget,
    tokens_used: used,
    tokens_cached: cached,
    window_used_percent: most,
    over,
    why: over ? words.join("; ") : null,
    until: tokensOver || ends.includes(null) ? null : latest(ends),
    since: over ? latest(told) : null,
  };
}

const workerWindows = (store: Store, taskId: string, nowMs: number) => {
  const worker = openBinding(store, taskId)?.worker_session_id;
  const session = worker ? sessionById(store, worker) : null;
  const account = session && accountOf(store, session);
  return account === null ? [] : knownWindows(store, nowMs, account);
};

const latest = (times: readonly (string | null | undefined)[]): string | null =>
  times.reduce<string | null>((last, each) => ((instant(each) ?? 0) > (instant(last) ?? 0) ? each! : last), null);

export interface OverBudget {
  readonly over: boolean;
  /** What is over, in words; null: nothing is, or there is no budget. */
  readonly why: string | null;
  /** When it is over no longer by itself; null: only when somebody raises or clears the budget. */
  readonly until: string | null;
  readonly since: string | null;
}

/** Whether the task has used up its budget; a task without one costs one look. */
export function overBudget(store: Store, taskId: string): OverBudget {
  if (findBudget(store, taskId) === null) return { over: false, why: null, until: null, since: null };
  const { over, why, until, since } = budgetState(store, taskId);
  return { over, why, until, since };
}
