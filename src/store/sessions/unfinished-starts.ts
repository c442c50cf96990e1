/** `unfinished_starts`: what was begun and is not finished, on record before the terminal exists. */
import { type Holder, type HolderColumns, heldBy, holderColumns } from "../../core/dispatch/holder.ts";
import type { Role } from "../../core/sessions/session.ts";
import { addEvent } from "../record/events.ts";
import { markGone } from "./sessions.ts";
import { type Store, tx } from "../store.ts";

/** A start that has not come to its end: under way, or cut off and to be gone on with. */
export interface UnfinishedStart {
  /** Of the session; one start of a name at a time. */
  readonly name: string;
  /** What the terminal is marked with, from the moment it exists. */
  readonly mark: string;
  readonly role: Role;
  readonly tmux_session: string;
  /** Digests of what it is started as, and of its first words: the same start again goes on, another does not. */
  readonly request_sha256: string;
  readonly prompt_sha256: string;
  readonly began_at: string;
  /** Once it is registered. */
  readonly session_id: string | null;
  /** Which process is at it; null: none any more, or the system does not tell. */
  readonly holder: Holder | null;
}

type Row = Omit<UnfinishedStart, "holder"> & HolderColumns;

const startOf = ({ world, pid, born, ...row }: Row): UnfinishedStart => ({
  ...row,
  holder: heldBy({ world, pid, born }),
});

export function findStart(store: Store, name: string): UnfinishedStart | null {
  const row = store.db.query<Row, [string]>("select * from unfinished_starts where name = ?").get(name);
  return row && startOf(row);
}

/** All of them, the oldest first. */
export const listStarts = (store: Store): UnfinishedStart[] =>
  store.db.query<Row, []>("select * from unfinished_starts order by began_at, rowid").all().map(startOf);

/**
 * Puts a start on record.
 * @param before the one of this name that was looked at; null: there was none
 * @returns false when it is not as it was: somebody else was quicker
 */
export function recordStart(store: Store, start: UnfinishedStart, before: UnfinishedStart | null): boolean {
  return tx(store, () => {
    if (JSON.stringify(findStart(store, start.name)) !== JSON.stringify(before)) return false;
    const { name, mark, role, tmux_session, request_sha256, prompt_sha256, began_at, session_id, holder } = start;
    store.db
      .query(
        `insert or replace into unfinished_starts
           (name, mark, role, tmux_session, request_sha256, prompt_sha256, began_at, session_id, world, pid, born)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(name, mark, role, tmux_session, request_sha256, prompt_sha256, began_at, session_id, ...holderColumns(holder));
    return true;
  });
}

/**
 * Whoever cut it off, `holder` is at it now.
 * @returns false when it was taken up or ended by somebody else meanwhile
 */
export const takeUpStart = (store: Store, { mark, holder: before }: UnfinishedStart, holder: Holder | null): boolean =>
  tx(
    store,
    () =>
      store.db
        .query("update unfinished_starts set world = ?, pid = ?, born = ? where mark = ? and world is ? and pid is ? and born is ?")
        .run(...holderColumns(holder), mark, ...holderColumns(before)).changes > 0,
  );

/** Its session is on record; for use inside the transaction that makes that so. */
export const markRegistered = (store: Store, mark: string, sessionId: string): void =>
  void store.db.query("update unfinished_starts set session_id = ? where mark = ?").run(sessionId, mark);

/** Nobody is at it any more, and what it started is left as it is. */
export const leaveStart = (store: Store, mark: string): void =>
  void store.db.query("update unfinished_starts set world = null, pid = null, born = null where mark = ?").run(mark);

/** It is finished. */
export const dropStart = (store: Store, mark: string): void =>
  void store.db.query("delete from unfinished_starts where mark = ?").run(mark);

/** What was begun under this name was ended otherwise. */
export const dropStartOf = (store: Store, name: string): void =>
  tx(store, () => void store.db.query("delete from unfinished_starts where name = ? and session_id is null").run(name));

/**
 * Its terminal was ended: the session that it has put on record is gone, and it with it; the events keep that it was.
 * @param facts.killed something ran there; @param facts.reason why it was ended
 */
export function endStart(
  store: Store,
  { name, mark, role, tmux_session }: UnfinishedStart,
  facts: { killed: boolean; reason: string },
): void {
  tx(store, () => {
    const { session_id } = findStart(store, name) ?? { session_id: null };
    const payload = { killed_session: facts.killed, role, session: name, target: tmux_session, reason: facts.reason };
    if (session_id !== null) markGone(store, session_id);
    addEvent(store, { type: session_id === null ? "session_start_ended" : "session_stopped", payload });
    dropStart(store, mark);
  });
}
