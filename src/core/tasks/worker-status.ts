/** What a worker reports of itself, and the health verdict over its report and its terminal. */
import { STATUS_STATES } from "../compat/compat.ts";
import type { JsonObject } from "../json.ts";
import type { Finding } from "../agent/screen.ts";
import { instant } from "../time.ts";

export interface WorkerStatus {
  readonly state: string;
  readonly current_task: string | null;
  readonly next_action: string | null;
  readonly blocker: string | null;
  readonly last_update: string | null;
}

export const noStatus: WorkerStatus = { state: "unknown", current_task: null, next_action: null, blocker: null, last_update: null };

const words = (value: unknown): string | null => (typeof value === "string" ? value : null);

/** What status.json says; a member of another type counts as missing. */
export const statusOf = (file: JsonObject): WorkerStatus => ({
  state: words(file.state) ?? "unknown",
  current_task: words(file.current_task),
  next_action: words(file.next_action),
  blocker: words(file.blocker),
  last_update: instant(words(file.last_update)) === null ? null : words(file.last_update),
});

/** A state that nobody defined reads as `unknown`. */
export const knownState = (state: string): string => ((STATUS_STATES as readonly string[]).includes(state) ? state : "unknown");

export interface HealthQuestion {
  readonly running: boolean;
  readonly state: string;
  readonly captureError: string | null;
  readonly finding: Finding | null;
  /** What its screen waits for, in words; also what a page asks that is too young to be a finding. */
  readonly waits: string | null;
  /** Seconds; null: unknown, which counts as stale. */
  readonly statusAge: number | null;
  readonly statusStaleSeconds: number;
  readonly terminalAge: number | null;
  readonly terminalStaleSeconds: number;
}

interface Health {
  readonly health: "stopped" | "blocked" | "done" | "unknown" | "busy_wait" | "stale" | "quiet" | "status_stale" | "active";
  readonly reason: string;
  readonly recommended_action: string;
}

const stale = (age: number | null, threshold: number): boolean => age === null || age >= threshold;

/** The first condition that holds decides. */
export function judgeHealth(q: HealthQuestion): Health {
  if (!q.running) return { health: "stopped", reason: q.captureError ?? "its tmux session is not running", recommended_action: "none" };
  if (q.state === "blocked") return { health: "blocked", reason: "it reports that it is blocked", recommended_action: "read_blocker" };
  if (q.state === "done") return { health: "done", reason: "it reports that it is done", recommended_action: "review_result" };
  if (q.captureError !== null) return { health: "unknown", reason: q.captureError, recommended_action: "inspect_terminal" };
  if (q.finding) return { health: "busy_wait", reason: q.waits ?? q.finding.reason, recommended_action: q.finding.recommended_action };
  const { health, reason, recommended_action } = byAge(q);
  return { health, reason: q.waits ?? reason, recommended_action };
}

function byAge(q: HealthQuestion): Health {
  const statusStale = stale(q.statusAge, q.statusStaleSeconds);
  const terminalStale = stale(q.terminalAge, q.terminalStaleSeconds);
  if (statusStale && terminalStale)
    return { health: "stale", reason: "neither its status nor its terminal has changed lately", recommended_action: "ask_for_status" };
  if (terminalStale) return { health: "quiet", reason: "its terminal has not changed lately", recommended_action: "wait" };
  if (statusStale) return { health: "status_stale", reason: "its status has not changed lately", recommended_action: "wait" };
  return { health: "active", reason: "its status and its terminal have changed lately", recommended_action: "none" };
}
