/** `session_moves`: sessions whose pane shows another conversation; and following one there. */
import type { Session } from "../../core/sessions/session.ts";
import { addEvent } from "../record/events.ts";
import { type Store, tx } from "../store.ts";
import { taskOfSession } from "./bindings.ts";
import { sessionById, threadIsRegistered } from "./sessions.ts";

type Seen = Pick<Session, "id" | "codex_session_id">;

/** Still the conversation that was on record when this was seen; null when somebody has decided otherwise meanwhile. */
function unchanged(store: Store, { id, codex_session_id: thread }: Seen): Session | null {
  const now = sessionById(store, id);
  return now !== null && now.state === "active" && now.codex_session_id === thread ? now : null;
}

/** Puts on record that the session's pane shows another conversation. Nothing is changed when the session's own has changed since. */
export function noteMoved(store: Store, session: Seen, to: string, by: NonNullable<Session["moved_by"]>): void {
  tx(store, () => {
    const now = unchanged(store, session);
    if (now === null || now.codex_session_id === to || (now.moved_to === to && now.moved_by === by)) return;
    store.db
      .query("insert or replace into session_moves (session_id, thread_id, told_by, seen_at) values (?, ?, ?, ?)")
      .run(session.id, to, by, store.now());
    if (now.moved_to === to) return;
    addEvent(store, {
      type: "session_moved",
      taskId: taskOfSession(store, session.id),
      payload: { name: now.name, session_id: session.id, from: now.codex_session_id, to, told_by: by },
    });
  });
}

/** Its pane shows the conversation on record again. */
export function noteHere(store: Store, session: Session): void {
  if (session.moved_to === null) return;
  tx(store, () => {
    if (unchanged(store, session) === null) return;
    const done = store.db.query("delete from session_moves where session_id = ? and thread_id = ?").run(session.id, session.moved_to);
    if (done.changes === 0) return;
    const { id, name, codex_session_id } = session;
    addEvent(store, {
      type: "session_came_back",
      taskId: taskOfSession(store, id),
      payload: { name, session_id: id, thread: codex_session_id },
    });
  });
}

/**
 * The session goes on with the conversation that its pane has gone on to: name, bindings, acknowledgements and unread messages stay, and
 * what was read of the one before stays what was read of it. Gives the session as it stands afterwards; unchanged when somebody else was
 * first, or another session has that conversation.
 */
export function followConversation(store: Store, session: Seen, to: { readonly id: string; readonly path: string | null }): Session {
  return tx(store, () => {
    const now = unchanged(store, session);
    if (now === null || threadIsRegistered(store, to.id)) return sessionById(store, session.id)!;
    store.db
      .query("update sessions set codex_session_id = ?, codex_session_path = ?, last_ingest_offset = null where id = ?")
      .run(to.id, to.path, now.id);
    store.db.query("delete from session_moves where session_id = ?").run(now.id);
    addEvent(store, {
      type: "session_conversation_followed",
      taskId: taskOfSession(store, now.id),
      payload: {
        name: now.name,
        session_id: now.id,
        from: now.codex_session_id,
        from_path: now.codex_session_path,
        to: to.id,
        to_path: to.path,
      },
    });
    return sessionById(store, now.id)!;
  });
}
