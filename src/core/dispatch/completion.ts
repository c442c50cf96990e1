/** The signal that a worker ended a turn: what its manager is told, and the receipt that goes with it. */
import type { JsonObject } from "../json.ts";
import type { TurnError } from "../agent/failed-turn.ts";
import { quoteWord } from "../shell.ts";

/**
 * The text for the manager: what seems to have happened, what to look at, what to decide.
 * @param failed why the turn failed, in a few words; null when it ended well
 */
export const completionMessage = (worker: string, task: string, failed: string | null): string =>
  failed === null ? ended(worker, task) : failure(worker, task, failed);

const failure = (worker: string, task: string, why: string): string =>
  `${worker}'s turn failed: ${why}. Its work on task ${task} is not done. Run: conveyor cycle ${quoteWord(task)}; turn_error has the ` +
  "agent's own words. Then decide: send the worker on once the cause is gone, or tell the operator what stands in its way.";

const ended = (worker: string, task: string): string =>
  `Worker ${worker} seems to have finished a turn of task ${task}. Run: conveyor cycle ${quoteWord(task)}. ` +
  "Check its evidence and the acceptance criteria before you believe it. Then " +
  "decide: finish the task, ask the worker for fixes, or keep watching.";

/** The line about turns that ended before worker and manager were bound; nothing when there were none. */
export const earlierTurnsLine = (worker: string, count: number): string =>
  count === 0
    ? ""
    : `\n${count} earlier ${count === 1 ? "turn" : "turns"} of ${worker} had ended before you were bound to it; they are not told one by one.`;

interface CompletionEvent {
  readonly id: number;
  readonly timestamp: string;
  /** Name of the worker's session. */
  readonly worker: string;
  readonly payload: JsonObject;
  readonly turnError: TurnError | null;
}

/** What the rollout said about the turn, null where it said nothing. */
export const workerReceipt = ({ id, timestamp, worker, payload, turnError }: CompletionEvent): Record<string, unknown> => ({
  completed_at: payload.completed_at ?? null,
  duration_ms: payload.duration_ms ?? null,
  last_agent_message: payload.last_agent_message ?? null,
  time_to_first_token_ms: payload.time_to_first_token_ms ?? null,
  turn_error: turnError,
  turn_id: payload.turn_id ?? null,
  source_event_id: id,
  source_event_timestamp: timestamp,
  source_session: worker,
});

export const completionKey = (bindingId: string, workerSessionId: string, eventId: number): string =>
  `${bindingId}:worker_task_complete:${workerSessionId}:${eventId}`;
