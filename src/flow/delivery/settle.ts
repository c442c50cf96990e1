/** Decides about sendings whose outcome is open, from the receiver's rollout: arrived, or for a person to decide. Nothing is sent again. */
import type { Context } from "../../context.ts";
import { agentOfPath } from "../../core/agent/agents.ts";
import type { DeliveryState } from "../../core/delivery/delivery.ts";
import { type Delivery, deliveryById, endDelivery, noteLooked, noteLost, openDeliveries, textsUnderWay } from "../../store/deliveries.ts";
import { proveMessages, refsOf, type Told } from "../../store/dispatch/prove.ts";
import { isUnwritten } from "../../store/sqlite-failure.ts";
import { type Store, tx } from "../../store/store.ts";
import { alive } from "../../system/processes/processes.ts";
import { handsIdOn, lookTogether, ProofSearch } from "./proof.ts";

export interface Settled {
  readonly state: DeliveryState;
  /** What is to be told of the messages of Dispatch that this moved. */
  readonly told: readonly Told[];
}

interface SettleOptions {
  /** Who looks; absent: no dispatcher. */
  readonly dispatcherId?: string;
}

const isOpen = ({ state }: Delivery): boolean => state === "sending" || state === "typed" || state === "unknown";

/**
 * Looks for the text of one delivery whose sender has lost its claim, whether a process of that pid lives or not. What is not proven is
 * left as it is: whoever takes over the claim decides.
 */
export function settleAbandoned(cx: Context, store: Store, delivery: Delivery, dispatcherId: string): Settled {
  // Written by a version that ended the delivery and its message one after the other, and died in between.
  if (delivery.state === "delivered") return { state: "delivered", told: proveMessages(store, delivery, dispatcherId, () => {}) };
  if (!isOpen(delivery)) return { state: delivery.state, told: [] };
  const search = searchFor(store, delivery);
  if (delivery.proof_offset !== null || search?.look() === true) return proven(cx, store, delivery, search, dispatcherId);
  if (search !== null) noteLooked(store, [{ id: delivery.id, lookedTo: search.lookedTo }]);
  return { state: delivery.state, told: [] };
}

/** Settles every open delivery; each rollout is read once, from where it was looked at last. Gives those that have arrived. */
export function settleOpen(cx: Context, store: Store, { dispatcherId }: SettleOptions = {}): Settled[] {
  // Whoever sends right now will write the verdict itself.
  const open = openDeliveries(store).filter((each) => each.state !== "sending" || !alive(each.sender_pid));
  const underWay = new Set(textsUnderWay(store).map(({ delivery }) => delivery.id));
  const searches = new Map(open.map((delivery) => [delivery.id, searchFor(store, delivery)]));
  const arrived = new Set(open.filter(({ proof_offset }) => proof_offset !== null).map(({ id }) => id));
  const sought = [...searches.values()].flatMap((search) => (search === null || arrived.has(search.sought.id) ? [] : [search]));
  for (const [path, together] of Map.groupBy(sought, (search) => search.sought.rolloutPath))
    for (const search of lookTogether(agentOfPath(path), path, together)) arrived.add(search.sought.id);
  const moved = open.flatMap(({ id, looked_to, start_offset }) => {
    const lookedTo = searches.get(id)?.lookedTo;
    return lookedTo === undefined || arrived.has(id) || lookedTo === (looked_to ?? start_offset) ? [] : [{ id, lookedTo }];
  });
  tx(store, () => {
    noteLooked(store, moved);
    noteLost(
      store,
      [...searches].flatMap(([id, search]) => (search?.sawAbort && !arrived.has(id) ? [id] : [])),
    );
  });
  return open.flatMap((delivery) => {
    if (arrived.has(delivery.id)) return [proven(cx, store, delivery, searches.get(delivery.id) ?? null, dispatcherId ?? null)];
    // A message of Dispatch is moved on by whoever takes over its claim.
    if (refsOf(store, delivery).length > 0 || underWay.has(delivery.id)) return [];
    if (delivery.state === "sending") lost(cx, store, delivery, "its sender ended while it was being sent");
    // Its session or its conversation has ended, and nobody says it again.
    if (delivery.state === "typed" && isServed(delivery)) lost(cx, store, delivery, "what it was said to ended before it was taken");
    return [];
  });
}

/** Settles every open delivery, for who looks at them. Gives how many have arrived; none where nothing can be written. */
export function settleAll(cx: Context, store: Store): number {
  try {
    return settleOpen(cx, store).length;
  } catch (error) {
    if (!isUnwritten(error)) throw error;
    return 0;
  }
}

export function searchFor(store: Store, delivery: Delivery): ProofSearch | null {
  const { rollout_path, start_offset, looked_to } = delivery;
  if (rollout_path === null || start_offset === null || delivery.text_lines === 0) return null;
  const agent = agentOfPath(rollout_path);
  return new ProofSearch(store, {
    id: delivery.id,
    agent,
    threadId: delivery.thread_id,
    rolloutPath: rollout_path,
    from: looked_to ?? start_offset,
    digest: delivery.text_digest,
    lines: delivery.text_lines,
    clientId: delivery.client_id,
    carriesId: handsIdOn(agent, delivery.transport),
  });
}

export function proven(cx: Context, store: Store, delivery: Delivery, search: ProofSearch | null, dispatcherId: string | null): Settled {
  const told = proveMessages(store, delivery, dispatcherId, () => {
    // Another may have settled it since it was read.
    if (!isOpen(deliveryById(store, delivery.id)!)) return;
    const lookedTo = search?.lookedTo ?? null;
    const end = { state: "delivered", proof: "seen", sideEffectStarted: true, sideEffectCompleted: true, error: null, lookedTo } as const;
    endDelivery(store, delivery.id, end, [{ at: cx.now(), step: "settled: delivered", detail: { was: delivery.state } }]);
  });
  return { state: "delivered", told };
}

const isServed = ({ transport, rollout_path }: Delivery): boolean =>
  transport !== null && rollout_path !== null && transport === agentOfPath(rollout_path).served?.transport;

/** @param why nothing more will come of it */
function lost(cx: Context, store: Store, delivery: Delivery, why: string): void {
  tx(store, () => {
    if (deliveryById(store, delivery.id)!.state !== delivery.state) return;
    const error = `${why}, and the rollout does not show the text`;
    const { proof } = delivery;
    const end = { state: "unknown", proof, sideEffectStarted: true, sideEffectCompleted: false, error, lookedTo: null } as const;
    endDelivery(store, delivery.id, end, [{ at: cx.now(), step: "settled: unknown", detail: { was: delivery.state } }]);
  });
}
