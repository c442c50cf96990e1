/** Messages that are open and nobody works on: proven by the receiver's rollout, waiting on in sight, or moved on as the table says. */
import type { Context } from "../../context.ts";
import type { Holder } from "../../core/dispatch/holder.ts";
import { COMPLETION, type CommandType, messageOf, payloadOf } from "../../core/dispatch/queued-command.ts";
import { holders } from "../../store/dispatch/claims.ts";
import type { Claimant } from "../../store/dispatch/lease.ts";
import type { Message } from "../../store/dispatch/message.ts";
import { overdueCommands, overdueTurns, recoverMessage } from "../../store/dispatch/recovery.ts";
import { sessionById } from "../../store/sessions/sessions.ts";
import type { Store } from "../../store/store.ts";
import { isGone } from "../../system/processes/holder.ts";
import { settleAbandoned, settleOpen } from "../delivery/settle.ts";
import { stillWaits } from "../delivery/waits.ts";
import { recipientOf } from "../reach/recipient.ts";
import type { Item } from "./items.ts";

/** The processes that hold something and are known to have ended. */
export async function goneHolders(cx: Context, store: Store, { holder: own }: Claimant): Promise<Holder[]> {
  const others = holders(store).filter((each) => each.pid !== own?.pid || each.born !== own.born || each.world !== own.world);
  const gone = await Promise.all(others.map((each) => isGone(each, cx.env)));
  return others.filter((_, index) => gone[index]);
}

/** Takes in proofs that came late, of any message; gives what became of those of these kinds. */
export function settleLate(cx: Context, store: Store, claimant: Claimant, kinds: readonly string[]): Item[] {
  return settleOpen(cx, store, { dispatcherId: claimant.dispatcherId }).flatMap(({ told }) =>
    told !== null && kinds.includes(String(told.command_type ?? told.signal_type)) ? [told] : [],
  );
}

/** Recovers commands whose lease is over, at most `limit`. */
export const recoverCommands = (
  cx: Context,
  store: Store,
  claimant: Claimant,
  types: readonly CommandType[],
  gone: readonly Holder[],
  limit: number,
): Promise<Item[]> => recoverAll(cx, store, claimant, overdueCommands(store, types, gone, limit), gone);

/** Recovers ends of turns that a dispatcher began and never finished, at most `limit`. Nothing is sent again. */
export const recoverTurns = (cx: Context, store: Store, claimant: Claimant, gone: readonly Holder[], limit: number): Promise<Item[]> =>
  recoverAll(cx, store, claimant, overdueTurns(store, gone, true, limit), gone);

async function recoverAll(
  cx: Context,
  store: Store,
  claimant: Claimant,
  messages: readonly Message[],
  gone: readonly Holder[],
): Promise<Item[]> {
  const items: Item[] = [];
  for (const message of messages) {
    const { delivery } = message;
    const settle = (): Item | null => delivery && settleAbandoned(cx, store, delivery, claimant.dispatcherId).told;
    const begun = message.state !== "claimed";
    let told = begun ? settle() : null;
    const waits = begun && told === null && (await waitsInSight(cx, store, message));
    // It may have been taken up while that was looked at.
    if (begun && told === null && !waits) told = settle();
    const item = told ?? recoverMessage(store, claimant, message, waits, gone, cx.now());
    if (item !== null && item.state !== "not_yet") items.push(item);
  }
  return items;
}

async function waitsInSight(cx: Context, store: Store, { delivery, notification }: Message): Promise<boolean> {
  const target = notification && sessionById(store, notification.target_session_id);
  if (delivery === null || !target) return false;
  return stillWaits(cx, delivery, recipientOf(target), messageOf(payloadOf(notification)) ?? "");
}

/** What `kinds` are when a pass is not restricted to some of them. */
export const kindsOf = (types: readonly CommandType[], turns: boolean): string[] => [...types, ...(turns ? [COMPLETION] : [])];
