/**
 * Saying again, under the same id, what was said by an agent's protocol and is not in its record: lost with the turn that it had joined, with
 * the server, or with its sender. Never while a turn runs, since it may still be taken.
 */
import type { Context } from "../../context.ts";
import type { ServedLine } from "../../core/agent/protocol.ts";
import {
  claimSayingAgain,
  type Delivery,
  deliveryById,
  dropText,
  endDelivery,
  noteLost,
  noteSeen,
  textsUnderWay,
  type UnderWay,
} from "../../store/deliveries.ts";
import { sessionById } from "../../store/sessions/sessions.ts";
import { type Store, tx } from "../../store/store.ts";
import { alive } from "../../system/processes/processes.ts";
import { reachFollowed } from "../observe/whereabouts.ts";
import { RolloutGrowth, seenWithin } from "./proof.ts";
import { proven, searchFor, type Settled } from "./settle.ts";

/** What was handed to a server stands in the record within this, when no turn runs. */
const WRITTEN_MS = 1500;
/** What is said to an idle agent is proven within this. */
const PROOF_MS = 5000;

export interface AgainOptions {
  readonly sessionId?: string;
  readonly dispatcherId?: string;
}

/** Looks at every text under way that nobody is sending, and says again what was lost. Gives what has arrived. */
export async function sayAgain(cx: Context, store: Store, { sessionId, dispatcherId }: AgainOptions = {}): Promise<Settled[]> {
  const waiting = textsUnderWay(store, sessionId).filter(({ delivery }) => delivery.state !== "sending" || !alive(delivery.sender_pid));
  const settled: Settled[] = [];
  for (const [id, texts] of Map.groupBy(waiting, ({ delivery }) => delivery.session_id)) {
    const seen = id === null ? null : sessionById(store, id);
    // Nobody is left who could take it: what the record does not show is settled as any other.
    if (seen === null || seen.state === "gone" || (seen.pid !== null && !alive(seen.pid))) {
      for (const { delivery } of texts) dropText(store, delivery.id);
      continue;
    }
    const { session, way } = await reachFollowed(cx, store, seen);
    const ids = texts.map(({ delivery }) => delivery.id);
    // Of a server that does not answer nothing was learnt, and nothing will be told of it either.
    if (way.kind === "none" && way.hung) {
      noteLost(store, ids);
      continue;
    }
    noteSeen(store, ids);
    if (way.kind !== "here") {
      if ("line" in way) way.line.close();
      continue;
    }
    try {
      // In their order, and none before the one in front of it is settled.
      for (const text of texts) {
        // Its person has left the conversation that it was said in.
        if (text.delivery.thread_id !== session.codex_session_id) {
          dropText(store, text.delivery.id);
          continue;
        }
        const told = await oneAgain(cx, store, way.line, text, dispatcherId ?? null);
        if (told === null) break;
        settled.push(told);
      }
    } finally {
      way.line.close();
    }
  }
  return settled;
}

/** Null: it is not settled yet. */
async function oneAgain(
  cx: Context,
  store: Store,
  line: ServedLine,
  { delivery, text }: UnderWay,
  dispatcherId: string | null,
): Promise<Settled | null> {
  const search = searchFor(store, delivery);
  if (search === null || delivery.thread_id === null || delivery.rollout_path === null) return null;
  const growth = new RolloutGrowth(delivery.rollout_path, delivery.thread_id);
  const done = (): Settled => proven(cx, store, delivery, search, dispatcherId);
  const runs = async (): Promise<boolean> => (await line.newestTurn(delivery.thread_id!))?.status === "running";
  try {
    if (search.look()) return done();
    if (await runs()) return null;
    if (await seenWithin(search, growth, WRITTEN_MS)) return done();
    // What its sender handed over right before it died may have begun a turn meanwhile.
    if ((await runs()) || search.look()) return search.look() ? done() : null;
    if (!claimSayingAgain(store, delivery, process.pid, [{ at: cx.now(), step: "said again", detail: { was: delivery.state } }])) {
      movedMeanwhile(store, delivery.id);
      return null;
    }
    const sent = await line.say(delivery.thread_id, text, delivery.client_id);
    if ("refused" in sent) {
      refused(cx, store, delivery, sent.refused);
      return null;
    }
    if (await seenWithin(search, growth, PROOF_MS)) return done();
    stands(cx, store, delivery, search.lookedTo);
    return null;
  } catch {
    // The server is gone, or did not answer: the next look decides, which nothing else asks for.
    stands(cx, store, delivery, null);
    noteLost(store, [delivery.id]);
    return null;
  } finally {
    growth.close();
  }
}

/** Where nobody is saying it, only its row was moved on, by who took over its message: it is looked at once more. */
const movedMeanwhile = (store: Store, id: string): void =>
  tx(store, () => {
    if (deliveryById(store, id)!.state === "typed") noteLost(store, [id]);
  });

/** Not yet, as before. */
function stands(cx: Context, store: Store, delivery: Delivery, lookedTo: number | null): void {
  tx(store, () => {
    const now = deliveryById(store, delivery.id)!;
    if (now.state !== "sending" || now.sender_pid !== process.pid) return;
    const end = {
      state: "typed",
      proof: "pending",
      sideEffectStarted: true,
      sideEffectCompleted: false,
      error: delivery.error,
      lookedTo,
    } as const;
    endDelivery(store, delivery.id, end, [{ at: cx.now(), step: "not yet", detail: {} }]);
  });
}

function refused(cx: Context, store: Store, delivery: Delivery, said: string): void {
  const error = `it was lost with its turn, and saying it again was refused: ${said}`;
  const end = { state: "unknown", proof: "pending", sideEffectStarted: true, sideEffectCompleted: false, error, lookedTo: null } as const;
  tx(store, () => endDelivery(store, delivery.id, end, [{ at: cx.now(), step: "refused", detail: { said } }]));
}
