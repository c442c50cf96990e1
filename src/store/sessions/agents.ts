/** `session_agents`: which agent a session runs, and what it was started with. A session without a row runs the default agent. */
import { compactJson } from "../../core/json.ts";
import { DEFAULT_AGENT, type StartFacts } from "../../core/sessions/session.ts";
import type { Store } from "../store.ts";

/** The columns of a session `s`, with what {@link AGENT_JOIN} finds of its agent. */
export const SESSION_COLUMNS = `s.*, coalesce(a.agent, '${DEFAULT_AGENT}') as agent, a.model, a.effort, a.permissions_json, a.launch, p.socket,
  p.why as launch_why, p.decided_at, m.thread_id as moved_to, m.told_by as moved_by, m.seen_at as moved_at`;
export const AGENT_JOIN = `left join session_agents a on a.session_id = s.id left join session_sockets p on p.session_id = s.id
  left join session_moves m on m.session_id = s.id`;

/**
 * Puts on record what was started for a session or, by its id, a file-backed worker. Call it inside the transaction that makes its row.
 * @param facts null: it ran already when it was registered, so nothing is known of its start
 */
export function recordAgent(store: Store, id: string, agent: string, facts: StartFacts | null): void {
  store.db
    .query(
      `insert or replace into session_agents (session_id, agent, version, argv_json, home, model, effort, permissions_json, launch,
        recorded_at)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      id,
      agent,
      facts?.version ?? null,
      facts === null ? null : compactJson(facts.argv),
      facts?.home ?? null,
      facts?.model ?? null,
      facts?.effort ?? null,
      facts === null ? null : compactJson(facts.permissions),
      facts?.launch ?? "registered",
      store.now(),
    );
  store.db.query("delete from session_sockets where session_id = ?").run(id);
  if (facts === null || (facts.socket === null && facts.launchWhy === null)) return;
  store.db.query("insert into session_sockets (session_id, socket, why) values (?, ?, ?)").run(id, facts.socket, facts.launchWhy);
}

/** Whoever registers names the conversation: what its pane was seen to show, and what its server has begun by now, no longer counts. */
export function decideConversation(store: Store, id: string): void {
  store.db.query("delete from session_moves where session_id = ?").run(id);
  store.db.query("update session_sockets set decided_at = ? where session_id = ?").run(store.now(), id);
}

/** A session that ran already was found to have a server of its own. Call it inside the transaction that registers it. */
export function recordServer(store: Store, id: string, socket: string): void {
  store.db.query("update session_agents set launch = 'protocol' where session_id = ?").run(id);
  store.db.query("insert or ignore into session_sockets (session_id, socket) values (?, ?)").run(id, socket);
}

/**
 * Another process has taken up the thread: the words of its start still tell how it is started, its way of launch and server do not. Call
 * it inside the transaction that registers it.
 */
export function recordResumed(store: Store, id: string): void {
  store.db.query("update session_agents set launch = 'registered', recorded_at = ? where session_id = ?").run(store.now(), id);
  store.db.query("delete from session_sockets where session_id = ?").run(id);
}

/** The sockets of sessions and file-backed workers that have not ended, as far as their records tell. */
export const socketsInUse = (store: Store): string[] =>
  store.db
    .query<{ socket: string }, []>(
      `select p.socket from session_sockets p left join sessions s on s.id = p.session_id left join workers w on w.id = p.session_id
       where p.socket is not null and (s.state = 'active' or w.state in ('candidate', 'active'))`,
    )
    .all()
    .map(({ socket }) => socket);

/** What is on record of the start of a session that has not ended. */
export interface RecordedStart {
  readonly name: string;
  readonly pid: number | null;
  readonly agent: string;
  readonly version: string | null;
  readonly argv_json: string;
  readonly home: string;
  readonly launch: string;
}

/** Of every session that was started by us and has not ended, as far as its record tells. */
export const recordedStarts = (store: Store): RecordedStart[] =>
  store.db
    .query<RecordedStart, []>(
      `select s.name, s.pid, a.agent, a.version, a.argv_json, a.home, a.launch from sessions s join session_agents a on a.session_id = s.id
       where s.state = 'active' and a.argv_json is not null and a.home is not null order by s.registered_at, s.rowid`,
    )
    .all();

/** The home of the agent with which a session was started; null when it was not started by us. */
export const homeOfStart = (store: Store, id: string): string | null =>
  store.db.query<{ home: string | null }, [string]>("select home from session_agents where session_id = ?").get(id)?.home ?? null;
