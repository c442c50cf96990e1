/** How a session stands: what is on record of it and what the machine shows of it, put together. */
import type { Context } from "../../context.ts";
import type { Dialog, PageName } from "../../core/agent/screen.ts";
import type { SideState } from "../../core/attention/situation.ts";
import type { Session } from "../../core/sessions/session.ts";
import { inferState, type WriterSigns } from "../../core/sessions/worker-state.ts";
import { olderThan } from "../../core/time.ts";
import type { SideFacts } from "../../store/attention/tasks.ts";
import { moveWords } from "../observe/whereabouts.ts";

/** What the machine shows of a session. */
export interface Sign extends WriterSigns {
  /** Its terminal: null when none is recorded. */
  readonly terminal: {
    readonly running: boolean;
    readonly reason: string | null;
    readonly width: number;
    readonly height: number;
    readonly attached: number;
  } | null;
  readonly page: PageName | null;
  readonly dialog: Dialog | null;
  /** What its page asks was on record when it was looked at: when it no longer is, it was answered since. */
  readonly recorded: boolean;
}

/** When a limit is over, its turn is gone on with within this by whoever was told to (`--resume-limits`), or by a person who was told of it. */
const GONE_ON_WITHIN_SECONDS = 600;

/** Of a session that was not looked at. */
export const UNSEEN: Sign = {
  processAlive: null,
  lockHeld: null,
  restsSince: null,
  terminal: null,
  page: null,
  dialog: null,
  recorded: false,
};

/** Whether it runs; null when nothing is recorded that could be asked. */
export function aliveOf(session: Pick<Session, "state">, sign: Sign): boolean | null {
  if (session.state === "gone") return false;
  if (sign.lockHeld === true || sign.processAlive === true) return true;
  if (sign.terminal !== null && !sign.terminal.running) return false;
  return sign.processAlive ?? sign.lockHeld ?? (sign.terminal === null ? null : sign.terminal.running);
}

export function sideState(cx: Pick<Context, "program">, facts: SideFacts, sign: Sign, nowMs: number): SideState {
  const { session, asks, limit, limitOverSince } = facts;
  const { state, turn, turn_error, last_state_event_at } = inferState(facts.turn, null, sign, nowMs);
  return {
    id: session.id,
    name: session.name,
    role: session.role,
    agent: session.agent,
    pid: session.pid,
    served: session.socket !== null,
    alive: aliveOf(session, sign),
    stopped: facts.stopped,
    state,
    turn,
    turnEvent: facts.turn?.id ?? null,
    turnBroken: facts.turn?.broken ?? false,
    turnError: turn_error,
    turnAt: last_state_event_at,
    limit,
    limitOver: limitOverSince !== null && !olderThan(limitOverSince, GONE_ON_WITHIN_SECONDS, nowMs),
    page: sign.page,
    dialog: sign.dialog,
    recorded: sign.recorded,
    asks,
    moved: moveWords(cx, session),
    movedAt: session.moved_at,
  };
}
