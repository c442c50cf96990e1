/** Messages that are open and nobody works on: proven by the receiver's rollout, waiting on in sight, or moved on as the table says. */
import type { Holder } from "../../core/dispatch/holder.ts";
import { COMPLETION, type CommandType } from "../../core/dispatch/queued-command.ts";
import { someLost, textsUnderWay } from "../../store/deliveries.ts";
import { holders } from "../../store/dispatch/claims.ts";
import { toldBy } from "../../store/dispatch/digests.ts";
import type { Message } from "../../store/dispatch/message.ts";
import { notificationById } from "../../store/dispatch/notifications.ts";
import { overdueCommands, overdueTurns, recoverMessages } from "../../store/dispatch/recovery.ts";
import { sessionById } from "../../store/sessions/sessions.ts";
import type { Store } from "../../store/store.ts";
import { isGone } from "../../system/processes/holder.ts";
import { alive } from "../../system/processes/processes.ts";
import { sayAgain } from "../delivery/again.ts";
import { settleAbandoned, type Settled, settleOpen } from "../delivery/settle.ts";
import { stillWaits } from "../delivery/waits.ts";
import { recipientOf } from "../reach/recipient.ts";
import { saidOf } from "./digest-text.ts";
import type { Item, PassMemory, PassScene } from "./items.ts";
import type { Carrier } from "./send.ts";
import type { Scene } from "../scene.ts";

/** The processes that hold something and are known to have ended. */
export async function goneHolders({ cx, store, claimant: { holder: own } }: PassScene): Promise<Holder[]> {
  const others = holders(store).filter((each) => each.pid !== own?.pid || each.born !== own.born || each.world !== own.world);
  const gone = await Promise.all(others.map((each) => isGone(each, cx.env)));
  return others.filter((_, index) => gone[index]);
}

/** Takes in proofs that came late, of any message; gives what became of those of these kinds. */
export function settleLate({ cx, store, claimant }: PassScene, kinds: readonly string[]): Item[] {
  return toldOf(settleOpen(cx, store, { dispatcherId: claimant.dispatcherId }), kinds);
}

const LOST_REST_MS = 2000;

/**
 * Has what an agent's server lost said again: at the first pass, as soon as a loss is told, and when the sender of a text has died. What
 * arrives so is told.
 */
export async function recoverLost(scene: PassScene, kinds: readonly string[], carrier: Carrier, memory: PassMemory): Promise<void> {
  const { cx, store, claimant } = scene;
  const orphans = orphanedTexts(store);
  const news = !memory.lookedUnderWay || someLost(store) || orphans.some((id) => !memory.orphansSeen.has(id));
  if (!news || cx.nowMs() < memory.lostRestUntil) return;
  const { dispatcherId } = claimant;
  const say = async (): Promise<Item[]> => {
    const settled = await sayAgain(cx, store, { dispatcherId });
    // A server that does not answer is not asked all the time.
    if (settled.length === 0 && someLost(store)) memory.lostRestUntil = cx.nowMs() + LOST_REST_MS;
    return toldOf(settled, kinds);
  };
  if (!(await carrier.aside(say))) return;
  memory.lookedUnderWay = true;
  memory.orphansSeen = new Set(orphans);
}

/** Texts under way whose sender has died while it sent them: nobody else tells of them. */
const orphanedTexts = (store: Store): string[] =>
  textsUnderWay(store).flatMap(({ delivery }) => (delivery.state === "sending" && !alive(delivery.sender_pid) ? delivery.id : []));

const toldOf = (settled: readonly Settled[], kinds: readonly string[]): Item[] =>
  settled.flatMap(({ told }) => told.filter((item) => kinds.includes(String(item.command_type ?? item.signal_type))));

/** Recovers commands whose lease is over, at most `limit`. */
export const recoverCommands = (scene: PassScene, types: readonly CommandType[], gone: readonly Holder[], limit: number): Promise<Item[]> =>
  recoverAll(scene, overdueCommands(scene.store, types, gone, limit), gone);

/** Recovers ends of turns that a dispatcher began and never finished, at most `limit`. Nothing is sent again. */
export const recoverTurns = (scene: PassScene, gone: readonly Holder[], limit: number): Promise<Item[]> =>
  recoverAll(scene, overdueTurns(scene.store, gone, true, limit), gone);

async function recoverAll(scene: PassScene, messages: readonly Message[], gone: readonly Holder[]): Promise<Item[]> {
  const { cx, store, claimant } = scene;
  const items: Item[] = [];
  // What one sending told of has moved together with the first of it.
  const done = new Set<string>();
  for (const message of messages) {
    const { delivery } = message;
    const settle = (): readonly Item[] => (delivery ? settleAbandoned(cx, store, delivery, claimant.dispatcherId).told : []);
    const begun = message.state !== "claimed";
    if (begun && delivery !== null && done.has(delivery.id)) continue;
    if (begun && delivery !== null) done.add(delivery.id);
    let told = begun ? settle() : [];
    const waits = begun && told.length === 0 && (await waitsInSight(scene, message));
    // It may have been taken up while that was looked at.
    if (begun && told.length === 0 && !waits) told = settle();
    const moved = told.length > 0 ? told : recoverMessages(store, claimant, message, waits, gone, cx.now());
    items.push(...moved.filter(({ state }) => state !== "not_yet"));
  }
  return items;
}

async function waitsInSight(scene: Scene, { delivery, notification }: Message): Promise<boolean> {
  const { store } = scene;
  const target = notification && sessionById(store, notification.target_session_id);
  if (delivery === null || !target) return false;
  const said = toldBy(store, delivery).flatMap((id) => notificationById(store, id) ?? []);
  return stillWaits({ cx: scene.cx, store }, delivery, recipientOf(target), saidOf(store, said));
}

/** What `kinds` are when a pass is not restricted to some of them. */
export const kindsOf = (types: readonly CommandType[], turns: boolean): string[] => [...types, ...(turns ? [COMPLETION] : [])];
