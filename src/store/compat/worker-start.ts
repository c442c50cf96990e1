/** `workers`: a file-backed worker from its making to the end of its terminal. */
import { Failure } from "../../core/failure.ts";
import { INTERRUPTED, type StartFacts } from "../../core/sessions/session.ts";
import { addEvent } from "../record/events.ts";
import { recordAgent } from "../sessions/agents.ts";
import { type Store, tx } from "../store.ts";
import { findWorker } from "./workers.ts";

interface WorkerPlan {
  readonly name: string;
  readonly tmuxSession: string;
  readonly identityToken: string;
  readonly cwd: string;
  readonly task: string;
  /** Take over the row of this name. */
  readonly reuse: boolean;
}

/** @throws Failure when a row of this name may not be taken over */
export function checkWorkerRow(store: Store, plan: Pick<WorkerPlan, "name" | "tmuxSession" | "reuse">): void {
  const known = findWorker(store, plan.name);
  if (!known) return;
  if (!plan.reuse && known.exit_reason !== INTERRUPTED)
    throw new Failure(`worker ${JSON.stringify(plan.name)} is on record already`, {
      hint: `take it over with --reuse, or choose another name`,
    });
  if (known.tmux_session !== plan.tmuxSession)
    throw new Failure(
      `worker ${JSON.stringify(plan.name)} is on record with tmux session ${JSON.stringify(known.tmux_session)}, not ` +
        `${JSON.stringify(plan.tmuxSession)}`,
      { hint: "choose another name" },
    );
}

/** Puts a worker on record as candidate, with its first status, and gives its id. A row taken over gets the new token. */
export function recordCandidate(store: Store, plan: WorkerPlan): string {
  return tx(store, () => {
    checkWorkerRow(store, plan);
    const now = store.now();
    const id = findWorker(store, plan.name)?.id ?? store.newId("worker");
    store.db
      .query(
        `insert into workers (id, name, tmux_session, tmux_pane_id, identity_token, cwd, state, created_at, updated_at) values (?, ?, ?, null, ?, ?, 'candidate', ?, ?)
         on conflict (id) do update set tmux_pane_id = null, identity_token = excluded.identity_token, cwd = excluded.cwd, state =
           'candidate', updated_at = excluded.updated_at,
           exit_detected_at = null, exit_reason = null`,
      )
      .run(id, plan.name, plan.tmuxSession, plan.identityToken, plan.cwd, now, now);
    store.db
      .query(
        `insert into statuses (worker_id, state, current_task, next_action, blocker, created_at) values (?, 'waiting', ?, 'start', null,
            ?)`,
      )
      .run(id, plan.task, now);
    addEvent(store, {
      type: "worker_create_recorded",
      workerId: id,
      payload: { cwd: plan.cwd, name: plan.name, tmux_session: plan.tmuxSession },
    });
    return id;
  });
}

interface StartedWorker {
  readonly tmuxSession: string;
  readonly paneId: string;
  readonly agent: string;
  readonly started: StartFacts;
}

export function recordStarted(store: Store, id: string, { tmuxSession, paneId, agent, started }: StartedWorker): void {
  tx(store, () => {
    recordAgent(store, id, agent, started);
    store.db.query("update workers set state = 'active', tmux_pane_id = ?, updated_at = ? where id = ?").run(paneId, store.now(), id);
    addEvent(store, { type: "worker_tmux_started", workerId: id, payload: { tmux_pane_id: paneId, tmux_session: tmuxSession } });
  });
}

/** The terminal is over. @param reason for instance `stop_after` */
export function recordStopped(store: Store, id: string, reason: string): void {
  tx(store, () => {
    const now = store.now();
    store.db
      .query("update workers set state = 'stopped', updated_at = ?, exit_detected_at = ?, exit_reason = ? where id = ?")
      .run(now, now, reason, id);
    addEvent(store, { type: "worker_stopped", workerId: id, payload: { reason } });
  });
}
