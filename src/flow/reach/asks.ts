/** What a session asks right now by its agent's protocol, told by its server. */
import type { AgentAsk, ServedConversation, ServedLine } from "../../core/agent/protocol.ts";

/** What it asks is told again to a client that comes later; it says beforehand that it waits. */
const TOLD_MS = 2000;

/** Follows the conversation and gives what it asks; none when it waits for nothing. */
export async function asksNow(line: ServedLine, conversation: ServedConversation): Promise<AgentAsk[]> {
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
  return [...asks.values()];
}
