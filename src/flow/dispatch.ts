/** One pass of Dispatch: commands, then completions, within one limit. */
import type { Context } from "../context.ts";
import { COMPLETION, type SignalType } from "../core/queued-command.ts";
import type { Claimant } from "../store/lease.ts";
import type { Store } from "../store/store.ts";
import { commandTypes, plannedCommands, recoverCommands, runNextCommand } from "./dispatch-commands.ts";
import { deliverWaiting, failAbandoned, plannedTurns, routeTurns } from "./dispatch-completions.ts";
import type { Item } from "./dispatch-items.ts";

export interface PassOptions extends Claimant {
  /** Only this kind of work. */
  readonly only: SignalType | undefined;
  /** How many items at most. */
  readonly limit: number;
  readonly dryRun: boolean;
}

/** Does one pass and gives its items in order. A failed delivery is an item, not an error. */
export async function pass(cx: Context, store: Store, options: PassOptions, suppressed: Set<number> = new Set()): Promise<Item[]> {
  const { limit, only } = options;
  const items: Item[] = [];
  const left = (): number => limit - items.length;
  const types = commandTypes(only);
  const completions = only === undefined || only === COMPLETION;
  if (options.dryRun) {
    if (types.length > 0) items.push(...plannedCommands(store, types, limit));
    if (completions && left() > 0) items.push(...plannedTurns(store, left()));
    return items;
  }
  if (types.length > 0) {
    items.push(...recoverCommands(store, options, types, limit));
    while (left() > 0) {
      const item = await runNextCommand(cx, store, options, types);
      if (!item) break;
      items.push(item);
    }
  }
  if (!completions) return items;
  if (left() > 0) items.push(...failAbandoned(store, options, left()));
  if (left() > 0) items.push(...(await deliverWaiting(cx, store, options, left())));
  if (left() > 0) items.push(...(await routeTurns(cx, store, options, left(), suppressed)));
  return items;
}
