/** What the replay page shows: items on lanes, with a beginning and, where there is one, an end. */
import { isObject } from "../json.ts";
import { type Entry, quote } from "./replay.ts";
import type { Shown } from "../row.ts";
import type { TurnSign } from "../sessions/worker-state.ts";
import { instant } from "../time.ts";

export const LANES = ["worker", "manager", "dispatch", "criteria", "reviewer", "conveyor"] as const;
export type Lane = (typeof LANES)[number];

/** How it went; `open` is not yet decided. */
export type Mood = "good" | "bad" | "open" | "plain";

export interface TimelineItem {
  readonly lane: Lane;
  readonly kind: string;
  /** Milliseconds since the epoch; null when the record has no time that can be read. */
  readonly at: number | null;
  readonly end: number | null;
  readonly mood: Mood;
  readonly title: string;
  readonly details: Readonly<Record<string, unknown>>;
  /** What it belongs to; items that share one of these belong together. */
  readonly ties: readonly string[];
}

/** The tokens that a thread had used by then. */
export interface TokenPoint {
  readonly at: number;
  readonly lane: Lane;
  readonly total: number;
}

export interface TimelineHead {
  readonly task: {
    readonly id: string;
    readonly name: string;
    readonly goal: string;
    readonly state: string;
    readonly summary: string | null;
  };
  /** Time of the newest record. */
  readonly state_at: string;
  readonly chain_head: string | null;
}

const GOOD = new Set(["succeeded", "delivered", "satisfied", "completed", "proceed"]);
const BAD = new Set(["failed", "rejected", "aborted", "unknown", "blocked", "abandoned", "stop"]);
const OPEN = new Set(["pending", "attempted", "running", "started", "sending", "typed", "proposed", "accepted", "open"]);

export const moodOf = (state: unknown): Mood =>
  typeof state !== "string" ? "plain" : GOOD.has(state) ? "good" : BAD.has(state) ? "bad" : OPEN.has(state) ? "open" : "plain";

const LANE_OF: Readonly<Record<string, Lane>> = {
  worker: "worker",
  manager: "manager",
  reviewer: "reviewer",
  dispatch: "dispatch",
  "manager -> worker": "manager",
};

const laneOf = ({ kind, actor }: Entry): Lane =>
  kind === "acceptance_criterion" ? "criteria" : Object.hasOwn(LANE_OF, actor) ? LANE_OF[actor]! : "conveyor";

/** Columns in which a row says when it began and when it was over. */
const SPANS: Readonly<Partial<Record<Entry["source"], readonly [string, string]>>> = {
  command_attempts: ["started_at", "finished_at"],
  epilogue_runs: ["started_at", "finished_at"],
  manager_cycle_spans: ["started_at", "completed_at"],
  manager_cycles: ["started_at", "completed_at"],
  routed_notifications: ["created_at", "delivered_at"],
};

const tie = (name: string, value: unknown): string[] =>
  typeof value === "string" || typeof value === "number" ? [`${name} ${value}`] : [];

/** An entry of the replay as an item. */
export function entryItem(entry: Entry, row: Shown): TimelineItem {
  const [from, to] = SPANS[entry.source] ?? [];
  const time = (column: string | undefined) => (column === undefined ? null : instant(row[column] as string | null));
  const payload = isObject(row.payload) ? row.payload : {};
  return {
    lane: laneOf(entry),
    kind: entry.kind,
    at: time(from) ?? instant(entry.timestamp),
    end: time(to),
    mood: entry.kind === "acceptance_criterion" ? moodOf(payload.status) : moodOf(row.verdict ?? row.state),
    title: entry.summary,
    details: entry.details,
    ties: [
      ...tie("command", entry.source === "commands" ? row.id : row.command_id),
      ...tie("correlation", row.correlation_id),
      ...tie("cycle", entry.source === "manager_cycles" ? row.id : (row.manager_cycle_id ?? row.consumed_manager_cycle_id)),
      ...tie("decision", entry.source === "manager_decisions" ? row.id : row.manager_decision_id),
      ...tie("criterion", entry.kind === "acceptance_criterion" ? payload.criterion_id : null),
      ...tie("notification", entry.source === "routed_notifications" ? row.id : null),
    ],
  };
}

interface DeliveryFacts {
  readonly id: string;
  readonly origin: string;
  readonly session_name: string;
  readonly command_id: string | null;
  readonly transport: string | null;
  readonly state: string;
  readonly proof: string;
  readonly proof_offset: number | null;
  readonly error: string | null;
  readonly created_at: string;
  readonly finished_at: string | null;
}

/**
 * A text on its way to a session, with what proves that it arrived.
 * @param notifications what it told of, by their numbers
 */
export const deliveryItem = (row: DeliveryFacts, steps: readonly unknown[], notifications: readonly number[]): TimelineItem => ({
  lane: "dispatch",
  kind: "delivery",
  at: instant(row.created_at),
  end: instant(row.finished_at),
  mood: moodOf(row.state),
  title: quote(
    `To ${row.session_name} by ${row.transport ?? "no rung"}: ${row.state}, proof ${row.proof}` +
      `${notifications.length > 1 ? `, ${notifications.length} messages together` : ""}${row.error ? ` (${row.error})` : ""}`,
  ),
  details: {
    delivery_id: row.id,
    origin: row.origin,
    transport: row.transport,
    state: row.state,
    proof: row.proof,
    proof_offset: row.proof_offset,
    error: row.error,
    ...(notifications.length > 1 ? { notification_ids: notifications } : {}),
    steps,
  },
  ties: [...tie("command", row.command_id), ...notifications.flatMap((id) => tie("notification", id))],
});

export interface Turn {
  readonly role: "worker" | "manager";
  readonly session: string;
  readonly turnId: string | null;
  readonly from: number;
  readonly to: number | null;
  readonly state: TurnSign;
  /** Why a failed one failed, in the agent's words. */
  readonly error: string | null;
}

/** A turn of an agent. */
export const turnItem = (turn: Turn): TimelineItem => ({
  lane: turn.role,
  kind: "turn",
  at: turn.from,
  end: turn.to,
  mood: moodOf(turn.state),
  title:
    `Turn of ${quote(turn.session)} ${turn.state}${turn.to === null ? "" : ` after ${((turn.to - turn.from) / 1000).toFixed(1)} s`}` +
    (turn.error === null ? "" : `: ${quote(turn.error)}`),
  details: { session: turn.session, turn_id: turn.turnId, state: turn.state, ...(turn.error === null ? {} : { error: turn.error }) },
  ties: tie("turn", turn.turnId),
});
