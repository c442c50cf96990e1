/** Reads the rollouts of bound sessions while a page is open, so that it shows turns also when no Dispatch runs. */
import type { Context } from "../context.ts";
import { Failure } from "../core/failure.ts";
import { Troubles } from "../flow/troubles.ts";
import { type ServedWatch, watchServed } from "../flow/observe/served-watch.ts";
import { type RolloutWatch, type Told, watchRollouts } from "../flow/observe/rollout-watch.ts";
import type { Store } from "../store/store.ts";

/** Longest time until what is no turn's beginning or end, such as token counts, is read. */
const EVERY_MS = 2000;
/** Appends come in bursts: one reading for all of them. */
const SETTLE_MS = 15;

export class Reading {
  private watching: RolloutWatch | undefined;
  private served: ServedWatch | undefined;
  private timer: ReturnType<typeof setInterval> | undefined;
  private soon: ReturnType<typeof setTimeout> | undefined;
  private readonly troubles: Troubles;
  private readonly told: Told = {
    problem: (message, what) => this.troubles.tell(what, message),
    fine: (what) => this.troubles.over(what),
  };

  constructor(
    private readonly cx: Context,
    private readonly store: Store,
    problem: (message: string) => void,
  ) {
    this.troubles = new Troubles(problem, () => performance.now());
  }

  watch(on: boolean): void {
    if (on === (this.watching !== undefined)) return;
    clearInterval(this.timer);
    clearTimeout(this.soon);
    this.soon = undefined;
    this.watching?.close();
    this.served?.close();
    this.watching = this.served = undefined;
    if (!on) return;
    const grew = (): void => {
      this.soon ??= setTimeout(() => {
        this.soon = undefined;
        this.read(false);
      }, SETTLE_MS);
    };
    this.watching = watchRollouts(this.cx, this.store, grew, this.told.problem, this.told.fine);
    this.served = watchServed(this.cx, this.store, grew, (message) => this.told.problem(message, "what is asked"));
    this.timer = setInterval(() => this.read(true), EVERY_MS);
    this.read(true);
  }

  private read(all: boolean): void {
    try {
      this.watching?.follow();
      this.served?.follow();
      this.watching?.ingest(all);
      // The others leave out what ends no turn.
      if (all) this.troubles.over("reading");
    } catch (error) {
      this.troubles.tell("reading", (error as Error).message);
      if (!(error instanceof Failure) && !("code" in (error as object))) throw error;
    }
  }
}
