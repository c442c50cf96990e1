/** A task at a glance, and the sides of its pair: records and signs of the machine put together for the page. */
import { attention, type SideAsk, type SideState, type Wait } from "../core/dashboard/attention.ts";
import type { CriteriaSummary } from "../core/tasks/criteria.ts";
import type { TurnError } from "../core/agent/failed-turn.ts";
import type { Dialog, PageName } from "../core/agent/screen.ts";
import type { Role, Session, WayOfLaunch } from "../core/sessions/session.ts";
import type { Task } from "../core/tasks/task.ts";
import { inferState, type Turn, type WorkerState } from "../core/sessions/worker-state.ts";
import type { LastDelivery, Side, TaskFacts } from "../store/dashboard/tasks.ts";
import { moveOf } from "../flow/observe/whereabouts.ts";
import type { Machine, Sign } from "./machine.ts";

/** A session as pages know it: nothing secret, no identity token. */
export interface Party {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly agent: string;
  readonly model: string | null;
  readonly launch: WayOfLaunch | null;
  readonly cwd: string;
  readonly recorded: "active" | "gone";
  readonly tmux: string | null;
  readonly pane: string | null;
  readonly pid: number | null;
  readonly thread: string | null;
  readonly rollout: string | null;
  /** Its pane shows another conversation: the command that takes that one on record. */
  readonly moved: string | null;
  readonly registeredAt: string;
  readonly heardAt: string | null;
  readonly alive: boolean | null;
  readonly terminal: Sign["terminal"];
  readonly page: PageName | null;
  readonly dialog: Dialog | null;
}

export interface BoundParty extends Party {
  readonly state: WorkerState;
  readonly turn: Turn;
  readonly turnError: TurnError | null;
  readonly turnAt: string | null;
  readonly waiting: number;
  readonly asks: readonly SideAsk[];
}

export interface Card {
  readonly task: Task;
  readonly bindingId: string | null;
  readonly worker: BoundParty | null;
  readonly manager: BoundParty | null;
  readonly criteria: CriteriaSummary;
  readonly delivery: LastDelivery | null;
  readonly queued: number;
  readonly cycle: TaskFacts["cycle"];
  readonly decision: TaskFacts["decision"];
  readonly waits: readonly Wait[];
}

const aliveOf = (session: Session, sign: Sign): boolean | null => {
  if (session.state === "gone") return false;
  if (sign.lockHeld === true || sign.processAlive === true) return true;
  if (sign.terminal !== null && !sign.terminal.running) return false;
  return sign.processAlive ?? sign.lockHeld ?? (sign.terminal === null ? null : sign.terminal.running);
};

export function partyOf(session: Session, machine: Machine): Party {
  const sign = machine.sign(session.id);
  return {
    id: session.id,
    name: session.name,
    role: session.role,
    agent: session.agent,
    model: session.model,
    launch: session.launch,
    cwd: session.cwd,
    recorded: session.state,
    tmux: session.tmux_session,
    pane: session.tmux_pane_id,
    pid: session.pid,
    thread: session.codex_session_id,
    rollout: session.codex_session_path,
    moved: moveOf({ program: "conveyor" }, session)?.command ?? null,
    registeredAt: session.registered_at,
    heardAt: session.last_heartbeat_at,
    alive: aliveOf(session, sign),
    terminal: sign.terminal,
    page: sign.page,
    dialog: sign.dialog,
  };
}

function boundParty(side: Side | null, machine: Machine, nowMs: number): BoundParty | null {
  if (side === null) return null;
  const { state, turn, turn_error, last_state_event_at } = inferState(side.turn, null, machine.sign(side.session.id), nowMs);
  const { waiting, asks } = side;
  return { ...partyOf(side.session, machine), state, turn, turnError: turn_error, turnAt: last_state_event_at, waiting, asks };
}

/** @param dispatch whether some Dispatch is alive */
export function cardOf(facts: TaskFacts, machine: Machine, dispatch: boolean, nowMs: number): Card {
  const worker = boundParty(facts.worker, machine, nowMs);
  const manager = boundParty(facts.manager, machine, nowMs);
  const ended = facts.task.state === "done" || facts.task.state === "failed";
  const waits = ended
    ? []
    : attention({
        task: facts.task,
        sides: [worker, manager].filter((side): side is BoundParty => side !== null) satisfies SideState[],
        bound: facts.bindingId !== null,
        openCriteria: facts.criteria.accepted,
        proposedCriteria: facts.criteria.proposed,
        staleEvidence: machine.staleProofs(facts.task.id),
        uncertain: facts.uncertain,
        failed: facts.failed,
        queued: facts.queued,
        dispatch,
        dismissed: facts.dismissed,
      });
  const { task, bindingId, criteria, delivery, queued, cycle, decision } = facts;
  return { task, bindingId, worker, manager, criteria, delivery, queued, cycle, decision, waits };
}
