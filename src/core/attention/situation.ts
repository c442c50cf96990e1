/** How a task and the sessions on it stand, as far as it decides what needs a person: from the records and from what the machine shows. */
import type { TurnError } from "../agent/failed-turn.ts";
import type { AgentAsk } from "../agent/protocol.ts";
import type { Dialog, PageName } from "../agent/screen.ts";
import type { Role } from "../sessions/session.ts";
import type { Turn, WorkerState } from "../sessions/worker-state.ts";

/** What a side asks: by its agent's protocol, or on a page that was put on record. */
export interface SideAsk extends Pick<AgentAsk, "kind" | "question" | "command" | "choices"> {
  readonly id: string;
  readonly takes_text: boolean;
  readonly asked_at: string;
}

/** A session as it stands now. */
export interface SideState {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly agent: string;
  readonly pid: number | null;
  /** It has a server of its own that it can be answered by; else only keys reach it. */
  readonly served: boolean;
  /** Whether its process or terminal is there; null when nothing is recorded that could be asked. */
  readonly alive: boolean | null;
  /** Somebody has ended it. */
  readonly stopped: boolean;
  readonly state: WorkerState;
  readonly turn: Turn;
  /** The record that tells how its newest turn stands; null when there is none. */
  readonly turnEvent: number | null;
  /** That turn was cut off, and whoever took the session up has not gone on with it. */
  readonly turnBroken: boolean;
  readonly turnError: TurnError | null;
  readonly turnAt: string | null;
  /** Whether its account's limit is spent, and when it is full again: null where nobody told. */
  readonly limit: { readonly limited: boolean; readonly resets_at: string | null };
  /** Its newest turn died of a limit that was over a moment ago: it is gone on with by itself, or soon is a turn that failed. */
  readonly limitOver: boolean;
  readonly page: PageName | null;
  readonly dialog: Dialog | null;
  /** What its page asks was on record when that was looked at. */
  readonly recorded: boolean;
  readonly asks: readonly SideAsk[];
  /** Its pane shows another conversation: the words of the command that takes that one on record. */
  readonly moved: readonly string[] | null;
  readonly movedAt: string | null;
}

/** A message or a command in trouble. */
export interface Trouble {
  /** `notification:`, `delivery:` or `command:` with its own id. */
  readonly id: string;
  readonly what: string;
  readonly state: string;
  readonly at: string;
  readonly error: string | null;
}

/** Whether a task has used what it may, what of it, and when it may go on by itself. */
export interface BudgetUse {
  readonly over: boolean;
  readonly why: string | null;
  readonly until: string | null;
  readonly since: string | null;
}

export interface TaskSituation {
  readonly task: { readonly id: string; readonly name: string; readonly state: string };
  readonly sides: readonly SideState[];
  /** When its pair was bound; null while nobody is. */
  readonly boundAt: string | null;
  readonly proposedCriteria: number;
  readonly staleProofs: number;
  readonly uncertain: readonly Trouble[];
  readonly failed: readonly Trouble[];
  /** Commands and messages that wait for Dispatch. */
  readonly queued: number;
  /** Ends of turns that no message was made of yet. */
  readonly untold: number;
  /** Since when the first of both waits. */
  readonly queuedSince: string | null;
  /** Messages under way, or kept until they can be sent. */
  readonly underWay: number;
  readonly budget: BudgetUse;
  /** Some Dispatch is alive. */
  readonly dispatch: boolean;
  readonly dismissed: readonly string[];
  /** The side of which everything that needs a person is told in another task, as of a manager that leads several. */
  readonly toldElsewhere: string | null;
}

/** A session that works for nobody. */
export interface FreeSituation {
  readonly side: SideState;
  /** When it was last set free; null: it was never bound. */
  readonly freeSince: string | null;
}

/** When it is looked at, and from when on a pair counts as stalled. */
export interface Moment {
  readonly nowMs: number;
  readonly stalledAfterSeconds: number;
}

/** As nights are lived through: a pair that rests for longer has lost its way. */
export const STALLED_AFTER_SECONDS = 600;
