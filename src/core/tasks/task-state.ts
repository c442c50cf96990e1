/** How a task stands: its binding, its two parties, and whether the records agree with its state. */
import { ageSeconds } from "../time.ts";
import type { Task } from "./task.ts";

export interface BindingFacts {
  readonly id: string;
  readonly task_id: string;
  readonly worker_session_id: string | null;
  readonly worker_session_name: string | null;
  readonly manager_session_id: string | null;
  readonly manager_session_name: string | null;
  readonly state: string;
  readonly created_at: string;
}

/** A bound session, or the row of an older kind of worker or manager. */
export interface PartyRow {
  readonly id: string;
  readonly name: string;
  readonly role: "worker" | "manager";
  readonly state: string;
  readonly pid: number | null;
  readonly cwd: string | null;
  readonly tmux_session: string | null;
  readonly tmux_pane_id: string | null;
  readonly registered_at: string;
  readonly last_heartbeat_at: string | null;
}

export interface Party extends PartyRow {
  /** Null without a pid. */
  readonly alive: boolean | null;
  readonly heartbeat_age_seconds: number | null;
}

export interface Parties {
  readonly binding: BindingFacts | null;
  readonly worker: PartyRow | null;
  readonly manager: PartyRow | null;
}

export const party = (row: PartyRow | null, alive: (pid: number) => boolean, nowMs: number): Party | null =>
  row && { ...row, alive: row.pid === null ? null : alive(row.pid), heartbeat_age_seconds: ageSeconds(row.last_heartbeat_at, nowMs) };

interface Integrity {
  readonly issues: string[];
  readonly ok: boolean;
}

/** Whether state and binding of a task agree. */
export function integrity(task: Task, { worker, manager }: Pick<Parties, "worker" | "manager">): Integrity {
  const issues = [
    task.state === "managed" && worker === null && "managed_without_active_worker_binding",
    task.state === "managed" && manager === null && "managed_without_active_manager",
    task.state === "failed" && manager !== null && "closed_task_has_active_manager",
  ].filter((issue) => issue !== false);
  return { issues, ok: issues.length === 0 };
}
