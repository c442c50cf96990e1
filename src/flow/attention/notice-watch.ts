/** Carries out a person's rules beside a watch of the records: looks at what needs a person only while there is a rule. */
import { STALLED_AFTER_SECONDS } from "../../core/attention/situation.ts";
import type { Item } from "../../core/attention/item.ts";
import { Bell } from "../../system/files/bell.ts";
import type { Scene } from "../scene.ts";
import { Troubles } from "../troubles.ts";
import { Look } from "./look.ts";
import { Notifier } from "./notify.ts";
import { watchAttention } from "./watch.ts";

/** Between two looks whether there are rules, where nothing else asks for one. */
const SELDOM_MS = 15_000;

export class NoticeWatch {
  private readonly bell = new Bell();
  private readonly troubles: Troubles;
  private readonly notifier: Notifier;
  private readonly ended: Promise<void>;
  private items: readonly Item[] = [];
  /** Of the look at what needs a person, while there is one. */
  private looking: { readonly stop: AbortController; readonly ended: Promise<void> } | null = null;
  private closed = false;

  /** @param problem told of rules that cannot be used, and of looks that failed */
  constructor(
    private readonly scene: Scene,
    private readonly problem: (message: string) => void,
  ) {
    this.troubles = new Troubles(problem, () => performance.now());
    this.notifier = new Notifier(scene, this.troubles, () => this.bell.ring());
    this.ended = this.run();
  }

  /** There may be other rules by now. */
  ring(): void {
    this.bell.ring();
  }

  private async run(): Promise<void> {
    while (!this.closed) {
      const due = this.once();
      await this.bell.wait(due === null ? SELDOM_MS : Math.min(SELDOM_MS, Math.max(0, due - this.scene.cx.nowMs() + 1)));
    }
    await this.rest();
  }

  /** Gives when something will be due by time alone, in milliseconds since the epoch; null: nothing will. */
  private once(): number | null {
    try {
      const rules = this.notifier.rules();
      if (rules.length === 0) void this.rest();
      else this.looking ??= this.watch();
      const due = this.notifier.look(rules, this.items);
      this.troubles.over("the look for notices");
      return due;
    } catch (error) {
      this.failed(error as Error);
      return null;
    }
  }

  private readonly failed = (error: Error): void =>
    this.troubles.tell("the look for notices", `what needs a person could not be looked at: ${error.message}`);

  private watch(): { readonly stop: AbortController; readonly ended: Promise<void> } {
    const stop = new AbortController();
    const ended = watchAttention(this.scene, new Look(this.scene.cx, this.scene.store), {
      stalledAfterSeconds: STALLED_AFTER_SECONDS,
      signal: stop.signal,
      show: ({ items }) => {
        this.items = items;
        this.bell.ring();
      },
      problem: this.problem,
    }).catch((error: Error) => {
      this.failed(error);
      if (this.looking?.stop !== stop) return;
      // Tried again at the next look whether there are rules.
      this.looking = null;
      this.items = [];
    });
    return { stop, ended };
  }

  private async rest(): Promise<void> {
    const { looking } = this;
    this.looking = null;
    this.items = [];
    looking?.stop.abort();
    await looking?.ended;
  }

  /** Begins nothing more, and waits for what is being told. */
  async close(): Promise<void> {
    this.closed = true;
    this.bell.ring();
    await this.ended;
    await this.notifier.close();
  }
}
