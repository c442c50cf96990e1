/** Taking a session off the record: refused while it is bound, and either way written down. */
import { Failure } from "../../core/failure.ts";
import type { Session } from "../../core/sessions/session.ts";
import { quoteWord } from "../../core/shell.ts";
import { bindingsOfSession, taskOfSession, tasksIn } from "./bindings.ts";
import { createCommand, setCommandState } from "../dispatch/commands.ts";
import { addEvent } from "../record/events.ts";
import { type Store, tx } from "../store.ts";

/** @returns the refusal when the session is bound, after it was recorded; null when the session is now gone */
export function deregister(store: Store, session: Session): Failure | null {
  return tx(store, () => {
    const bindings = bindingsOfSession(store, session.id);
    const [active = null] = bindings.map(({ id, task_id }) => ({ id, task_id }));
    const taskId = taskOfSession(store, session.id);
    const commandId = createCommand(store, {
      type: "deregister_session",
      taskId,
      payload: { name: session.name, role: session.role, active_binding: active, expected_failure: active !== null },
    });
    setCommandState(store, commandId, "attempted");
    if (active) {
      const task = store.db.query<{ name: string }, [string]>("select name from tasks where id = ?").get(active.task_id)!;
      const one = bindings.length === 1 ? ` (binding ${active.id})` : "";
      const error = `session ${JSON.stringify(session.name)} is bound to ${tasksIn(store, bindings)}${one}`;
      addEvent(store, {
        type: "session_deregister_failed",
        taskId,
        commandId,
        payload: { name: session.name, error, error_type: "Failure", expected_failure: true, active_binding: active },
      });
      setCommandState(store, commandId, "failed", {
        error,
        result: { name: session.name, command_id: commandId, active_binding: active, expected_failure: true },
      });
      return new Failure(error, { hint: `conveyor unbind --task ${quoteWord(task.name)}` });
    }
    store.db.query("update sessions set state = 'gone', last_heartbeat_at = ? where id = ?").run(store.now(), session.id);
    addEvent(store, { type: "session_deregistered", commandId, payload: { name: session.name } });
    setCommandState(store, commandId, "succeeded", { result: { command_id: commandId, name: session.name, state: "gone" } });
    return null;
  });
}
