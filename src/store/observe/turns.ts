/** Turns of the agents and the tokens they used, as their rollouts told, while they were bound to a task. */
import { readTurnError } from "../../core/agent/turn-error.ts";
import { readFact } from "../../core/agent/record.ts";
import { isObject, type JsonObject, parseStored } from "../../core/json.ts";
import type { Role } from "../../core/sessions/session.ts";
import { instant } from "../../core/time.ts";
import type { TokenPoint, Turn } from "../../core/audit/timeline.ts";
import { rows } from "../reading.ts";
import type { Store } from "../store.ts";

/** A session starts its first turn a little before it is bound. */
const SLACK_MS = 30 * 60_000;

interface Span {
  readonly from: number;
  readonly to: number;
}

interface Member {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly spans: Span[];
}

/** The sessions that were ever bound to the task, and when. */
function membersOf(store: Store, taskId: string): Member[] {
  const bound = store.db
    .query<{ id: string; name: string; role: Role; created_at: string; ended_at: string | null }, [string]>(
      `select s.id, s.name, s.role, b.created_at, b.ended_at from bindings b join sessions s on s.id in (b.worker_session_id, b.manager_session_id)
       where b.task_id = ? and b.state <> 'invalid' order by julianday(b.created_at), b.rowid, s.role desc`,
    )
    .all(taskId);
  const members = new Map<string, Member>();
  for (const { id, name, role, created_at, ended_at } of bound) {
    const member = members.get(id) ?? { id, name, role, spans: [] };
    member.spans.push({ from: (instant(created_at) ?? 0) - SLACK_MS, to: instant(ended_at) ?? Number.POSITIVE_INFINITY });
    members.set(id, member);
  }
  return [...members.values()];
}

interface EventRow {
  readonly timestamp: string;
  readonly subtype: string;
  readonly payload_json: string;
}

interface Told {
  readonly at: number;
  readonly subtype: string;
  readonly payload: JsonObject;
}

/** Records of these kinds, of the time in which the session was bound. `where` is the condition of an index, word by word. */
function* records(store: Store, member: Member, where: string): Generator<Told> {
  for (const { timestamp, subtype, payload_json } of rows<EventRow>(
    store,
    `select timestamp, subtype, payload_json from codex_events where session_id = ? and ${where} order by id`,
    member.id,
  )) {
    const at = instant(timestamp);
    const payload = parseStored<unknown>(payload_json, {});
    if (at !== null && member.spans.some(({ from, to }) => at >= from && at <= to))
      yield { at, subtype, payload: isObject(payload) ? payload : {} };
  }
}

const TURNS = `(subtype in ('task_started', 'user_message', 'task_complete', 'turn_aborted')
  or (subtype = 'item_completed' and json_extract(payload_json, '$.item.type') = 'UserMessage'))`;

/** Every turn of the task's sessions; one without an end is open. */
export function* turns(store: Store, taskId: string): Generator<Turn> {
  for (const member of membersOf(store, taskId)) {
    const { role, name: session } = member;
    let open: { turnId: string | null; from: number } | null = null;
    for (const { at, subtype, payload } of records(store, member, TURNS)) {
      const turnId = typeof payload.turn_id === "string" ? payload.turn_id : null;
      if (subtype === "task_started") {
        // A turn that is followed by another without an end was cut off.
        if (open) yield { role, session, ...open, to: at, state: "aborted", error: null };
        open = { turnId, from: at };
      } else if (open && (subtype === "task_complete" || subtype === "turn_aborted")) {
        const error = subtype === "task_complete" ? readTurnError(payload.error) : null;
        const state = subtype === "turn_aborted" ? "aborted" : error === null ? "completed" : "failed";
        yield { role, session, ...open, to: at, state, error: error?.message ?? null };
        open = null;
      }
    }
    if (open) yield { role, session, ...open, to: null, state: "open", error: null };
  }
}

/** What the threads had used, record by record. */
export function* tokenPoints(store: Store, taskId: string): Generator<TokenPoint> {
  for (const member of membersOf(store, taskId)) {
    for (const { at, payload } of records(store, member, "subtype = 'token_count'")) {
      const fact = readFact({ type: "event_msg", subtype: "token_count", payload, timestamp: null });
      if (fact.kind === "tokens") yield { at, lane: member.role, total: fact.total.total };
    }
  }
}
