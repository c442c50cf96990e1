/** The end of a watch that lives as long as anybody is bound: told by commits, and by a timer that begins with the last binding's end. */
import { type DispatcherKey, endUnbound, someBound } from "../../store/dispatch/dispatchers.ts";
import type { Store } from "../../store/store.ts";

export class UntilUnbound {
  private timer: ReturnType<typeof setTimeout> | null = null;
  private over = false;

  /** @param waitMs how long nobody is to be bound; @param ended called when the watch is over, which is on record then */
  constructor(
    private readonly store: Store,
    private readonly key: DispatcherKey,
    private readonly waitMs: number,
    private readonly ended: () => void,
  ) {}

  /** Whether the watch is over. */
  get isOver(): boolean {
    return this.over;
  }

  /** Looks whether anybody is bound now. */
  look(): void {
    if (someBound(this.store)) this.close();
    else this.timer ??= setTimeout(() => this.end(), this.waitMs);
  }

  private end(): void {
    this.timer = null;
    try {
      this.over = endUnbound(this.store, this.key);
    } catch {
      // The records cannot be written now, which the watch itself tells: the next look begins to wait anew.
    }
    if (this.over) this.ended();
  }

  close(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }
}
