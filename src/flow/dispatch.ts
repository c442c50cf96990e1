/** One pass of Dispatch: commands, then completions, within one limit. */
import type { Context } from "../context.ts";
import { COMPLETION, type SignalType } from "../core/queued-command.ts";
import { hasClaimable } from "../store/command-queue.ts";
import { hasUnroutedTurns } from "../store/completions.ts";
import type { Claimant } from "../store/lease.ts";
import type { Store } from "../store/store.ts";
import { commandTypes, plannedCommands, recoverCommands, runNextCommand } from "./dispatch-commands.ts";
import { deliverWaiting, failAbandoned, plannedTurns, routeTurns } from "./dispatch-completions.ts";
import type { Item, PassMemory } from "./dispatch-items.ts";

export interface PassOptions extends Claimant {
  /** Only this kind of work. */
  readonly only: SignalType | undefined;
  /** How many items at most. */
  readonly limit: number;
  readonly dryRun: boolean;
}

export interface Pass {
  /** Told of every item as soon as it is done. */
  done(item: Item): void;
  /** Whether to end after the item at hand. */
  stopped(): boolean;
  /** Begin with completions, up to half of the limit: the pass before left none of it to them. */
  readonly turnsFirst: boolean;
  readonly memory: PassMemory;
}

const wantsTurns = (only: SignalType | undefined): boolean => only === undefined || only === COMPLETION;

/** Whether there is something to do right now, besides what only time brings about. */
export const workWaits = (store: Store, { only }: PassOptions, memory: PassMemory): boolean =>
  hasClaimable(store, commandTypes(only)) || (wantsTurns(only) && hasUnroutedTurns(store, memory.suppressed));

/** Does one pass. A failed delivery is an item, not an error; gives how many items there were. */
export async function pass(cx: Context, store: Store, options: PassOptions, { done, stopped, turnsFirst, memory }: Pass): Promise<number> {
  const { limit, only } = options;
  const types = commandTypes(only);
  let count = 0;
  const take = (items: readonly Item[]): void => {
    for (const item of items) done(item);
    count += items.length;
  };
  if (options.dryRun) {
    if (types.length > 0) take(plannedCommands(store, types, limit));
    if (wantsTurns(only) && count < limit) take(plannedTurns(store, limit - count));
    return count;
  }
  const room = (most: number): number => (stopped() ? 0 : most - count);
  const commands = async (most: number): Promise<void> => {
    if (types.length === 0) return;
    if (room(most) > 0) take(recoverCommands(store, options, types, room(most)));
    while (room(most) > 0) {
      const item = await runNextCommand(cx, store, options, types);
      if (!item) break;
      take([item]);
    }
  };
  const turns = async (most: number): Promise<void> => {
    if (!wantsTurns(only)) return;
    if (room(most) > 0) take(failAbandoned(store, options, room(most)));
    for await (const item of deliverWaiting(cx, store, options, room(most), memory)) {
      take([item]);
      if (room(most) <= 0) return;
    }
    if (room(most) <= 0) return;
    for await (const item of routeTurns(cx, store, options, memory)) {
      take([item]);
      if (room(most) <= 0) return;
    }
  };
  if (turnsFirst) await turns(Math.ceil(limit / 2));
  await commands(limit);
  await turns(limit);
  return count;
}
