/** What a session asks right now, put on record, with how that ended which it no longer asks. */
import type { AgentAsk, ServedLine } from "../../core/agent/protocol.ts";
import { type Ask, goneAsks, recordAsks } from "../../store/asks.ts";
import type { Store } from "../../store/store.ts";
import { alive } from "../../system/processes/processes.ts";
import { asksNow } from "../reach/asks.ts";

/** As its server tells it, and as it stands on record, in the same order. */
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
  const told = await asksNow(line, threadId);
  if (told === null) return null;
  const turn = goneAsks(store, sessionId, told).length === 0 ? null : await line.newestTurn(threadId);
  return { told, asks: recordAsks(store, sessionId, taskId, told, { turn, lives: alive }) };
}
