/** Decides about sendings whose outcome is open, from the receiver's rollout: arrived, or for a person to decide. Nothing is sent again. */
import type { Context } from "../../context.ts";
import { agentOfPath } from "../../core/agent/agents.ts";
import type { DeliveryState, Proof } from "../../core/delivery/delivery.ts";
import { type Delivery, endDelivery, openDeliveries } from "../../store/deliveries.ts";
import type { Store } from "../../store/store.ts";
import { alive } from "../../system/processes/processes.ts";
import { ProofSearch } from "./proof.ts";

/**
 * Looks for the text of one open delivery and writes what became of it. Gives its state afterwards.
 * @param options.abandoned its sender has lost its claim, whether a process of that pid lives or not
 */
export function settle(cx: Context, store: Store, delivery: Delivery, options: { abandoned?: boolean } = {}): DeliveryState {
  const open = delivery.state === "sending" || delivery.state === "typed" || delivery.state === "unknown";
  // Whoever sends it right now will write the verdict itself.
  if (!open || (delivery.state === "sending" && !options.abandoned && alive(delivery.sender_pid))) return delivery.state;
  const search = searchFor(store, delivery);
  if (search?.look()) return ended(cx, store, delivery, "delivered", "seen", search.lookedTo);
  if (delivery.state !== "sending") return delivery.state;
  return ended(cx, store, delivery, "unknown", delivery.proof, search?.lookedTo ?? null);
}

/** Settles every open delivery, of one session when it is given. Gives how many have arrived. */
export function settleAll(cx: Context, store: Store, sessionId?: string): number {
  return openDeliveries(store, sessionId).filter((delivery) => settle(cx, store, delivery) === "delivered").length;
}

function searchFor(store: Store, delivery: Delivery): ProofSearch | null {
  const { rollout_path, start_offset, looked_to } = delivery;
  if (rollout_path === null || start_offset === null || delivery.text_lines === 0) return null;
  return new ProofSearch(store, {
    id: delivery.id,
    agent: agentOfPath(rollout_path),
    rolloutPath: rollout_path,
    from: looked_to ?? start_offset,
    digest: delivery.text_digest,
    lines: delivery.text_lines,
    clientId: delivery.client_id,
  });
}

function ended(cx: Context, store: Store, delivery: Delivery, state: DeliveryState, proof: Proof, lookedTo: number | null): DeliveryState {
  const arrived = state === "delivered";
  const error = arrived ? null : "its sender ended while it was being sent, and the rollout does not show the text";
  const verdict = { state, proof, sideEffectStarted: true, sideEffectCompleted: arrived, error, lookedTo };
  endDelivery(store, delivery.id, verdict, [{ at: cx.now(), step: `settled: ${state}`, detail: { was: delivery.state } }]);
  return state;
}
