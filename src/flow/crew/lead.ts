/** Giving a manager that runs already another worker: whether it may have it, and what it is told. */
import { Failure } from "../../core/failure.ts";
import type { Session } from "../../core/sessions/session.ts";
import { crewPrompt, type CrewBrief } from "../../core/tasks/manager-prompt.ts";
import { createCommand, holderOfKey } from "../../store/dispatch/commands.ts";
import { type Binding, otherTasksOf } from "../../store/sessions/bindings.ts";
import { findSession } from "../../store/sessions/sessions.ts";
import { findStart } from "../../store/sessions/unfinished-starts.ts";
import { findConfig } from "../../store/tasks/manager-configs.ts";
import { needTask } from "../../store/tasks/tasks.ts";
import { alive } from "../../system/processes/processes.ts";
import { nextCommand } from "../reach/next-command.ts";
import type { Store } from "../../store/store.ts";
import type { Scene, TaskScene } from "../scene.ts";

/** What is asked of the manager. */
interface Wanted {
  readonly managerName: string;
  readonly managerAgent?: string | undefined;
  readonly managerModel?: string | undefined;
  readonly managerEffort?: string | undefined;
}

/**
 * The manager that runs already and is to get a worker more; null: there is none of this name, and it is to be started.
 * @throws Failure when it runs and is not to lead more, or does not run any more
 */
export function leaderOf({ cx, store }: Scene, wanted: Wanted, crew: boolean): Session | null {
  const { managerName: name } = wanted;
  const known = findSession(store, name);
  if (known === null || known.role !== "manager" || known.state === "gone") return null;
  // One that the same pairing has started before it was cut off.
  if (findStart(store, name)?.session_id === known.id) return null;
  const who = `session ${JSON.stringify(name)}`;
  if (!crew) throw new Failure(`${who} is registered already`, { hint: "with --crew it leads this worker too; else choose another name" });
  if (known.pid !== null && !alive(known.pid))
    throw new Failure(`${who} does not run any more`, { hint: nextCommand(cx, store, "revive", "--all") });
  const given = {
    "--manager-agent": wanted.managerAgent,
    "--manager-model": wanted.managerModel,
    "--manager-effort": wanted.managerEffort,
  };
  const [vain] = Object.entries(given).find(([, value]) => value !== undefined) ?? [];
  if (vain !== undefined) throw new Failure(`${who} runs already, and ${vain} would change nothing`, { hint: `leave ${vain} out` });
  return known;
}

/** The names of the tasks that a manager leads. @param beside all but this one */
export const ledTasks = (store: Store, managerId: string, beside = ""): string[] =>
  otherTasksOf(store, managerId, beside).map((id) => needTask(store, id).name);

/**
 * Tells the manager once, by Dispatch, what it now also supervises; inside the transaction that binds it.
 * @returns the id of the command that carries it
 */
export function announce(
  { cx, store, task }: TaskScene,
  leader: Session,
  binding: Binding,
  brief: Pick<CrewBrief, "worker" | "cwd" | "goal" | "path">,
): string {
  const idempotencyKey = `crew-${binding.id}`;
  const known = holderOfKey(store, idempotencyKey);
  if (known !== null) return known.id;
  const message = crewPrompt({
    ...brief,
    program: cx.program,
    manager: leader.name,
    task: task.name,
    config: findConfig(store, task.id),
    others: ledTasks(store, leader.id, task.id),
  });
  return createCommand(store, { type: "notify_manager", taskId: task.id, payload: { message, source: "pair" }, idempotencyKey });
}
