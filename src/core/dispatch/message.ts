/** The life of one message as a table: its states, who may move it, and what each move writes into the four places that tell of it. */
import type { DeliveryState, Verdict } from "../delivery/delivery.ts";
import type { NotificationRow, NotificationState } from "./notification.ts";
import type { CommandRow, CommandState } from "./queued-command.ts";

/**
 * `queued`: to be claimed; `claimed`: somebody's, nothing was sent; `begun`: from here on it may have arrived; `accepted`: not yet, it
 * waits in sight in the agent's own queue; `typed`: handed over, not proven in time; `unknown`: nobody can tell, a person decides;
 * `parked`: given back unsent with its reason, to be tried again; `inbox`: lies there for who pulls; `delivered`, `blocked`, `failed`
 * (nothing arrived) and `suppressed` (another message stands for it): ended for good.
 */
export const MESSAGE_STATES = [
  "queued",
  "claimed",
  "begun",
  "accepted",
  "typed",
  "unknown",
  "parked",
  "inbox",
  "delivered",
  "blocked",
  "failed",
  "suppressed",
] as const;
export type MessageState = (typeof MESSAGE_STATES)[number];

/**
 * Who moves a message. `anyone`: a dispatcher that takes it up; `holder`: the dispatcher whose claim on it stands; `recovery`: any
 * dispatcher, once the lease is over; `settling`: whoever sees the proof.
 */
type Mover = "anyone" | "holder" | "recovery" | "settling";

export type AttemptState = "running" | "succeeded" | "failed" | "abandoned" | "blocked";

/** What a move writes; null: that stays as it is. */
export interface Writes {
  /** A message without a command, the end of a turn, has neither command nor attempt. */
  readonly command: CommandState | null;
  readonly attempt: AttemptState | null;
  readonly notification: NotificationState | null;
  /** Only where something was tried. */
  readonly delivery: DeliveryState | null;
  /** Side effect started, completed; on attempt, notification and delivery alike. */
  readonly flags: readonly [0 | 1, 0 | 1] | null;
  /** What becomes of the claim: it begins, is prolonged, stays for the record, or is let go. */
  readonly claim: "take" | "extend" | "keep" | "drop";
}

export interface Transition {
  readonly from: readonly MessageState[];
  readonly by: Mover;
  readonly to: MessageState;
  readonly writes: Writes;
}

const rows = (
  command: Writes["command"],
  attempt: Writes["attempt"],
  notification: Writes["notification"],
  delivery: Writes["delivery"],
): Pick<Writes, "command" | "attempt" | "notification" | "delivery"> => ({ command, attempt, notification, delivery });

/** Nothing else moves a message, and nothing else ends one. */
export const TRANSITIONS = {
  claim: {
    from: ["queued", "parked"],
    by: "anyone",
    to: "claimed",
    writes: { ...rows("attempted", "running", null, null), flags: null, claim: "take" },
  },
  takeOver: {
    from: ["claimed"],
    by: "recovery",
    to: "claimed",
    writes: { ...rows(null, null, null, null), flags: null, claim: "take" },
  },
  /** The one durable mark before anything can arrive; the delivery is written by whoever sends. */
  begin: {
    from: ["claimed"],
    by: "holder",
    to: "begun",
    writes: { ...rows(null, null, null, "sending"), flags: [1, 0], claim: "extend" },
  },
  /** Not yet: the next look is due when the lease is over. */
  wait: {
    from: ["begun"],
    by: "holder",
    to: "accepted",
    writes: { ...rows(null, null, null, "typed"), flags: [1, 0], claim: "extend" },
  },
  waitOn: {
    from: ["begun", "accepted"],
    by: "recovery",
    to: "accepted",
    writes: { ...rows(null, null, null, "typed"), flags: [1, 0], claim: "take" },
  },
  deliver: {
    from: ["begun"],
    by: "holder",
    to: "delivered",
    writes: { ...rows("succeeded", "succeeded", "delivered", "delivered"), flags: [1, 1], claim: "keep" },
  },
  shelve: {
    from: ["claimed", "begun"],
    by: "holder",
    to: "inbox",
    writes: { ...rows("succeeded", "succeeded", "delivered", "pull_required"), flags: [0, 0], claim: "keep" },
  },
  doubt: {
    from: ["begun"],
    by: "holder",
    to: "typed",
    writes: { ...rows("failed", "failed", "failed", "typed"), flags: [1, 0], claim: "keep" },
  },
  lose: {
    from: ["begun"],
    by: "holder",
    to: "unknown",
    writes: { ...rows("failed", "failed", "failed", "unknown"), flags: [1, 0], claim: "keep" },
  },
  block: {
    from: ["claimed"],
    by: "holder",
    to: "blocked",
    writes: { ...rows("blocked", "blocked", null, null), flags: [0, 0], claim: "keep" },
  },
  fail: {
    from: ["claimed", "begun"],
    by: "holder",
    to: "failed",
    writes: { ...rows("failed", "failed", "failed", "failed"), flags: [0, 0], claim: "keep" },
  },
  park: {
    from: ["claimed", "begun"],
    by: "holder",
    to: "parked",
    writes: { ...rows("pending", "abandoned", "pending", "failed"), flags: [0, 0], claim: "drop" },
  },
  requeue: {
    from: ["claimed"],
    by: "recovery",
    to: "queued",
    writes: { ...rows("pending", "abandoned", null, null), flags: [0, 0], claim: "drop" },
  },
  abandon: {
    from: ["claimed"],
    by: "recovery",
    to: "failed",
    writes: { ...rows("failed", "abandoned", "failed", null), flags: [0, 0], claim: "drop" },
  },
  /** Waited in sight, and does so no longer. */
  giveUp: {
    from: ["accepted"],
    by: "recovery",
    to: "typed",
    writes: { ...rows("failed", "failed", "failed", "typed"), flags: [1, 0], claim: "drop" },
  },
  loseTrack: {
    from: ["begun"],
    by: "recovery",
    to: "unknown",
    writes: { ...rows("failed", "failed", "failed", "unknown"), flags: [1, 0], claim: "drop" },
  },
  /** However late: what is proven has arrived. */
  prove: {
    from: ["begun", "accepted", "typed", "unknown"],
    by: "settling",
    to: "delivered",
    writes: { ...rows("succeeded", "succeeded", "delivered", "delivered"), flags: [1, 1], claim: "keep" },
  },
} as const satisfies Record<string, Transition>;
export type TransitionName = keyof typeof TRANSITIONS;

