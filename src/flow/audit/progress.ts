/** How far long work has come, on one line of a terminal that is rewritten; silent elsewhere. */
import type { Context } from "../../context.ts";

const EVERY_MS = 100;
const LOOK_EVERY = 256;

export class Progress {
  private shownAt = 0;
  private calls = 0;
  private visible = false;

  constructor(private readonly cx: Context) {}

  /** Says what is being done; `text` is only asked for when it will be shown. Call it as often as you like. */
  tick(text: () => string): void {
    if (!this.cx.fancy || this.calls++ % LOOK_EVERY !== 0) return;
    const now = this.cx.nowMs();
    if (now - this.shownAt < EVERY_MS) return;
    this.shownAt = now;
    this.step(text());
  }

  /** Says what begins now and may take long. */
  step(text: string): void {
    if (!this.cx.fancy) return;
    this.visible = true;
    this.cx.outside.write("err", `\r\u001b[K${text}`);
  }

  /** Takes the line away. */
  end(): void {
    if (this.visible) this.cx.outside.write("err", "\r\u001b[K");
    this.visible = false;
  }
}
