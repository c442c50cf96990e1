/** What a session asks right now by its agent's protocol, told by its server. */
import type { AgentAsk, ServedLine } from "../../core/agent/protocol.ts";

/** What it asks is told again to a client that comes later; it says beforehand that it waits. */
const TOLD_MS = 2000;

/** Follows the conversation and gives what it asks; none when it waits for nothing, null when it waits and does not tell for what. */
export async function asksNow(line: ServedLine, threadId: string): Promise<AgentAsk[] | null> {
  const asks = new Map<string, AgentAsk>();
  let told = (): void => {};
  const first = new Promise<void>((resolve) => (told = resolve));
  line.hear((event) => {
    if (event.kind === "answered" && event.threadId === threadId) asks.delete(event.requestId);
    if (event.kind !== "asks" || event.ask.threadId !== threadId) return;
    asks.set(event.ask.requestId, event.ask);
    told();
  });
  const followed = await line.follow(threadId);
  const waits = "value" in followed && followed.value?.waits != null;
  if (waits && asks.size === 0) await Promise.race([first, line.ended, Bun.sleep(TOLD_MS)]);
  if (!waits || asks.size > 0) return [...asks.values()];
  // It may have been answered meanwhile.
  return (await line.conversation(threadId))?.waits == null ? [] : null;
}
