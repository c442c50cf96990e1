/** Problems of something that goes on: each told when it begins, again when it comes back, and not at every try while it lasts. */

/** A problem that lasts is told again after so long, with the words of then. */
const REMINDER_MS = 10 * 60_000;

export class Troubles {
  /** By what is in trouble: when it was told last. */
  private readonly told = new Map<string, number>();

  constructor(
    private readonly say: (message: string) => void,
    private readonly nowMs: () => number,
  ) {}

  /** @param what is in trouble, by a name that stays the same; the words of the message may differ each time */
  tell(what: string, message: string): void {
    const last = this.told.get(what);
    if (last !== undefined && this.nowMs() - last < REMINDER_MS) return;
    this.told.set(what, this.nowMs());
    this.say(message);
  }

  /** It went well: the next problem with it is a new one. */
  over(what: string): void {
    this.told.delete(what);
  }
}
