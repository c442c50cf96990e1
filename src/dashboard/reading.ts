/** Reads the rollouts of bound sessions while a page is open, so that it shows turns also when no Dispatch runs. */
import type { Context } from "../context.ts";
import { Failure } from "../core/failure.ts";
import { ingest } from "../flow/observe/ingest.ts";
import { unread } from "../flow/observe/unread.ts";
import { type RolloutWatch, watchRollouts } from "../flow/observe/rollout-watch.ts";
import { boundManagers } from "../store/sessions/bindings.ts";
import type { Store } from "../store/store.ts";

/** Longest time until what is no turn's beginning or end, such as token counts, is read. */
const EVERY_MS = 2000;
/** Appends come in bursts: one reading for all of them. */
const SETTLE_MS = 15;

export class Reading {
  private watching: RolloutWatch | undefined;
  private timer: ReturnType<typeof setInterval> | undefined;
  private soon: ReturnType<typeof setTimeout> | undefined;
  private readonly told = new Set<string>();
  /** Size at which a manager's rollout was last tried. */
  private readonly sizes = new Map<string, number>();

  constructor(
    private readonly cx: Context,
    private readonly store: Store,
    private readonly problem: (message: string) => void,
  ) {}

  watch(on: boolean): void {
    if (on === (this.watching !== undefined)) return;
    clearInterval(this.timer);
    clearTimeout(this.soon);
    this.soon = undefined;
    this.watching?.close();
    this.watching = undefined;
    if (!on) return;
    const grew = (): void => {
      this.soon ??= setTimeout(() => {
        this.soon = undefined;
        this.read(false);
      }, SETTLE_MS);
    };
    this.watching = watchRollouts(this.cx, this.store, grew, (message) => this.tellOnce(message));
    this.timer = setInterval(() => this.read(true), EVERY_MS);
    this.read(true);
  }

  private read(all: boolean): void {
    try {
      this.watching?.follow();
      this.watching?.ingest(all);
      for (const session of boundManagers(this.store)) {
        const grown = unread(session);
        if (grown === null || this.sizes.get(grown.path) === grown.size) continue;
        this.sizes.set(grown.path, grown.size);
        ingest(this.cx, this.store, session);
      }
    } catch (error) {
      this.tellOnce((error as Error).message);
      if (!(error instanceof Failure) && !("code" in (error as object))) throw error;
    }
  }

  private tellOnce(message: string): void {
    if (this.told.size > 100 || this.told.has(message)) return;
    this.told.add(message);
    this.problem(message);
  }
}
