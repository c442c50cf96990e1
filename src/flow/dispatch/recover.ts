/** Messages that are open and nobody works on: proven by the receiver's rollout, waiting on in sight, or moved on as the table says. */
import type { Holder } from "../../core/dispatch/holder.ts";
import { COMPLETION, type CommandType, messageOf, payloadOf } from "../../core/dispatch/queued-command.ts";
import { someLost, textsUnderWay } from "../../store/deliveries.ts";
import { holders } from "../../store/dispatch/claims.ts";
import type { Message } from "../../store/dispatch/message.ts";
import { overdueCommands, overdueTurns, recoverMessage } from "../../store/dispatch/recovery.ts";
import { sessionById } from "../../store/sessions/sessions.ts";
import type { Store } from "../../store/store.ts";
import { isGone } from "../../system/processes/holder.ts";
import { alive } from "../../system/processes/processes.ts";
import { sayAgain } from "../delivery/again.ts";
import { settleAbandoned, type Settled, settleOpen } from "../delivery/settle.ts";
import { stillWaits } from "../delivery/waits.ts";
import { recipientOf } from "../reach/recipient.ts";
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
  settled.flatMap(({ told }) => (told !== null && kinds.includes(String(told.command_type ?? told.signal_type)) ? [told] : []));

/** Recovers commands whose lease is over, at most `limit`. */
export const recoverCommands = (scene: PassScene, types: readonly CommandType[], gone: readonly Holder[], limit: number): Promise<Item[]> =>
  recoverAll(scene, overdueCommands(scene.store, types, gone, limit), gone);

/** Recovers ends of turns that a dispatcher began and never finished, at most `limit`. Nothing is sent again. */
export const recoverTurns = (scene: PassScene, gone: readonly Holder[], limit: number): Promise<Item[]> =>
  recoverAll(scene, overdueTurns(scene.store, gone, true, limit), gone);

async function recoverAll(scene: PassScene, messages: readonly Message[], gone: readonly Holder[]): Promise<Item[]> {
  const { cx, store, claimant } = scene;
  const items: Item[] = [];
  for (const message of messages) {
    const { delivery } = message;
    const settle = (): Item | null => delivery && settleAbandoned(cx, store, delivery, claimant.dispatcherId).told;
    const begun = message.state !== "claimed";
    let told = begun ? settle() : null;
    const waits = begun && told === null && (await waitsInSight(scene, message));
    // It may have been taken up while that was looked at.
    if (begun && told === null && !waits) told = settle();
    const item = told ?? recoverMessage(store, claimant, message, waits, gone, cx.now());
    if (item !== null && item.state !== "not_yet") items.push(item);
  }
  return items;
}

async function waitsInSight(scene: Scene, { delivery, notification }: Message): Promise<boolean> {
  const { store } = scene;
  const target = notification && sessionById(store, notification.target_session_id);
  if (delivery === null || !target) return false;
  return stillWaits({ cx: scene.cx, store }, delivery, recipientOf(target), messageOf(payloadOf(notification)) ?? "");
}

/** What `kinds` are when a pass is not restricted to some of them. */
export const kindsOf = (types: readonly CommandType[], turns: boolean): string[] => [...types, ...(turns ? [COMPLETION] : [])];
