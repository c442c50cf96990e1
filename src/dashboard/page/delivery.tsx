/** How a message fared: sent where, and what proves that it arrived. */
import type { LastDelivery } from "../../store/dashboard/tasks.ts";
import { type Tone, Pill, Time } from "./parts.tsx";

/** The word for a delivery and how it should look. */
export function verdict(d: {
  readonly state: string;
  readonly mode: string | null;
  readonly proof: string | null;
  readonly consumed: boolean;
  readonly started: boolean;
  readonly completed: boolean;
}): readonly [Tone, string, string] {
  if (d.state === "pending" || d.state === "sending") return ["busy", "under way", "it is being delivered"];
  if (d.state === "suppressed") return ["plain", "suppressed", "another dispatcher was first"];
  if (d.state === "typed") return ["soon", "typed, no proof yet", "the keys were sent; the receiver's rollout has not shown it so far"];
  if (d.state === "unknown" || (d.state === "failed" && d.started && !d.completed))
    return ["now", "uncertain", "it may or may not have arrived; it is not sent again by itself"];
  if (d.state === "failed") return ["bad", "failed", "nothing was sent"];
  if (d.mode === "pull_required" || d.state === "pull_required")
    return d.consumed
      ? ["good", "taken from the inbox", "the receiver took it"]
      : ["soon", "in the inbox", "the receiver has to ask for it"];
  if (d.proof === "seen") return ["good", "arrived, proof seen", "it stands in the receiver's rollout"];
  return ["good", "delivered", "it was typed into the terminal; nothing there could prove it"];
}

export function Proof({ delivery }: { delivery: LastDelivery }) {
  const [tone, word, why] = verdict({
    state: delivery.state,
    mode: delivery.delivery_mode,
    proof: delivery.proof,
    consumed: delivery.consumed_at !== null,
    started: delivery.side_effect_started === 1,
    completed: delivery.side_effect_completed === 1,
  });
  return (
    <span class="proof">
      <Pill tone={tone} title={`${delivery.signal_type} to ${delivery.target}: ${why}${delivery.error ? ` (${delivery.error})` : ""}`}>
        {word}
      </Pill>{" "}
      <span class="dim">
        to <bdi>{delivery.target}</bdi> <Time at={delivery.delivered_at ?? delivery.created_at} />
      </span>
    </span>
  );
}
