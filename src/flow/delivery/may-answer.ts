/** Who may answer what a session asks: a person, and the manager of its task whom a person allowed it. */
import type { Context } from "../../context.ts";
import { Failure } from "../../core/failure.ts";
import type { Session } from "../../core/sessions/session.ts";
import { isGranted } from "../../core/tasks/permissions.ts";
import { bindingsOfSession } from "../../store/sessions/bindings.ts";
import type { Store } from "../../store/store.ts";
import { findConfig } from "../../store/tasks/manager-configs.ts";
import { askerOf } from "../reach/asker.ts";

/** @throws Failure when this command may not answer for that session; gives the session that it is, null for a person */
export async function mayAnswer(cx: Context, store: Store, session: Session): Promise<Session | null> {
  const asker = await askerOf(cx, store);
  if (asker === null) return null;
  const who = JSON.stringify(session.name);
  if (asker === "unknown")
    throw new Failure(`an agent that is not on record may not answer for ${who}`, { hint: `${cx.program} doctor-self` });
  if (asker.id === session.id) throw new Failure(`a session does not answer what it asks itself: ${who}`);
  const binding = bindingsOfSession(store, session.id).find((each) => each.worker_session_id === session.id);
  if (binding === undefined || binding.manager_session_id !== asker.id)
    throw new Failure(`${JSON.stringify(asker.name)} does not manage ${who}, and may not answer for it`);
  const config = findConfig(store, binding.task_id);
  if (config === null || !isGranted(config.permissions, "operator.answer"))
    throw new Failure(`${JSON.stringify(asker.name)} may not answer for ${who}: operator.answer is not granted`, {
      hint: "a person grants it with manager-config TASK --permissions-json '{\"operator.answer\": true}'",
    });
  return asker;
}
