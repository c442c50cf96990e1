/**
 * Whether a text that was handed over still waits in the receiver: in sight in the agent's own queue, behind a turn that is open, or with a
 * server that takes it at the next step and is told again what it lost.
 */
import { isStartOf } from "../../core/delivery/same-text.ts";
import { sessionById } from "../../store/sessions/sessions.ts";
import type { Delivery } from "../../store/deliveries.ts";
import { capturePane } from "../../system/terminal/panes.ts";
import { newestTurn } from "../reach/open-turn.ts";
import { type Recipient, reach } from "../reach/recipient.ts";
import { reachServed } from "../reach/served.ts";
import type { Scene } from "../scene.ts";

/**
 * Looks at the receiver now. Never true of what can prove nothing.
 * @param text what was sent, from its first line on
 */
export async function stillWaits({ cx, store }: Scene, delivery: Delivery, recipient: Recipient, text: string): Promise<boolean> {
  if (delivery.proof !== "pending" || (delivery.state !== "typed" && delivery.state !== "sending")) return false;
  // Another thread than the one that it was given to.
  if (delivery.thread_id !== recipient.threadId) return false;
  if (delivery.transport !== null && delivery.transport === recipient.agent.served?.transport) {
    const session = recipient.sessionId === null ? null : sessionById(store, recipient.sessionId);
    const served = session === null ? null : await reachServed(cx, session);
    if (served !== null && "line" in served) served.line.close();
    return served?.kind === "here" || served?.kind === "leaving";
  }
  const way = await reach(cx, recipient).catch(() => null);
  if (way === null || !way.provable) return false;
  const behindTurn = (): boolean => newestTurn(recipient.agent, recipient.rolloutPath) === "open";
  if (delivery.transport === recipient.agent.queue?.transport) return way.live && behindTurn();
  if (way.pane === null || way.agent === null) return false;
  const screen = await capturePane(cx.env, way.pane.paneId, 0, true).catch(() => null);
  if (screen === null) return false;
  const seen = way.agent.screen.read(screen, null);
  // A dialog hides the list of what waits; the turn that asks goes on after it.
  return seen.queued.some((waiting) => isStartOf(waiting, text)) || (delivery.state === "typed" && seen.asks && behindTurn());
}
