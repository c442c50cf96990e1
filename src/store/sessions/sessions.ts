/** `sessions`: registered sessions. */
import { Failure } from "../../core/failure.ts";
import { DEFAULT_AGENT, type Role, type Session, type StartFacts } from "../../core/sessions/session.ts";
import { quoteWord } from "../../core/shell.ts";
import { addEvent } from "../record/events.ts";
import { unknownSession } from "../names.ts";
import { type Store, tx } from "../store.ts";
import { AGENT_JOIN, decideConversation, recordAgent, recordResumed, recordServer, SESSION_COLUMNS } from "./agents.ts";

export const findSession = (store: Store, name: string): Session | null =>
  store.db.query<Session, [string]>(`select ${SESSION_COLUMNS} from sessions s ${AGENT_JOIN} where s.name = ?`).get(name);

export const sessionById = (store: Store, id: string): Session | null =>
  store.db.query<Session, [string]>(`select ${SESSION_COLUMNS} from sessions s ${AGENT_JOIN} where s.id = ?`).get(id);

/** Whether an active session has this Codex thread. */
export const threadIsRegistered = (store: Store, threadId: string): boolean =>
  store.db.query("select 1 from sessions where codex_session_id = ? and state = 'active'").get(threadId) !== null;

/** The session registered with this rollout file, or null. */
export const sessionOfRollout = (store: Store, path: string): Session | null =>
  store.db
    .query<Session, [string]>(
      `select ${SESSION_COLUMNS} from sessions s ${AGENT_JOIN} where s.codex_session_path = ? order by s.registered_at desc limit 1`,
    )
    .get(path);

/** @throws Failure naming the session when none has this name */
export function needSession(store: Store, name: string): Session {
  const session = findSession(store, name);
  if (!session) throw unknownSession(store, name);
  return session;
}

interface Registration {
  readonly name: string;
  readonly role: Role;
  readonly pid: number | null;
  readonly cwd: string;
  /** The program that it runs; the default agent when nothing is said. */
  readonly agent?: string;
  /** What it was started with, when this registers what was just started. */
  readonly started?: StartFacts;
  /** Where its own server listens, when one was found of a session that ran already. */
  readonly socket?: string | null;
  readonly codexSessionPath: string | null;
  readonly codexSessionId: string | null;
  readonly tmuxSession: string | null;
  /** Absent: a stored pane is kept. Null: it is forgotten. */
  readonly tmuxPaneId?: string | null;
  /** Further keys of the `session_registered` event, for instance `via`. */
  readonly note?: Record<string, unknown>;
}

/** The session that has this thread on record as running, under another name than this; null when none has. */
const sameThread = (store: Store, threadId: string, name: string): Pick<Session, "name" | "role"> | null =>
  store.db
    .query<Pick<Session, "name" | "role">, [string, string]>(
      "select name, role from sessions where codex_session_id = ? and state = 'active' and name <> ? limit 1",
    )
    .get(threadId, name);

/**
 * Registers under a name, or again: same role keeps id and token and revives a gone session; the ingest offset starts anew.
 * @throws Failure when the name belongs to a session of the other role, or the thread to a session of another name
 */
export function registerSession(store: Store, input: Registration): Session {
  return tx(store, () => {
    const now = store.now();
    const old = findSession(store, input.name);
    if (old && old.role !== input.role) {
      throw new Failure(`session ${JSON.stringify(input.name)} is registered as ${old.role}, not ${input.role}`, {
        hint: "choose another name: conveyor sessions --state all",
      });
    }
    const twin = input.codexSessionId === null ? null : sameThread(store, input.codexSessionId, input.name);
    if (twin) {
      throw new Failure(`thread ${input.codexSessionId} is on record already, as ${twin.role} ${JSON.stringify(twin.name)}`, {
        hint: `use that name, or give it up first: conveyor deregister ${quoteWord(twin.name)}`,
      });
    }
    const id = old?.id ?? store.newId("session");
    if (old) {
      store.db
        .query(
          `update sessions set tmux_session = ?, tmux_pane_id = case when ? then ? else tmux_pane_id end, codex_session_path = ?,
            codex_session_id = ?, pid = ?, cwd = ?,
             last_heartbeat_at = ?, last_ingest_offset = null, state = 'active' where id = ?`,
        )
        .run(
          input.tmuxSession,
          input.tmuxPaneId === undefined ? 0 : 1,
          input.tmuxPaneId ?? null,
          input.codexSessionPath,
          input.codexSessionId,
          input.pid,
          input.cwd,
          now,
          id,
        );
    } else {
      store.db
        .query(
          `insert into sessions (id, name, role, identity_token, tmux_session, tmux_pane_id, codex_session_path, codex_session_id, pid,
            cwd, registered_at, last_heartbeat_at, state)
           values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'active')`,
        )
        .run(
          id,
          input.name,
          input.role,
          store.newId("session-token"),
          input.tmuxSession,
          input.tmuxPaneId ?? null,
          input.codexSessionPath,
          input.codexSessionId,
          input.pid,
          input.cwd,
          now,
          now,
        );
    }
    const agent = input.agent ?? DEFAULT_AGENT;
    // The same process with another thread, as after a `/clear`, and the same thread taken up again, are still started as they were.
    const known = old !== null && old.launch !== null && old.agent === agent;
    const sameProcess = known && old.pid !== null && old.pid === input.pid;
    const threadStays = known && old.codex_session_id !== null && old.codex_session_id === input.codexSessionId;
    if (input.started || !(sameProcess || threadStays)) recordAgent(store, id, agent, input.started ?? null);
    else if (!sameProcess) recordResumed(store, id);
    if (input.socket != null) recordServer(store, id, input.socket);
    if (old !== null) decideConversation(store, id);
    addEvent(store, {
      type: "session_registered",
      payload: {
        name: input.name,
        role: input.role,
        pid: input.pid,
        session_id: id,
        codex_session_id: input.codexSessionId,
        ...input.note,
      },
    });
    return sessionById(store, id)!;
  });
}

/**
 * The session's thread goes on in another file. @param options.same it is the same file in another place, so what was read of it counts.
 * Gives the session as it stands afterwards: somebody else may have changed it meanwhile, and then nothing is changed here.
 */
export function followRollout(store: Store, session: Session, path: string, options: { same: boolean }): Session {
  return tx(store, () => {
    const moved = store.db
      .query(
        `update sessions set codex_session_path = ?1, last_ingest_offset = case when ?2 then last_ingest_offset end
         where id = ?3 and codex_session_path is ?4`,
      )
      .run(path, options.same ? 1 : 0, session.id, session.codex_session_path);
    if (moved.changes > 0)
      addEvent(store, {
        type: "session_rollout_followed",
        payload: { name: session.name, session_id: session.id, from: session.codex_session_path, to: path },
      });
    return sessionById(store, session.id)!;
  });
}

/** The session ends: it is listed no longer and takes no messages, until it is registered again. */
export function markGone(store: Store, sessionId: string): void {
  tx(
    store,
    () => void store.db.query("update sessions set state = 'gone', last_heartbeat_at = ? where id = ?").run(store.now(), sessionId),
  );
}
