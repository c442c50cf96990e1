/** What session-nudge and session-interrupt leave on record, also when they fail: an event and telemetry, never the text. */
import type { Session } from "../../core/sessions/session.ts";
import { soleBinding } from "../../store/sessions/bindings.ts";
import { addEvent } from "../../store/record/events.ts";
import { findSession } from "../../store/sessions/sessions.ts";
import { unknownSession } from "../../store/names.ts";
import { type Store, tx } from "../../store/store.ts";
import { addTelemetry } from "../../store/record/telemetry.ts";

interface SessionAction {
  /** `session_nudged`. */
  readonly event: string;
  /** `session_nudge`, to which `_succeeded` or `_failed` is added. */
  readonly telemetry: string;
  readonly session: string;
  readonly dryRun: boolean;
  /** Keys of event and attributes that this action has besides the common ones. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** Further keys of event and correlation, asked for when the action is over. */
  correlation?(): Readonly<Record<string, unknown>>;
}

/** Task of the session's open binding, and the binding; of a manager that leads several none is meant. */
export const boundTask = (store: Store, session: Session | null): { taskId: string | null; bindingId: string | null } => {
  const binding = session && soleBinding(store, session.id);
  return { taskId: binding?.task_id ?? null, bindingId: binding?.id ?? null };
};

/**
 * Runs `act` on the session of this name and records how it went.
 * @throws what `act` throws, after it was recorded; a Failure when there is no such session
 */
export async function recorded<T>(store: Store, action: SessionAction, act: (session: Session) => Promise<T>): Promise<T> {
  const session = findSession(store, action.session);
  try {
    if (session === null) throw unknownSession(store, action.session);
    const result = await act(session);
    record(store, action, session, null);
    return result;
  } catch (error) {
    record(store, action, session, error as Error);
    throw error;
  }
}

function record(store: Store, action: SessionAction, session: Session | null, error: Error | null): void {
  const told = error === null ? {} : { error: error.message, error_type: error.name };
  const correlation = action.correlation?.() ?? {};
  const facts = { dry_run: action.dryRun, success: error === null, ...action.facts, ...told };
  tx(store, () => {
    const { taskId, bindingId } = boundTask(store, session);
    addEvent(store, { type: action.event, taskId, payload: { session: action.session, ...correlation, ...facts } });
    addTelemetry(store, {
      type: `${action.telemetry}_${error === null ? "succeeded" : "failed"}`,
      severity: error === null ? "info" : "error",
      taskId,
      summary: error === null ? `${action.event} ${action.session}` : `${action.session}: ${error.message}`,
      correlation: {
        binding_id: bindingId,
        role: session?.role ?? null,
        session_id: session?.id ?? null,
        dry_run: action.dryRun,
        session: action.session,
        ...correlation,
      },
      attributes: facts,
    });
  });
}