/** The rows that tell of one message; each may be missing. */
interface Ledgers {
  readonly command: Pick<CommandRow, "state"> | null;
  /** The newest one. */
  readonly attempt: { readonly state: AttemptState; readonly side_effect_started: number } | null;
  readonly notification: Pick<
    NotificationRow,
    "state" | "side_effect_started" | "side_effect_completed" | "claim_expires_at" | "error"
  > | null;
  /** The newest begun one. */
  readonly delivery: { readonly state: DeliveryState } | null;
}

/** What its rows say of a message. */
export function stateOf({ command, attempt, notification, delivery }: Ledgers): MessageState {
  const waits = delivery?.state === "typed";
  const pending = notification?.state === "pending";
  if (notification?.state === "suppressed") return "suppressed";
  if (command === null) {
    if (notification === null) return "queued";
    if (notification.state === "delivered") return notification.side_effect_completed === 1 ? "delivered" : "inbox";
    const begun = notification.side_effect_started === 1;
    if (!pending) return begun ? (waits ? "typed" : "unknown") : "failed";
    if (begun) return waits ? "accepted" : "begun";
    return notification.claim_expires_at !== null ? "claimed" : notification.error === null ? "queued" : "parked";
  }
  const begun = attempt?.side_effect_started === 1;
  switch (command.state) {
    case "pending":
      return pending && notification?.error != null ? "parked" : "queued";
    case "attempted":
      return attempt?.state === "running" && begun ? (waits ? "accepted" : "begun") : "claimed";
    case "succeeded":
      return notification?.side_effect_completed === 1 ? "delivered" : "inbox";
    case "failed":
      return begun && attempt?.state === "failed" ? (waits ? "typed" : "unknown") : "failed";
    case "blocked":
      return "blocked";
  }
}

/** Whether the table lets a message in this state be moved so. */
export const allows = (name: TransitionName, state: MessageState): boolean =>
  (TRANSITIONS[name].from as readonly MessageState[]).includes(state);

/** Whether a sending ended with "not yet": the text waits in sight in the agent's own queue. */
export const notYet = ({ state, accepted }: Pick<Verdict, "state" | "accepted">): boolean => state === "typed" && accepted;

/** By which move the holder of a message writes how its sending went. */
export function endingOf(verdict: Pick<Verdict, "state" | "accepted" | "started" | "later">): TransitionName {
  if (verdict.later) return "park";
  if (notYet(verdict)) return "wait";
  if (verdict.state === "delivered") return "deliver";
  if (verdict.state === "pull_required") return "shelve";
  return !verdict.started ? "fail" : verdict.state === "typed" ? "doubt" : "lose";
}
