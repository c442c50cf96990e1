/** How often something may be done: a bucket that refills steadily and holds a burst. */
export class Rate {
  private left: number;
  private at: number;

  /** @param burst how many at once; @param perSecond how fast it refills; @param clock milliseconds that only go forward */
  constructor(
    private readonly burst: number,
    private readonly perSecond: number,
    private readonly clock: () => number,
  ) {
    this.left = burst;
    this.at = clock();
  }

  /** Takes one (or `cost`); false when there is not enough left. */
  take(cost = 1): boolean {
    const now = this.clock();
    this.left = Math.min(this.burst, this.left + ((now - this.at) / 1000) * this.perSecond);
    this.at = now;
    if (this.left < cost) return false;
    this.left -= cost;
    return true;
  }
}
