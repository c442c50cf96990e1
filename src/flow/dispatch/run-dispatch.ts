/** A run of Dispatch from the command line: one pass or a watch, told on a terminal while it goes, summed up at its end. */
import type { Context } from "../../context.ts";
import type { Store } from "../../store/store.ts";
import { thisHolder } from "../../system/processes/holder.ts";
import { onStop } from "../../system/processes/this-process.ts";
import { itemText } from "../../view/dispatch/dispatch.ts";
import { type PassOptions, pass } from "./dispatch.ts";
import { type Item, newMemory } from "./items.ts";
import { ingestBound } from "../observe/rollout-watch.ts";
import { talkOf } from "../talk.ts";
import { inTurn } from "./send.ts";
import { watchDispatch } from "./watch.ts";

export interface RunOptions extends PassOptions {
  readonly watch: boolean;
  readonly ingest: boolean;
  readonly intervalSeconds: number;
  readonly iterations: number | undefined;
  readonly untilUnboundSeconds: number | null;
  readonly unlessRunning: boolean;
}

export interface Summary {
  readonly dispatcher_id: string;
  readonly dry_run: boolean;
  readonly iterations: number;
  /** The last thousand items. */
  readonly processed: readonly Item[];
  readonly processed_count: number;
  readonly watch: boolean;
  /** How many items ended in which state. */
  readonly states: Readonly<Record<string, number>>;
}

const KEPT = 1000;

/** Runs Dispatch to its end. A signal ends it after the item at hand. */
export async function runDispatch(cx: Context, store: Store, given: RunOptions): Promise<Summary> {
  const holder = given.resumeAfterMs === undefined ? null : await thisHolder(cx.env);
  const options = { ...given, foldEarlier: given.watch || given.ingest, holder };
  const scene = { cx, store, claimant: options };
  const kept: Item[] = [];
  const states: Record<string, number> = {};
  let count = 0;
  const { info, warn } = talkOf(cx, `${cx.program} dispatch`);
  const done = (item: Item): void => {
    count++;
    const state = String(item.state);
    states[state] = (states[state] ?? 0) + 1;
    kept.push(item);
    if (kept.length > 2 * KEPT) kept.splice(0, kept.length - KEPT);
    info(itemText(item));
  };
  let asked = false;
  let wake = (): void => {};
  const release = onStop(() => {
    asked = true;
    info("ending after the item at hand");
    wake();
  });
  let iterations = 1;
  try {
    if (options.watch) {
      info(`watching as ${options.dispatcherId}; Ctrl-C ends it`);
      const stop = {
        get asked() {
          return asked;
        },
        listen: (listener: () => void) => (wake = listener),
      };
      const passes = await watchDispatch(scene, options, stop, { done, problem: warn });
      if (passes === null) info(`another ${options.dispatcherId} runs on these records already`);
      iterations = passes ?? 0;
    } else {
      if (options.ingest && !options.dryRun) ingestBound(cx, store, warn);
      await pass(scene, options, {
        done,
        stopped: () => asked,
        carrier: inTurn(scene, done),
        turnsFirst: false,
        memory: newMemory(),
      });
    }
  } finally {
    release();
  }
  return {
    dispatcher_id: options.dispatcherId,
    dry_run: options.dryRun,
    iterations,
    processed: kept.slice(-KEPT),
    processed_count: count,
    watch: options.watch,
    states,
  };
}
