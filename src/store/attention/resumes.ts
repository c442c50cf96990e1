/** `limit_resumes`: turns that died of a limit and are gone on with when it is over, each once, whoever and how many try. */
import { type Holder, type HolderColumns, holderColumns } from "../../core/dispatch/holder.ts";
import type { Session } from "../../core/sessions/session.ts";
import { instant } from "../../core/time.ts";
import { bindingsOfSession, boundManagers, boundWorkers } from "../sessions/bindings.ts";
import { sessionById } from "../sessions/sessions.ts";
import { type Store, tx } from "../store.ts";
import { needTask } from "../tasks/tasks.ts";
import { type Account, accountOf } from "./accounts.ts";
import { overBudget } from "./budgets.ts";
import { deadTurn } from "./limits.ts";
import { mayBeOver } from "./parked.ts";

/** A turn that can be gone on with. */
export interface Resumable {
  readonly session: Session;
  readonly taskId: string;
  /** The end of the turn, in `codex_events`. */
  readonly eventId: number;
  readonly account: Account;
  /** From when on, in milliseconds since the epoch. */
  readonly due: number;
}

/** Sessions of one account are not all set going at once. */
const APART_MS = 30_000;

/** @param afterMs how long after the limit is over */
function resumableOf(store: Store, session: Session, afterMs: number): Resumable | null {
  if (session.state !== "active") return null;
  const isOpen = (taskId: string): boolean => !["done", "failed"].includes(needTask(store, taskId).state);
  const open = bindingsOfSession(store, session.id).filter(({ state, task_id }) => state === "active" && isOpen(task_id));
  const dead = open.length === 0 ? null : deadTurn(store, session);
  if (dead === null || isTaken(store, session.id, dead.eventId)) return null;
  // A manager of several goes on for all of them, as long as one may.
  const binding = open.find(({ task_id }) => !overBudget(store, task_id).over);
  if (binding === undefined) return null;
  const account = accountOf(store, session) ?? { agent: session.agent, home: "" };
  const due = Math.max(mayBeOver(dead) + afterMs, lastOf(store, account) + APART_MS);
  return { session, taskId: binding.task_id, eventId: dead.eventId, account, due };
}

const isTaken = (store: Store, sessionId: string, eventId: number): boolean =>
  store.db.query("select 1 from limit_resumes where session_id = ? and event_id = ?").get(sessionId, eventId) !== null;

const lastOf = (store: Store, { agent, home }: Account): number =>
  instant(
    store.db
      .query<{ last: string | null }, [string, string, string]>(
        // What was claimed later than now was so before the clock was set back: it keeps nobody waiting until then.
        "select max(claimed_at) as last from limit_resumes where agent = ? and home = ? and julianday(claimed_at) <= julianday(?)",
      )
      .get(agent, home, store.now())?.last,
  ) ?? Number.NEGATIVE_INFINITY;

/** The turns of bound sessions that died of a limit and may be gone on with some time, the first due first. */
export const resumables = (store: Store, afterMs: number): Resumable[] =>
  [...boundWorkers(store), ...boundManagers(store)]
    .flatMap((session) => resumableOf(store, session, afterMs) ?? [])
    .sort((a, b) => a.due - b.due);

/**
 * Takes it upon this process to go on with a turn; false when that is no longer due: another was first, somebody went on with it, or the
 * account was used for this a moment ago.
 */
export function claimResume(store: Store, { session, eventId }: Resumable, afterMs: number, holder: Holder | null): boolean {
  return tx(store, () => {
    const fresh = sessionById(store, session.id);
    const now = fresh && resumableOf(store, fresh, afterMs);
    if (now === null || now.eventId !== eventId || now.due > Date.parse(store.now())) return false;
    store.db
      .query(
        `insert into limit_resumes (session_id, event_id, task_id, agent, home, claimed_at, world, pid, born, state)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, 'claimed')`,
      )
      .run(session.id, eventId, now.taskId, now.account.agent, now.account.home, store.now(), ...holderColumns(holder));
    return true;
  });
}

type Key = Pick<Resumable, "session" | "eventId">;

/** Whether the turn is still the newest of its session. */
export const isStillNewest = (store: Store, { session, eventId }: Key): boolean => deadTurn(store, session)?.eventId === eventId;

/** From here on it may have arrived, by this delivery. */
export const beginResume = (store: Store, { session, eventId }: Key, deliveryId: string): void =>
  void store.db
    .query("update limit_resumes set delivery_id = ? where session_id = ? and event_id = ?")
    .run(deliveryId, session.id, eventId);

/** It was said; how that went stands in its delivery. */
export const endResume = (store: Store, { session, eventId }: Key): void =>
  void store.db
    .query("update limit_resumes set state = 'said', ended_at = ? where session_id = ? and event_id = ?")
    .run(store.now(), session.id, eventId);

/** Nothing was sent: it can be tried again. */
export const dropResume = (store: Store, { session, eventId }: Key): void =>
  void store.db.query("delete from limit_resumes where session_id = ? and event_id = ?").run(session.id, eventId);

export interface ClaimedResume extends HolderColumns {
  readonly session_id: string;
  readonly event_id: number;
  readonly task_id: string;
  readonly claimed_at: string;
}

/** Claims that nobody has ended yet. */
export const claimedResumes = (store: Store): ClaimedResume[] =>
  store.db
    .query<ClaimedResume, []>(
      "select session_id, event_id, task_id, claimed_at, world, pid, born from limit_resumes where state = 'claimed' order by rowid",
    )
    .all();

/**
 * Whoever claimed it died before its end. What had not begun was not sent, and can be tried again. Else, where its delivery is not proven,
 * nobody can tell what was said; it is not said again either way. Null: it had ended by itself.
 */
export function loseResume(store: Store, { session_id, event_id }: ClaimedResume): "said" | "unknown" | "unsent" | null {
  const unsent = store.db
    .query("delete from limit_resumes where session_id = ? and event_id = ? and state = 'claimed' and delivery_id is null")
    .run(session_id, event_id);
  if (unsent.changes > 0) return "unsent";
  const lost = store.db
    .query<{ state: "said" | "unknown" }, [string, string, number]>(
      `update limit_resumes set state = iif(exists (select 1 from deliveries d where d.id = delivery_id and d.state = 'delivered'), 'said',
         'unknown'), ended_at = ? where session_id = ? and event_id = ? and state = 'claimed' returning state`,
    )
    .get(store.now(), session_id, event_id);
  return lost?.state ?? null;
}
