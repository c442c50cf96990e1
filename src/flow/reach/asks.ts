/** What a session asks right now by its agent's protocol, told by its server. */
import type { AgentAsk, ServedConversation, ServedLine } from "../../core/agent/protocol.ts";
import type { Session } from "../../core/sessions/session.ts";
import { recordAsks } from "../../store/asks.ts";
import type { Store } from "../../store/store.ts";
import { alive } from "../../system/processes/processes.ts";
import { recipientOf } from "./recipient.ts";
import { reachServed } from "./served.ts";

/** What it asks is told again to a client that comes later; it says beforehand that it waits. */
const TOLD_MS = 2000;

/** Follows the conversation and gives what it asks; none when it waits for nothing, null when it waits and does not tell for what. */
export async function asksNow(line: ServedLine, conversation: ServedConversation): Promise<AgentAsk[] | null> {
  const asks = new Map<string, AgentAsk>();
  let told = (): void => {};
  const first = new Promise<void>((resolve) => (told = resolve));
  line.hear((event) => {
    if (event.kind === "answered" && event.threadId === conversation.id) asks.delete(event.requestId);
    if (event.kind !== "asks" || event.ask.threadId !== conversation.id) return;
    asks.set(event.ask.requestId, event.ask);
    told();
  });
  await line.follow(conversation.id);
  const now = await line.conversation(conversation.id);
  if (now?.waits != null && asks.size === 0) await Promise.race([first, line.ended, Bun.sleep(TOLD_MS)]);
  return now?.waits != null && asks.size === 0 ? null : [...asks.values()];
}

/** Puts on record what a session asks now, where its server tells. Never throws for what the server does. */
export async function lookAtAsks(store: Store, session: Session, taskId: string | null): Promise<void> {
  if (session.socket === null) return;
  const way = await reachServed(recipientOf(session));
  if (way.kind !== "here") return;
  try {
    const asks = await asksNow(way.line, way.conversation);
    if (asks !== null) recordAsks(store, session.id, taskId, asks, alive);
  } catch {
    // The server has gone meanwhile: what stands on record stays.
  } finally {
    way.line.close();
  }
}
