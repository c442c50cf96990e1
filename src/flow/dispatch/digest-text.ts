/** The text of a digest, told from the notifications in it alone: whoever takes over can tell it again. */
import { failureWords, type TurnError } from "../../core/agent/failed-turn.ts";
import { completionMessage } from "../../core/dispatch/completion.ts";
import { type DigestEntry, digestMessage } from "../../core/dispatch/digest.ts";
import type { NotificationRow } from "../../core/dispatch/notification.ts";
import { COMPLETION, messageOf, payloadOf } from "../../core/dispatch/queued-command.ts";
import { isObject } from "../../core/json.ts";
import { isOpenBinding } from "../../store/sessions/bindings.ts";
import { sessionById } from "../../store/sessions/sessions.ts";
import type { Store } from "../../store/store.ts";
import { needTask } from "../../store/tasks/tasks.ts";

export const nameOf = (store: Store, sessionId: string): string => sessionById(store, sessionId)?.name ?? sessionId;

/** What is said of a notification that is said by itself. */
export const textOf = (store: Store, row: NotificationRow): string =>
  messageOf(payloadOf(row)) ?? completionMessage(nameOf(store, row.source_session_id), needTask(store, row.task_id).name, null);

/** Why it may concern its manager no more: it had to wait until that one rested. */
function overOf(store: Store, row: NotificationRow, state: string): string | null {
  if (state === "done" || state === "failed") return `${state} by now`;
  return isOpenBinding(store, row.binding_id) ? null : "no longer bound to you";
}

function entryOf(store: Store, row: NotificationRow): DigestEntry {
  const payload = payloadOf(row);
  const { name, state } = needTask(store, row.task_id);
  const about = { task: name, from: nameOf(store, row.source_session_id), over: overOf(store, row, state) };
  if (row.signal_type !== COMPLETION) return { ...about, text: textOf(store, row) };
  const receipt = isObject(payload.worker_receipt) ? payload.worker_receipt : {};
  const { turn_error: error, last_agent_message: words } = receipt;
  return {
    ...about,
    failed: isObject(error) ? failureWords(error as unknown as TurnError, row.source_event_timestamp) : null,
    words: typeof words === "string" ? words : null,
    earlier: typeof payload.earlier_turns === "number" ? payload.earlier_turns : 0,
  };
}

/** What is said of these notifications to one manager: by itself where it is one. */
export const saidOf = (store: Store, rows: readonly NotificationRow[]): string =>
  rows.length === 1
    ? textOf(store, rows[0]!)
    : digestMessage(
        nameOf(store, rows[0]!.target_session_id),
        rows.map((row) => entryOf(store, row)),
      );
