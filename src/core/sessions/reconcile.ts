/** Drift between the records and the machine that `reconcile` reports and repairs. */
import { instant } from "../time.ts";

/** An active session with a pid. */
export interface WatchedSession {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly pid: number;
  readonly codex_session_path: string | null;
  readonly registered_at: string;
  readonly last_heartbeat_at: string | null;
}

export interface DeadSession {
  readonly name: string;
  readonly role: string;
  readonly pid: number;
  readonly last_heartbeat_at: string | null;
  readonly reason: "no such process" | "pid belongs to another process";
}

export interface DanglingBinding {
  readonly binding_id: string;
  readonly task_id: string;
  readonly task_name: string;
  readonly gone_role: "worker" | "manager";
  readonly gone_session_name: string;
}

export interface StuckTask {
  readonly task_name: string;
  readonly binding_id: string;
  readonly last_cycle_at: string;
  readonly age_seconds: number;
}

/** Start times are told to the second, and clocks are set. */
const slackMs = 2000;

/** Could the process have been started before the session was last heard of? If not, the pid was given to somebody else. */
export function startedTooLate(session: Pick<WatchedSession, "registered_at" | "last_heartbeat_at">, startedAtMs: number): boolean {
  const heard = Math.max(instant(session.registered_at) ?? 0, instant(session.last_heartbeat_at) ?? 0);
  return startedAtMs > heard + slackMs;
}
