/**
 * Carries out a person's rules beside a watch of the records: looks at what needs a person when that watch hears of something, and seldom
 * for what tells nobody; not at all while there is no rule.
 */
import { STALLED_AFTER_SECONDS } from "../../core/attention/situation.ts";
import { Bell } from "../../system/files/bell.ts";
import type { Scene } from "../scene.ts";
import { Troubles } from "../troubles.ts";
import { attend } from "./attend.ts";
import { Look } from "./look.ts";
import { Notifier } from "./notify.ts";

/** What happens at once is looked at once. */
const SETTLE_MS = 100;
const SELDOM_MS = 15_000;

export class NoticeWatch {
  private readonly bell = new Bell();
  private readonly troubles: Troubles;
  private readonly notifier: Notifier;
  private readonly look: Look;
  private readonly ended: Promise<void>;
  private closed = false;

  /** @param problem told of rules that cannot be used, and of looks that failed */
  constructor(
    private readonly scene: Scene,
    problem: (message: string) => void,
  ) {
    this.troubles = new Troubles(problem, () => performance.now());
    this.notifier = new Notifier(scene, this.troubles);
    this.look = new Look(scene.cx, scene.store);
    this.ended = this.run();
  }

  /** Something is not as it was. */
  ring(): void {
    this.bell.ring();
  }

  private async run(): Promise<void> {
    while (!this.closed) {
      const nextMs = await this.once();
      if (this.closed) return;
      const untilMs = nextMs === null ? SELDOM_MS : Math.max(0, nextMs - this.scene.cx.nowMs() + 1);
      if (await this.bell.wait(Math.min(SELDOM_MS, untilMs))) await Bun.sleep(this.closed ? 0 : SETTLE_MS);
    }
  }

  /** Gives when something will be due by time alone, in milliseconds since the epoch; null: nothing will. */
  private async once(): Promise<number | null> {
    try {
      const rules = this.notifier.rules();
      if (rules.length === 0) return null;
      const { told, nextMs } = await attend(this.scene, this.look, STALLED_AFTER_SECONDS);
      const due = this.closed ? null : this.notifier.look(rules, told.items);
      this.troubles.over("the look for notices");
      const moments = [nextMs, due].filter((at) => at !== null);
      return moments.length === 0 ? null : Math.min(...moments);
    } catch (error) {
      this.troubles.tell("the look for notices", `what needs a person could not be looked at: ${(error as Error).message}`);
      return null;
    }
  }

  /** Begins nothing more, and waits for what is being told. */
  async close(): Promise<void> {
    this.closed = true;
    this.bell.ring();
    await this.ended;
    await this.notifier.close();
  }
}
