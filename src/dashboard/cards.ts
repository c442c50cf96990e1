/** A task at a glance, and the sides of its pair: records and signs of the machine put together for the page. */
import type { Item } from "../core/attention/item.ts";
import type { SideAsk, SideState } from "../core/attention/situation.ts";
import type { CriteriaSummary } from "../core/tasks/criteria.ts";
import type { TurnError } from "../core/agent/failed-turn.ts";
import type { Dialog, PageName } from "../core/agent/screen.ts";
import type { Role, Session, WayOfLaunch } from "../core/sessions/session.ts";
import type { Task } from "../core/tasks/task.ts";
import type { Turn, WorkerState } from "../core/sessions/worker-state.ts";
import type { LastDelivery, ShownTask } from "../store/dashboard/tasks.ts";
import type { SideFacts } from "../store/attention/tasks.ts";
import { otherTasksOf } from "../store/sessions/bindings.ts";
import { needTask } from "../store/tasks/tasks.ts";
import type { Look } from "../flow/attention/look.ts";
import { aliveOf, type Sign } from "../flow/attention/side.ts";
import { situationOf, taskItems } from "../flow/attention/situation.ts";
import type { Scene } from "../flow/scene.ts";
import { moveOf } from "../flow/observe/whereabouts.ts";

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

/** One that may be bound. */
export interface Bindable {
  readonly name: string;
  readonly role: string;
  /** Of a manager that is bound already: how many it leads. */
  readonly leads: number;
}

export interface Card {
  readonly task: Task;
  readonly bindingId: string | null;
  readonly worker: BoundParty | null;
  readonly manager: BoundParty | null;
  /** The tasks that its manager leads beside this one. */
  readonly leads: readonly { readonly id: string; readonly name: string }[];
  readonly criteria: CriteriaSummary;
  readonly delivery: LastDelivery | null;
  readonly queued: number;
  readonly cycle: ShownTask["cycle"];
  readonly decision: ShownTask["decision"];
  /** What needs a person, the most pressing first. */
  readonly waits: readonly Item[];
}

export function partyOf(session: Session, look: Look): Party {
  const sign = look.sign(session.id);
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

function boundParty(facts: SideFacts | null, sides: readonly SideState[], look: Look): BoundParty | null {
  const side = sides.find(({ id }) => id === facts?.session.id);
  if (facts === null || side === undefined) return null;
  const { state, turn, turnError, turnAt, asks } = side;
  return { ...partyOf(facts.session, look), state, turn, turnError, turnAt, waiting: facts.waiting, asks };
}

export function cardOf(scene: Scene, facts: ShownTask, look: Look): Card {
  const situation = situationOf(scene.cx, facts, look);
  const { task, binding, criteria, delivery, queued, cycle, decision } = facts;
  return {
    task,
    bindingId: binding?.id ?? null,
    worker: boundParty(facts.worker, situation.sides, look),
    manager: boundParty(facts.manager, situation.sides, look),
    leads:
      binding && facts.manager
        ? otherTasksOf(scene.store, facts.manager.session.id, task.id).map((id) => ({ id, name: needTask(scene.store, id).name }))
        : [],
    criteria,
    delivery,
    queued,
    cycle,
    decision,
    waits: taskItems(scene, situation, look),
  };
}
