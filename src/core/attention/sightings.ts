/** What of a session, a task and their messages can be waited for, as it stands: each fact with its name, its words and its details. */
import { failureWords, type TurnError } from "../agent/failed-turn.ts";
import { oneLine } from "../plain-text.ts";
import { ledBy } from "./item.ts";
import type { Reason, Sighting } from "./reason.ts";
import { askDrafts } from "./session-items.ts";
import type { SideState, Trouble } from "./situation.ts";

/** Whose fact it is. */
export interface Whose {
  /** As it was named on the command line; else the task of the binding. */
  readonly target: string;
  readonly task: string | null;
}

/** The end of a turn. */
export interface TurnEnd {
  readonly id: number;
  readonly timestamp: string;
  readonly turn: "completed" | "failed" | "aborted";
  readonly turn_error: TurnError | null;
}

/** A session as it is waited for. */
export interface WaitedSide extends SideState {
  /** Ends of turns that who waits was not shown, oldest first. */
  readonly ends: readonly TurnEnd[];
  /** Nothing was ever said to it. */
  readonly untouched: boolean;
  readonly limit: { readonly limited: boolean; readonly resets_at: string | null; readonly since: string | null };
  /** What stands in front of it is told by a row, too, and counts when that is there. */
  readonly asksByRow: boolean;
}

type Told = Pick<Sighting, "key" | "text" | "still" | "details"> & Partial<Pick<Sighting, "record" | "message">>;

const sighting = (whose: Whose, reason: Reason, session: string | null, told: Told): Sighting => ({ ...whose, reason, session, ...told });

const ENDED = new Set(["completed", "failed", "aborted"]);

function ofTurns(whose: Whose, side: WaitedSide): Sighting[] {
  const { id, name, turn, turnEvent, turnAt, turnError, state, alive, ends } = side;
  const now = { turn, state, alive };
  const found: Sighting[] = [];
  const ended = (end: Pick<TurnEnd, "turn" | "turn_error"> & { at: string | null }, event: number | null, still: boolean): void => {
    const how = end.turn_error === null ? end.turn : `failed: ${failureWords(end.turn_error, end.at)}`;
    const details = { event_id: event, turn: end.turn, turn_error: end.turn_error, ended_at: end.at, now };
    const base = { ...(event === null ? {} : { record: event }), still, details };
    const since = still ? "" : ", and it has gone on since";
    found.push(sighting(whose, "idle", name, { ...base, key: `idle ${id} ${event}`, text: `${name} has ended a turn (${how})${since}` }));
    if (end.turn === "failed")
      found.push(sighting(whose, "failed", name, { ...base, key: `failed ${id} ${event}`, text: `${name}'s turn ${how}${since}` }));
  };
  for (const end of ends) if (end.id !== turnEvent) ended({ ...end, at: end.timestamp }, end.id, false);
  if (ENDED.has(turn)) ended({ turn: turn as TurnEnd["turn"], turn_error: turnError, at: turnAt }, turnEvent, true);
  else if (turn === "none" && side.untouched)
    found.push(
      sighting(whose, "idle", name, {
        key: `idle ${id} untouched`,
        text: `nothing was said to ${name} yet`,
        still: true,
        details: { event_id: null, turn, turn_error: null, ended_at: null, now },
      }),
    );
  if (turn === "crashed")
    found.push(
      sighting(whose, "crashed", name, {
        key: `crashed ${id} ${turnEvent}`,
        text: `${name} died in the middle of a turn`,
        still: true,
        details: { event_id: turnEvent, began_at: turnAt },
      }),
    );
  return found;
}

const ofAsks = (whose: Whose, side: WaitedSide, more: readonly string[]): Sighting[] =>
  askDrafts(side, whose.task === null ? null : { id: "", name: whose.task })
    .filter(({ kind, lasting }) => lasting || kind !== "question" || !side.asksByRow)
    .map(({ kind, key, lasting, text, command, file, choices, since, actions }) =>
      sighting(whose, "question", side.name, {
        key: `question ${key}`,
        text,
        still: true,
        details: {
          kind,
          ask_id: lasting ? key : null,
          command,
          file,
          choices,
          page: side.page,
          asked_at: since,
          actions: ledBy(actions, more),
        },
      }),
    );

/** What is so of a session, and the turns that it has ended. @param more words that commands which lead on have to be given besides */
export function sideSightings(whose: Whose, side: WaitedSide, more: readonly string[]): Sighting[] {
  const { id, name, pid, alive, limit, turnEvent } = side;
  const found = [...ofAsks(whose, side, more), ...ofTurns(whose, side)];
  if (limit.limited)
    found.push(
      sighting(whose, "limit", name, {
        key: `limit ${id} ${turnEvent}`,
        text: `${name} is limited${limit.resets_at === null ? ", until when nobody told" : ` until ${limit.resets_at}`}`,
        still: true,
        details: { resets_at: limit.resets_at, since: limit.since },
      }),
    );
  if (alive === false)
    found.push(sighting(whose, "gone", name, { key: `gone ${id} ${pid}`, text: `${name} no longer runs`, still: true, details: { pid } }));
  return found;
}

/** A message that lies unread for a session. */
export interface UnreadMessage {
  readonly id: number;
  readonly signal_type: string;
  readonly source: string;
  readonly delivered_at: string | null;
  /** What it says. */
  readonly words: string | null;
}

export const messageKey = (id: number): string => `message ${id}`;

export const messageSightings = (whose: Whose, session: string, messages: readonly UnreadMessage[]): Sighting[] =>
  messages.map(({ id, signal_type, source, delivered_at, words }) =>
    sighting(whose, "message", session, {
      key: messageKey(id),
      message: id,
      text: `${signal_type} from ${source} waits for ${session}${words === null ? "" : `: ${oneLine(words)}`}`,
      still: true,
      details: { notification_id: id, signal_type, source_session: source, delivered_at, message: words },
    }),
  );

export const troubleSightings = (whose: Whose, session: string | null, troubles: readonly Trouble[]): Sighting[] =>
  troubles.map(({ id, what, at, error }) =>
    sighting(whose, "uncertain", session, {
      key: `uncertain ${id}`,
      text: `${what} was sent, but nothing proves that it arrived${error ? `: ${oneLine(error)}` : ""}`,
      still: true,
      details: { id, what, at, error },
    }),
  );

/** A task that is over. */
export const doneSighting = (whose: Whose, task: { readonly id: string; readonly name: string; readonly state: string }): Sighting =>
  sighting(whose, "done", null, {
    key: `done ${task.id}`,
    text: `task ${task.name} is ${task.state === "done" ? "finished" : "stopped"}`,
    still: true,
    details: { state: task.state },
  });

/** Both sides of a task rest. */
export const stalledSighting = (
  whose: Whose,
  taskId: string,
  stalled: { readonly text: string; readonly since: string | null },
): Sighting =>
  sighting(whose, "stalled", null, {
    key: `stalled ${taskId} ${stalled.since}`,
    text: stalled.text,
    still: true,
    details: { since: stalled.since },
  });
