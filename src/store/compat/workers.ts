/** `workers`: the terminals that were captured or reported a status, by name; registered sessions get a row at their first capture. */
import { Failure } from "../../core/failure.ts";
import { quoteWord } from "../../core/shell.ts";
import type { Store } from "../store.ts";

interface WorkerRow {
  readonly id: string;
  readonly name: string;
  readonly tmux_session: string;
  readonly tmux_pane_id: string | null;
  readonly identity_token: string;
  readonly state: string;
  readonly exit_reason: string | null;
}

export interface SeenWorker {
  readonly name: string;
  readonly tmuxSession: string;
  readonly paneId: string | null;
  /** Kept once stored; made when there is none. */
  readonly identityToken: string | null;
  readonly cwd: string;
}

export const findWorker = (store: Store, name: string): WorkerRow | null =>
  store.db.query<WorkerRow, [string]>("select * from workers where name = ?").get(name);

/**
 * Puts the worker on record as active and gives its id. Call it inside the transaction of what is recorded of it.
 * @throws Failure when its tmux session or its token belongs to another name
 */
export function putWorker(store: Store, seen: SeenWorker): string {
  const { db } = store;
  const now = store.now();
  const known = findWorker(store, seen.name);
  const token = known?.identity_token ?? seen.identityToken;
  const other = db
    .query<{ name: string; tmux_session: string }, [string, string, string | null]>(
      "select name, tmux_session from workers where name <> ? and (tmux_session = ? or identity_token = ?)",
    )
    .get(seen.name, seen.tmuxSession, token);
  if (other) {
    const shared = other.tmux_session === seen.tmuxSession ? `tmux session ${JSON.stringify(seen.tmuxSession)}` : "the identity token";
    throw new Failure(`${shared} of ${JSON.stringify(seen.name)} is on record as that of ${JSON.stringify(other.name)}`, {
      hint: `use that name, or give each its own: conveyor capture ${quoteWord(other.name)}`,
    });
  }
  if (known) {
    db.query(
      `update workers set tmux_session = ?, tmux_pane_id = coalesce(?, tmux_pane_id), cwd = ?, state = 'active', updated_at = ?, exit_detected_at = null, exit_reason = null
       where id = ?`,
    ).run(seen.tmuxSession, seen.paneId, seen.cwd, now, known.id);
    return known.id;
  }
  const id = store.newId("worker");
  db.query(
    `insert into workers (id, name, tmux_session, tmux_pane_id, identity_token, cwd, state, created_at, updated_at) values (?, ?, ?, ?,
        ?, ?, 'active', ?, ?)`,
  ).run(id, seen.name, seen.tmuxSession, seen.paneId, token ?? store.newId("workerctl"), seen.cwd, now, now);
  return id;
}
