/** What a worker is doing, told from its rollout: state (busy, idle, unknown) and how its newest turn stands. */
import type { TurnError } from "../agent/failed-turn.ts";
import { readFact, type AgentFact, type AgentRecord } from "../agent/record.ts";
import { ageSeconds, instant } from "../time.ts";

export type WorkerState = "busy" | "idle" | "unknown";
/** What a record says about the turn. `failed`: an error ended it, and its work is not done. */
export type TurnSign = "open" | "completed" | "failed" | "aborted";
/** `crashed`: a turn stands open, but nobody is left who could end it. */
export type Turn = TurnSign | "crashed" | "none";

/** What a record says about the turn; null: nothing. */
export function turnSign(record: AgentRecord): TurnSign | null {
  const fact = readFact(record);
  return fact.kind === "turn_completed" && fact.error !== null ? "failed" : (signs[fact.kind] ?? null);
}

const signs: { readonly [K in AgentFact["kind"]]?: TurnSign } = {
  turn_started: "open",
  user: "open",
  turn_completed: "completed",
  turn_aborted: "aborted",
};

/** The newest stored record that says something about the turn, and why the turn failed if it says so. */
type TurnRecord = AgentRecord & {
  readonly timestamp: string;
  readonly turn_error: TurnError | null;
  /** The turn that stands open was broken off, and nothing was written of that. */
  readonly broken: boolean;
};

/** What is known about who writes the thread. */
export interface WriterSigns {
  /** The thread's writer lock: held, free, or null when it cannot be told. */
  readonly lockHeld: boolean | null;
  /** The registered process exists; null when none is registered. */
  readonly processAlive: boolean | null;
  /** Since when its agent itself says that it rests, in milliseconds since the epoch; null: it says nothing of the kind. */
  readonly restsSince: number | null;
}

export interface Inference {
  readonly state: WorkerState;
  readonly turn: Turn;
  /** Of a failed turn. */
  readonly turn_error: TurnError | null;
  readonly last_state_event_at: string | null;
  /** Whole seconds since then, at least 0. */
  readonly staleness_seconds: number | null;
  /** Subtype of the very last record of any type. */
  readonly last_event_subtype: string | null;
  /** The very last record is a `task_complete`. */
  readonly task_completed: boolean;
}

/** The writer is certainly gone: the lock is free and no registered process lives, or there is no lock to ask and the process is dead. */
const writerGone = ({ lockHeld, processAlive }: WriterSigns): boolean =>
  lockHeld === null ? processAlive === false : !lockHeld && processAlive !== true;

/** The turn that stands open was broken off before anything was written of that: its agent says that it has rested since. */
const restsAfter = ({ timestamp }: TurnRecord, { restsSince }: WriterSigns): boolean =>
  restsSince !== null && restsSince > (instant(timestamp) ?? Number.POSITIVE_INFINITY);

/**
 * @param newest the newest record with a turn sign, null when there is none
 * @param lastSubtype subtype of the very last record of any type
 */
export function inferState(newest: TurnRecord | null, lastSubtype: string | null, writer: WriterSigns, nowMs: number): Inference {
  const told = newest === null ? null : turnSign(newest);
  // With nobody left it has crashed, whatever was seen before.
  const sign = told === "open" && !writerGone(writer) && (newest!.broken || restsAfter(newest!, writer)) ? "aborted" : told;
  const open = sign === "open";
  return {
    state: sign === null ? "unknown" : open ? "busy" : "idle",
    turn: sign === null ? "none" : open && writerGone(writer) ? "crashed" : sign,
    turn_error: newest?.turn_error ?? null,
    last_state_event_at: newest?.timestamp ?? null,
    staleness_seconds: ageSeconds(newest?.timestamp, nowMs),
    last_event_subtype: lastSubtype,
    task_completed: lastSubtype === "task_complete",
  };
}
