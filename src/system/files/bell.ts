/** A bell: whoever waits at it wakes when it is rung, or when the time is up. A ring while nobody waits is remembered. */

/** What is longer than a timer can count would ring at once. */
const LONGEST_MS = 2 ** 31 - 1;

export class Bell {
  private rung = false;
  private wake: (() => void) | undefined;

  ring(): void {
    this.rung = true;
    this.wake?.();
  }

  /** Waits for a ring, at most `ms` or 24 days; true when it was rung. One waiter at a time. */
  async wait(ms: number): Promise<boolean> {
    if (!this.rung && ms > 0) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        timer = setTimeout(resolve, Math.min(ms, LONGEST_MS));
      });
      clearTimeout(timer);
      this.wake = undefined;
    }
    const { rung } = this;
    this.rung = false;
    return rung;
  }
}
