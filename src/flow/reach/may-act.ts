/** Who may do for a session what is not its own to do: a person, and the manager of its task whom a person allowed it. */
import type { Context } from "../../context.ts";
import { Failure } from "../../core/failure.ts";
import type { Session } from "../../core/sessions/session.ts";
import { isGranted } from "../../core/tasks/permissions.ts";
import type { Binding } from "../../store/sessions/bindings.ts";
import type { Store } from "../../store/store.ts";
import { findConfig } from "../../store/tasks/manager-configs.ts";
import { taskById } from "../../store/tasks/tasks.ts";
import { askerOf } from "./asker.ts";
import { nextCommand } from "./next-command.ts";

interface Deed {
  readonly permission: string;
  /** The verb before the session's name: "answer for". */
  readonly does: string;
  /** Why a session does not do it for itself. */
  readonly itself: string;
}

/**
 * @param binding the one of the task that it is about; null: there is none, and no session manages it
 * @returns the session that this command is run by, null for a person
 * @throws Failure when this command may not do it for that session
 */
export async function mayAct(
  cx: Context,
  store: Store,
  session: Session,
  binding: Binding | null,
  { permission, does, itself }: Deed,
): Promise<Session | null> {
  const asker = await askerOf(cx, store);
  if (asker === null) return null;
  const who = JSON.stringify(session.name);
  if (asker === "unknown")
    throw new Failure(`an agent that is not on record may not ${does} ${who}`, { hint: `${cx.program} doctor-self` });
  if (asker.id === session.id) throw new Failure(`${itself}: ${who}`);
  if (binding === null || binding.manager_session_id !== asker.id || binding.worker_session_id !== session.id)
    throw new Failure(`${JSON.stringify(asker.name)} does not manage ${who}, and may not ${does} it`);
  const config = findConfig(store, binding.task_id);
  if (config === null || !isGranted(config.permissions, permission)) {
    const task = taskById(store, binding.task_id)?.name ?? binding.task_id;
    throw new Failure(`${JSON.stringify(asker.name)} may not ${does} ${who}: ${permission} is not granted`, {
      hint: `a person grants it: ${nextCommand(cx, store, "manager-config", task, "--permit", permission)}`,
    });
  }
  return asker;
}
