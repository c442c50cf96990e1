/** Whom a wait is about: sessions, tasks, all that a manager has, or every open binding. */
import { OF_TASK, type Reason } from "../../core/attention/reason.ts";
import { Failure } from "../../core/failure.ts";
import { type Session, wayBack } from "../../core/sessions/session.ts";
import { quoteWord } from "../../core/shell.ts";
import type { Task } from "../../core/tasks/task.ts";
import { endedSince, lastBindingOf, openBindings } from "../../store/attention/waits.ts";
import { unknownTarget } from "../../store/names.ts";
import { type Binding, bindingsOfSession, latestBinding, tasksIn } from "../../store/sessions/bindings.ts";
import { findSession, needSession, sessionById } from "../../store/sessions/sessions.ts";
import type { Store } from "../../store/store.ts";
import { findTask, taskById } from "../../store/tasks/tasks.ts";
import type { Scene } from "../scene.ts";

/** What was named on the command line. */
export type Wanted =
  | { readonly kind: "session"; readonly label: string; readonly id: string }
  | { readonly kind: "task"; readonly label: string; readonly id: string }
  /** Every open binding; of one manager when it is named. */
  | { readonly kind: "bindings"; readonly managerId: string | null };

/** One that is waited for, as it stands now. */
export interface Target {
  readonly label: string;
  readonly task: Task | null;
  /** Its own; null for a task. */
  readonly session: Session | null;
  readonly worker: Session | null;
  readonly manager: Session | null;
}

const CREW = "crew:";

/** Understands the names. @throws Failure for one that nothing has, or that a session and a task have */
export function wantedOf({ store }: Scene, names: readonly string[]): Wanted[] {
  if (names.length === 0) return [{ kind: "bindings", managerId: null }];
  return [...new Set(names)].map((name): Wanted => {
    if (name.startsWith(CREW)) {
      const manager = needSession(store, name.slice(CREW.length));
      if (manager.role !== "manager")
        throw new Failure(`${JSON.stringify(manager.name)} is a worker, and a crew is named by its manager`, {
          hint: "conveyor sessions --role manager",
        });
      return { kind: "bindings", managerId: manager.id };
    }
    const session = findSession(store, name) ?? sessionById(store, name);
    const task = findTask(store, name);
    if (session !== null && task !== null)
      throw new Failure(`a session and a task are called ${JSON.stringify(name)}`, {
        hint: `give an id in place of the name: ${session.id} is the session, ${task.id} the task`,
      });
    if (session !== null) return { kind: "session", label: name, id: session.id };
    if (task !== null) return { kind: "task", label: name, id: task.id };
    throw unknownTarget(store, name);
  });
}

function ofBinding(store: Store, label: string, task: Task, binding: Binding | null): Target {
  const side = (id: string | null | undefined): Session | null => (id ? sessionById(store, id) : null);
  return { label, task, session: null, worker: side(binding?.worker_session_id), manager: side(binding?.manager_session_id) };
}

const ofTask = (store: Store, label: string | null, taskId: string): Target[] => {
  const task = taskById(store, taskId);
  return task === null ? [] : [ofBinding(store, label ?? task.name, task, latestBinding(store, task.id))];
};

function ofSession(store: Store, label: string, id: string): Target[] {
  const session = sessionById(store, id);
  if (session === null) return [];
  // One that leads several works on none of them in particular.
  const binding = bindingsOfSession(store, id).length > 1 ? null : lastBindingOf(store, id);
  return [{ label, task: binding && taskById(store, binding.task_id), session, worker: null, manager: null }];
}

/** Those that are waited for: what was among the bindings once stays, since it may have ended. */
export class Targets {
  private readonly seen = new Map<Wanted, Set<string>>();

  /** @param since the event after which what has ended counts; null: only what ends while this lives */
  constructor(
    private readonly store: Store,
    private readonly wanted: readonly Wanted[],
    private readonly since: number | null,
  ) {}

  /** As they stand now. */
  now(): Target[] {
    const { store } = this;
    return this.wanted.flatMap((each) => {
      if (each.kind === "session") return ofSession(store, each.label, each.id);
      if (each.kind === "task") return ofTask(store, each.label, each.id);
      const ids = this.seen.get(each) ?? new Set();
      this.seen.set(each, ids);
      for (const { task_id } of openBindings(store, each.managerId)) ids.add(task_id);
      if (this.since !== null) for (const id of endedSince(store, this.since, each.managerId)) ids.add(id);
      return [...ids].flatMap((id) => ofTask(store, null, id));
    });
  }
}

/** A task that has ended. */
export const isOver = ({ task, session }: Target): boolean => session === null && (task?.state === "done" || task?.state === "failed");
const isGone = ({ session }: Target): boolean => session?.state === "gone";

/** @throws Failure when none of the reasons can come to pass for any of them: to wait would be in vain */
export function refuseVain({ cx, store }: Scene, targets: readonly Target[], reasons: readonly Reason[], wanted: readonly Wanted[]): void {
  const [first] = targets;
  if (first === undefined) {
    const [each] = wanted;
    const whose =
      each?.kind === "bindings" && each.managerId !== null ? `${JSON.stringify(sessionById(store, each.managerId)?.name)} has` : null;
    throw new Failure(whose === null ? "no task has an open binding, so there is nothing to wait for" : `${whose} no open binding`, {
      hint: `${cx.program} discover`,
    });
  }
  if (!reasons.includes("done") && targets.every(isOver))
    throw new Failure(`task ${JSON.stringify(first.task!.name)} is ${first.task!.state}: only done can be waited for`, {
      hint: `${cx.program} replay ${quoteWord(first.task!.name)}`,
    });
  if (targets.every(({ task, session }) => session !== null && task === null) && reasons.every((reason) => OF_TASK.has(reason))) {
    const led = bindingsOfSession(store, first.session!.id);
    if (led.length > 1)
      throw new Failure(`manager ${JSON.stringify(first.session!.name)} leads ${tasksIn(store, led)}`, {
        hint: `wait for all of them: ${CREW}${quoteWord(first.session!.name)}`,
      });
    throw new Failure(`session ${JSON.stringify(first.session!.name)} works on no task, and only a task is ${reasons.join(" or ")}`, {
      hint: `${cx.program} tasks --active`,
    });
  }
  const lasting: readonly Reason[] = ["gone", "idle", "failed", "crashed", "done", "message", "uncertain"];
  if (targets.every(isGone) && !reasons.some((reason) => lasting.includes(reason)))
    throw new Failure(`session ${JSON.stringify(first.session!.name)} is gone`, { hint: wayBack(first.session!, cx.program) });
}
