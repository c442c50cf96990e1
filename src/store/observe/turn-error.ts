/** Why a stored turn failed, with the time at which its limit is full again, from the limits noted before it. */
import { notesLimits, readTurnError, resetOf } from "../../core/agent/turn-error.ts";
import { isObject, type JsonObject, parseStored } from "../../core/json.ts";
import type { TurnError } from "../../core/agent/failed-turn.ts";
import type { Store } from "../store.ts";

/** Records of tokens to look back over: the newest may note another limit, or none. */
const LOOK_BACK = 16;

/** A stored `task_complete`. */
interface EndedTurn {
  readonly id: number;
  readonly session_id: string;
  readonly timestamp: string;
  readonly payload: JsonObject;
}

/** The error with which the turn ended; null when it ended well. The limits are looked up by the index `codex_events_tokens`. */
export function turnErrorOf(store: Store, turn: EndedTurn): TurnError | null {
  const error = readTurnError(turn.payload.error);
  if (error === null) return null;
  return { ...error, resets_at: error.kind === "usage_limit" ? resetBefore(store, turn) : null };
}

function resetBefore(store: Store, turn: EndedTurn): string | null {
  const rows = store.db
    .query<{ timestamp: string; payload_json: string }, [string, number, number]>(
      `select timestamp, payload_json from codex_events where session_id = ? and subtype = 'token_count' and id < ? order by id desc
        limit ?`,
    )
    .all(turn.session_id, turn.id, LOOK_BACK);
  for (const { timestamp, payload_json } of rows) {
    const payload = parseStored<unknown>(payload_json, {});
    if (isObject(payload) && notesLimits(payload)) return resetOf(payload, timestamp, turn.timestamp);
  }
  return null;
}
