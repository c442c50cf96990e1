/** Sending for Dispatch: one message at a time to a session, the lease kept alive meanwhile, and proof that comes late still counted. */
import type { Context } from "../../context.ts";
import { deliveryById } from "../../store/deliveries.ts";
import type { Claimant } from "../../store/dispatch/lease.ts";
import type { Store } from "../../store/store.ts";
import { dropOldBuffers } from "../../system/terminal/keys.ts";
import { type Delivered, deliver } from "../delivery/deliver.ts";
import type { Item, Sending } from "./items.ts";
import { recipientOf } from "../reach/recipient.ts";
import { settle } from "../delivery/settle.ts";

/** Sends and tells how it went; the lease is prolonged as long as it takes. */
export async function carry(cx: Context, store: Store, claimant: Claimant, sending: Sending): Promise<Delivered> {
  const keeper = setInterval(() => extendQuietly(sending), (claimant.leaseSeconds * 1000) / 3);
  try {
    return await deliver(cx, store, {
      recipient: recipientOf(sending.target),
      text: sending.text,
      origin: "dispatch",
      taskId: sending.taskId,
      commandId: sending.commandId,
      notificationId: sending.notificationId,
      begin: () => sending.begin(),
    });
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
}

/** Sends one after the other, each to its end. */
export const inTurn = (cx: Context, store: Store, claimant: Claimant, done: (item: Item) => void): Carrier => ({
  busy: () => [],
  send: async (sending) => done(sending.finish(await carry(cx, store, claimant, sending))),
});

interface Outstanding {
  readonly sending: Sending;
  readonly delivered: Delivered;
  readonly giveUpAt: number;
}

const MOST_AT_ONCE = 16;
/** How long a message may wait visibly in the agent's own queue; a turn can be long. */
const PATIENCE_MS = 30 * 60_000;

/**
 * Sends to several sessions at once, to each one message at a time, so that one that is stuck holds up nobody else. A message that the
 * agent keeps in its own queue until its turn allows is not waited for: its lease is prolonged until its proof is there.
 */
export class Lanes implements Carrier {
  private readonly running = new Map<string, Promise<void>>();
  private outstanding: Outstanding[] = [];
  private keeper: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly cx: Context,
    private readonly store: Store,
    private readonly claimant: Claimant,
    private readonly on: { done(item: Item): void; problem(message: string): void; free(): void },
  ) {}

  busy(): readonly string[] {
    return [...this.running.keys()];
  }

  async send(sending: Sending): Promise<void> {
    if (this.running.size >= MOST_AT_ONCE) await Promise.race(this.running.values());
    const { id } = sending.target;
    const lane = this.carry(sending)
      .catch((error: Error) => this.on.problem(`sending to ${sending.target.name} could not be recorded: ${error.message}`))
      .finally(() => {
        this.running.delete(id);
        this.on.free();
      });
    this.running.set(id, lane);
  }

  private async carry(sending: Sending): Promise<void> {
    const delivered = await carry(this.cx, this.store, this.claimant, sending);
    if (delivered.state === "typed" && delivered.accepted) {
      this.outstanding.push({ sending, delivered, giveUpAt: performance.now() + PATIENCE_MS });
      this.keeper ??= setInterval(
        () => this.outstanding.forEach((each) => extendQuietly(each.sending)),
        (this.claimant.leaseSeconds * 1000) / 3,
      );
    } else this.on.done(sending.finish(delivered));
  }

  /** Looks for the proofs that are outstanding. */
  lookForProofs(): void {
    this.outstanding = this.outstanding.filter((each) => {
      try {
        return !this.settled(each);
      } catch (error) {
        this.on.problem(`the proof of a message to ${each.sending.target.name} could not be looked for: ${(error as Error).message}`);
        return true;
      }
    });
  }

  private settled(each: Outstanding): boolean {
    const { sending, delivered } = each;
    const row = deliveryById(this.store, delivered.id);
    if (row !== null && settle(this.cx, this.store, row) === "delivered") {
      this.on.done(
        sending.finish({ ...delivered, state: "delivered", proof: "seen", completed: true, error: null, errorType: null, hint: null }),
      );
      return true;
    }
    if (performance.now() < each.giveUpAt) return false;
    this.on.done(sending.finish(delivered));
    return true;
  }

  /** Waits until nothing is being sent. What is outstanding is left to whoever takes over when its lease ends: the rollout will tell. */
  async close(): Promise<void> {
    await Promise.all(this.running.values());
    clearInterval(this.keeper);
  }
}

/** Text is in a buffer for an instant only. */
const BUFFER_SECONDS = 5;

/** Clears away what dispatchers that died while sending left in tmux. */
export const clearBuffers = (cx: Context): Promise<void> => dropOldBuffers(cx.env, "conveyor-", BUFFER_SECONDS, cx.nowMs());
