/** What a session asks right now, put on record, with how that ended which it no longer asks. */
import { agentOf } from "../../core/agent/agents.ts";
import type { StepEnd } from "../../core/agent/agent.ts";
import type { AgentAsk, ServedLine } from "../../core/agent/protocol.ts";
import { readFact } from "../../core/agent/record.ts";
import { type AskEnd, askEnd, UNKNOWN } from "../../core/delivery/ask-end.ts";
import type { Session } from "../../core/sessions/session.ts";
import { turnSign } from "../../core/sessions/worker-state.ts";
import { type Ask, endAsk, goneAsks, recordAsks, unsettledAsks } from "../../store/asks.ts";
import { newestTurnEvent, recordsBefore } from "../../store/observe/codex-events.ts";
import { taskOfSession } from "../../store/sessions/bindings.ts";
import type { Store } from "../../store/store.ts";
import { alive } from "../../system/processes/processes.ts";
import { asksNow } from "../reach/asks.ts";

/** As its server tells it, and as it stands on record. */
interface AsksOnRecord {
  readonly told: readonly AgentAsk[];
  readonly asks: readonly Ask[];
}

/** Follows the conversation and looks; null when it waits and does not tell for what, and nothing is recorded then. */
export async function lookAtAsks(
  store: Store,
  line: ServedLine,
  { sessionId, threadId, taskId }: { sessionId: string; threadId: string; taskId: string | null },
): Promise<AsksOnRecord | null> {
  const since = store.now();
  const told = await asksNow(line, threadId);
  if (told === null) return null;
  const turn = goneAsks(store, sessionId, told, since).length === 0 ? null : await line.newestTurn(threadId);
  return { told, asks: recordAsks(store, sessionId, taskId, told, { since, turn, lives: alive }) };
}

/**
 * How what we answered ended, told from the stored records of its turn: what was done is the answer that counted, whoever gave it first.
 */
export function endInRecord(store: Store, session: Session, { item_id, turn_id, thread_id, answer }: Ask): AskEnd {
  // Nothing names the step that was asked about.
  if (item_id === null) return UNKNOWN;
  let over = thread_id !== session.codex_session_id || newestTurnEvent(store, session.id)?.broken === true;
  let step: StepEnd | null = null;
  for (const record of recordsBefore(store, session.id, Number.MAX_SAFE_INTEGER)) {
    const told = agentOf(session).transcript.stepEnd(record, item_id);
    step = told ?? step;
    if (told !== null && told.kind !== "cut off") break;
    const fact = readFact(record);
    if (!("turnId" in fact) || fact.turnId !== turn_id) continue;
    if (fact.kind === "turn_started") break;
    const sign = turnSign(record);
    if (sign !== null && sign !== "open") over = true;
  }
  return askEnd(answer, step, over);
}

/** Puts on record how what we answered ended, as far as the stored records tell by now. */
export function settleAsks(store: Store, session: Session): void {
  for (const ask of unsettledAsks(store, session.id))
    endAsk(store, ask, endInRecord(store, session, ask), taskOfSession(store, session.id));
}
