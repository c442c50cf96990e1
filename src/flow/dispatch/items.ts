/** What a pass reports and hands over, and what a dispatcher remembers from pass to pass. */
import type { Session } from "../../core/sessions/session.ts";
import type { Verdict } from "../../core/delivery/delivery.ts";
import type { Claimant } from "../../store/dispatch/lease.ts";
import { sessionById } from "../../store/sessions/sessions.ts";
import type { Scene } from "../scene.ts";

/** The scene of a pass: who claims what it takes up. */
export interface PassScene extends Scene {
  readonly claimant: Claimant;
}

/** One thing that a pass did. */
export type Item = Readonly<Record<string, unknown>>;

/** What an item tells of the sending that it shared with others; nothing where it was sent alone. */
export const digestKeys = ({ digest_id, digest_size }: Item): Item => (digest_size === undefined ? {} : { digest_id, digest_size });

/** A message that must be sent. It is recorded as pending, and its claim is ours. */
export interface Sending {
  readonly target: Session;
  readonly text: string;
  readonly taskId: string;
  /** As whose it is recorded; absent: Dispatch's. */
  readonly origin?: string;
  /** Nobody asked for it: it is only said while nobody is at the session. */
  readonly undisturbed?: boolean;
  readonly commandId: string | null;
  /** Null: it is no message that somebody queued. */
  readonly notificationId: number | null;
  /** Called in the transaction right before anything can arrive, with the id of its delivery. False: nothing may be sent. */
  begin(deliveryId: string): boolean;
  /** Prolongs the lease; false when it was lost. */
  extend(): boolean;
  /**
   * Writes down how it went, in the transaction in which `write` writes the row of the delivery. Gives what is told of each message in it.
   * @param more what is told of it besides
   */
  finish(verdict: Verdict, write: () => void, more?: Item): readonly Item[];
}

/** To whom a message may be for. */
export interface Whom {
  /** Sessions that cannot be given another message right now. */
  readonly busy: readonly string[];
  /** To this manager alone; absent: to anybody. */
  readonly only?: string;
}

/** The next thing that a pass does: done already, or to be sent. */
export type Step = { readonly item: Item } | { readonly sending: Sending };

/** What a running dispatcher need not find out again at every pass. */
export interface PassMemory {
  /** Ended turns that somebody else's notification stands for. */
  readonly suppressed: Set<number>;
  /** By worker session: the last event up to which every turn is routed. */
  readonly routedTo: Map<string, number>;
  /**
   * Notifications that could not be sent, and sessions to which nothing can be sent for a while, by their ids, and until when (by the
   * context's clock) they are left alone, as long as the target stays what it was. What arrives at a session ends that.
   */
  readonly resting: Map<number | string, { until: number; tries: number; target: string }>;
  /** Texts under way were looked at once: from then on it is told when one may be lost. */
  lookedUnderWay: boolean;
  /** Texts of senders that died which were looked at since. */
  orphansSeen: ReadonlySet<string>;
  /** Before this, in milliseconds since the epoch, it is not tried again to say what was lost. */
  lostRestUntil: number;
}

export const newMemory = (): PassMemory => ({
  suppressed: new Set(),
  routedTo: new Map(),
  resting: new Map(),
  lookedUnderWay: false,
  orphansSeen: new Set(),
  lostRestUntil: 0,
});

/** Nothing was said since its target works again, or another tells it: what is to be told then wakes by itself, and nothing rests. */
export const NOT_NOW = "NotNow";

const LONGEST_REST_MS = 600_000;
const stateOf = ({ tmux_session, tmux_pane_id, pid, state, registered_at, codex_session_id, moved_to }: Session): string =>
  JSON.stringify([tmux_session, tmux_pane_id, pid, state, registered_at, codex_session_id, moved_to]);

/** Lets a notification, or all that is for the target, rest, twice as long with every failure. */
export function rest(memory: PassMemory, id: number | string, target: Session, nowMs: number): void {
  const tries = (memory.resting.get(id)?.tries ?? 0) + 1;
  memory.resting.set(id, { until: nowMs + Math.min(LONGEST_REST_MS, 1000 * 2 ** tries), tries, target: stateOf(target) });
}

export function isResting(memory: PassMemory, id: number | string, target: Session | null, nowMs: number): boolean {
  const resting = memory.resting.get(id);
  return resting !== undefined && resting.until > nowMs && target !== null && resting.target === stateOf(target);
}

/** Sessions to which nothing can be sent right now. */
export const restingSessions = ({ cx, store }: Scene, memory: PassMemory): string[] =>
  [...memory.resting.keys()].filter(
    (id): id is string => typeof id === "string" && isResting(memory, id, sessionById(store, id), cx.nowMs()),
  );

/** Where a message to this session goes, as tmux targets are written; null without tmux. */
export const targetOf = ({ tmux_session: name, tmux_pane_id: pane }: Session): string | null =>
  name ? (pane ? `${name}:${pane}` : name) : null;
