/** Sending for Dispatch: one message at a time to a session, the lease kept alive meanwhile. */
import type { Context } from "../../context.ts";
import { dropOldBuffers } from "../../system/terminal/keys.ts";
import { deliver } from "../delivery/deliver.ts";
import type { Item, PassScene, Sending } from "./items.ts";
import { recipientOf } from "../reach/recipient.ts";

/**
 * How long whoever ends a Dispatch waits for it: what one sending can take to its proof or its verdict. Through the agent's queue 15 s to
 * add, 25 for the proof, 15 to take it back, 5 more to look, and a second or two to end each of the two servers; by tmux 10 to get ready
 * and 15 for the proof. Doubled, for a busy machine.
 */
export const PATIENCE_MS = 130_000;

/** Sends and gives what is told of how it went; the lease is prolonged as long as it takes. */
export async function carry({ cx, store, claimant }: PassScene, sending: Sending): Promise<readonly Item[]> {
  const keeper = setInterval(() => extendQuietly(sending), (claimant.leaseSeconds * 1000) / 3);
  let items: readonly Item[] = [];
  try {
    await deliver(cx, store, {
      recipient: recipientOf(sending.target),
      text: sending.text,
      origin: sending.origin ?? "dispatch",
      colleague: true,
      undisturbed: sending.undisturbed === true,
      taskId: sending.taskId,
      commandId: sending.commandId,
      notificationId: sending.notificationId,
      begin: (deliveryId) => sending.begin(deliveryId),
      end: (verdict, write) => void (items = sending.finish(verdict, write)),
    });
    return items;
  } finally {
    clearInterval(keeper);
  }
}

/** A database that is busy right now costs one prolongation, not the sending. */
function extendQuietly(sending: Sending): void {
  try {
    sending.extend();
  } catch {
    // The next one comes in a third of the lease.
  }
}

/** Does the sendings of passes. */
export interface Carrier {
  /** Sessions that cannot be given another message right now. */
  busy(): readonly string[];
  /** Sends, now or as soon as there is room. */
  send(sending: Sending): Promise<void>;
  /** Does this besides, one at a time, and gives whether it was begun. */
  aside(work: () => Promise<readonly Item[]>): Promise<boolean>;
}

/** Sends one after the other, each to its end. */
export const inTurn = (scene: PassScene, done: (item: Item) => void): Carrier => ({
  busy: () => [],
  send: async (sending) => (await carry(scene, sending)).forEach(done),
  aside: async (work) => {
    for (const item of await work()) done(item);
    return true;
  },
});

const MOST_AT_ONCE = 16;

/** Sends to several sessions at once, to each one message at a time, so that one that is stuck holds up nobody else. */
export class Lanes implements Carrier {
  private readonly running = new Map<string, Promise<void>>();
  private besides: Promise<void> | null = null;

  constructor(
    private readonly scene: PassScene,
    private readonly on: { done(item: Item): void; problem(message: string): void; free(): void },
  ) {}

  busy(): readonly string[] {
    return [...this.running.keys()];
  }

  async send(sending: Sending): Promise<void> {
    if (this.running.size >= MOST_AT_ONCE) await Promise.race(this.running.values());
    const { id } = sending.target;
    const lane = carry(this.scene, sending)
      .then((items) => items.forEach((item) => this.on.done(item)))
      .catch((error: Error) => this.on.problem(`sending to ${sending.target.name} could not be recorded: ${error.message}`))
      .finally(() => {
        this.running.delete(id);
        this.on.free();
      });
    this.running.set(id, lane);
  }

  async aside(work: () => Promise<readonly Item[]>): Promise<boolean> {
    if (this.besides !== null) return false;
    this.besides = work()
      .then((items) => items.forEach((item) => this.on.done(item)))
      .catch((error: Error) => this.on.problem(`what was lost could not be said again: ${error.message}`))
      .finally(() => {
        this.besides = null;
        this.on.free();
      });
    return true;
  }

  /** Waits until nothing is being sent. */
  async close(): Promise<void> {
    await Promise.all([...this.running.values(), this.besides]);
  }
}

/** Text is in a buffer for an instant only. */
const BUFFER_SECONDS = 5;

/** Clears away what dispatchers that died while sending left in tmux. */
export const clearBuffers = (cx: Context): Promise<void> => dropOldBuffers(cx.env, "conveyor-", BUFFER_SECONDS, cx.nowMs());
