/** Whether a message that was begun by somebody who is gone has arrived, as far as the receiver's rollout tells. */
import type { Context } from "../../context.ts";
import { lastBegun } from "../../store/deliveries.ts";
import type { Store } from "../../store/store.ts";
import { settle } from "../delivery/settle.ts";

/** Reads the rollout from where the sending began. False also when there is no record of the sending, or no rollout. */
export function hasArrived(cx: Context, store: Store, notificationId: number): boolean {
  const delivery = lastBegun(store, notificationId);
  if (delivery === null) return false;
  return (delivery.state === "delivered" && delivery.proof === "seen") || settle(cx, store, delivery, { abandoned: true }) === "delivered";
}
