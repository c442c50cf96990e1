/** What happened on a task as one story: entries from many tables, in the order of time. */
import type { Role } from "../sessions/session.ts";

export const REPLAY_FORMATS = ["timeline", "compact", "transcript", "full-transcript"] as const;
export type ReplayFormat = (typeof REPLAY_FORMATS)[number];
export const REPLAY_ROLES = ["all", "worker", "manager", "reviewer", "workerctl"] as const;
export type ReplayRole = (typeof REPLAY_ROLES)[number];

export interface Entry {
  readonly actor: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly kind: string;
  readonly source: Source;
  readonly source_id: number | string | null;
  readonly summary: string;
  readonly timestamp: string | null;
  /** Only of transcript segments: their text, or null when only its size was kept. */
  readonly content?: string | null;
}

/** The table an entry comes from; entries of one instant stand in the order of these names. */
export type Source =
  | "command_attempts"
  | "commands"
  | "continuation_reviews"
  | "correlation_chains"
  | "epilogue_runs"
  | "events"
  | "manager_cycle_spans"
  | "manager_cycles"
  | "manager_decisions"
  | "routed_notifications"
  | "task_acknowledgements"
  | "task_continuations"
  | "terminal_captures"
  | "transcript_segments";

/** Who a command is shown as coming from. */
export const COMMAND_ACTORS: Readonly<Record<string, string>> = {
  promote: "system",
  task_interrupt: "manager -> worker",
  task_nudge: "manager -> worker",
  finish_task: "manager",
};
export const commandActor = (type: string): string => (Object.hasOwn(COMMAND_ACTORS, type) ? COMMAND_ACTORS[type]! : "workerctl");

/** Whether a role is shown what Dispatch did and the manager thought. */
export const seesManagement = (role: ReplayRole): boolean => role === "all" || role === "manager";

/** Whether a role is shown what only one of the two parties did. */
export const seesParty = (role: ReplayRole, party: Role): boolean => role === "all" || role === party;

const MAX_QUOTE = 220;

/** Text as one line without control characters, cut to `max` characters. */
export function quote(text: unknown, max = MAX_QUOTE): string {
  const line = String(text ?? "")
    .replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, " ")
    .trim();
  if (line.length <= max) return line;
  return `${line
    .slice(0, max - 1)
    .replace(/[\ud800-\udbff]$/, "")
    .trimEnd()}...`;
}

/** Patterns of screens that would be read as the thing itself when a screen shows this text. */
const NEUTRAL: Readonly<Record<string, string>> = {
  approval_prompt: "waiting for an approval",
  rate_limit_prompt: "offering another model",
};

/** The text without the names of patterns that a look at the screen would find in it again. */
export const neutral = (text: string): string => text.replace(/approval_prompt|rate_limit_prompt/g, (name) => NEUTRAL[name]!);
