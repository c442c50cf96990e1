/** The look at what the machine shows, taken every few seconds while a page is open, and never otherwise. */
import type { Context } from "../context.ts";
import type { Session } from "../core/sessions/session.ts";
import { Look } from "../flow/attention/look.ts";
import { Troubles } from "../flow/troubles.ts";
import type { Store } from "../store/store.ts";

const EVERY_MS = 2000;

export class Machine {
  /** What was last seen. */
  readonly look: Look;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running = false;
  private closed = false;
  private looking: Promise<void> | null = null;
  private readonly troubles: Troubles;

  /**
   * @param sessions those to look at; @param changed called when a sign differs from the last look; @param problem told why a look failed
   */
  constructor(
    cx: Context,
    store: Store,
    private readonly sessions: () => readonly Session[],
    private readonly changed: () => void,
    problem: (message: string) => void,
  ) {
    this.look = new Look(cx, store);
    this.troubles = new Troubles(problem, () => performance.now());
  }

  /** Begins to look, or stops. */
  watch(on: boolean): void {
    if (on === this.running || this.closed) return;
    this.running = on;
    clearTimeout(this.timer);
    if (on) this.turn();
  }

  /** Stops for good, and waits for the end of a look that has begun: the database is about to be closed. */
  async close(): Promise<void> {
    this.watch(false);
    this.closed = true;
    await this.looking;
  }

  /** Pages that come and go while a look lasts begin no second one beside it. */
  private turn(): void {
    this.looking ??= this.lookOnce()
      .then(
        () => this.troubles.over("a look"),
        (error: Error) => this.troubles.tell("a look", `the sessions could not be looked at: ${error.message}`),
      )
      .then(() => {
        this.looking = null;
        if (this.running) this.timer = setTimeout(() => this.turn(), EVERY_MS);
      });
  }

  private async lookOnce(): Promise<void> {
    if (await this.look.again(this.sessions())) this.changed();
  }
}
