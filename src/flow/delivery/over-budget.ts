/** What a command wants to say to a worker whose task is over its budget: it is queued instead, and parked. */
import { Failure } from "../../core/failure.ts";
import type { Session } from "../../core/sessions/session.ts";
import { quoteWord } from "../../core/shell.ts";
import { type Hold, holdOnTask, parkCommand } from "../../store/attention/parked.ts";
import { createCommand } from "../../store/dispatch/commands.ts";
import { readMessage } from "../../store/dispatch/message.ts";
import { tx } from "../../store/store.ts";
import { needTask } from "../../store/tasks/tasks.ts";
import type { Scene } from "../scene.ts";
import { boundTask } from "./session-action.ts";

/** A message that was queued and waits. */
export interface Parked extends Hold {
  readonly command_id: string;
}

/**
 * Queues the text, where the task of the session is over its budget; null: it may be said.
 * @param steer it is meant for the turn that runs, and means nothing later
 * @throws Failure for what cannot wait
 */
export function parkOverBudget({ cx, store }: Scene, session: Session, text: string, steer: boolean): Parked | null {
  const { taskId } = boundTask(store, session);
  const hold = taskId === null ? null : holdOnTask(store, session, taskId);
  if (taskId === null || hold === null) return null;
  const raise = `${cx.program} budget ${quoteWord(needTask(store, taskId).name)} --show`;
  if (steer || text.trim() === "")
    throw new Failure(`nothing was said to ${JSON.stringify(session.name)}: ${hold.why}`, { hint: `raise it or clear it: ${raise}` });
  return tx(store, () => {
    const id = createCommand(store, { type: "nudge_worker", taskId, payload: { message: text } });
    parkCommand(store, readMessage(store, { commandId: id })!.command!, session, hold);
    cx.err(`note: the message waits: ${hold.why}; Dispatch sends it when that is over (${raise})`);
    return { command_id: id, ...hold };
  });
}
