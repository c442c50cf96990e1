/** Whether the parties of a task still run, and where the records and the machine have drifted apart. */
import { quoteWord } from "../shell.ts";
import { ageSeconds } from "../time.ts";

/** A worker or manager as recorded: a legacy row or the bound session. */
export interface Party {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  /** tmux session. */
  readonly session: string | null;
  readonly pid: number | null;
  readonly recorded_pane_id: string | null;
  /** Last sign of life on record. */
  readonly last_seen_at: string | null;
  readonly last_capture_sha256: string | null;
}

export interface UnfinishedCommand {
  readonly id: string;
  readonly type: string;
  readonly state: string;
  readonly created_at: string;
}

/** A task with those who work on it, as recorded. */
export interface SupervisedTask {
  readonly task: { readonly id: string; readonly name: string; readonly state: string };
  readonly worker: Party | null;
  readonly manager: Party | null;
  readonly unfinished: readonly UnfinishedCommand[];
}

/** What the machine shows. */
export interface Machine {
  readonly nowMs: number;
  /** Null: tmux could not be asked. */
  readonly panes: readonly { readonly session: string; readonly paneId: string; readonly current: boolean }[] | null;
  alive(pid: number): boolean;
}

/** Null: neither a tmux session nor a pid is recorded, or tmux could not be asked, so it cannot be told. */
const liveOf = (party: Party, panes: NonNullable<Machine["panes"]>, machine: Machine): boolean | null =>
  party.session !== null ? (machine.panes === null ? null : panes.length > 0) : party.pid !== null ? machine.alive(party.pid) : null;

/** A party beside what is seen of it; every pane of its tmux session counts, or its own pane, where that session bears another name now. */
const look = (party: Party, machine: Machine) => {
  const all = party.session === null ? [] : (machine.panes ?? []);
  const named = all.filter((pane) => pane.session === party.session || pane.paneId === party.session);
  const renamed = party.pid !== null && machine.alive(party.pid) ? all.filter((pane) => pane.paneId === party.recorded_pane_id) : [];
  const panes = named.length > 0 ? named : renamed;
  const shown = panes.find((pane) => pane.paneId === party.recorded_pane_id) ?? panes.find((pane) => pane.current) ?? panes[0];
  const tmux_pane_id = shown?.paneId ?? null;
  return { ...party, live: liveOf(party, panes, machine), tmux_pane_id };
};

type LiveParty = ReturnType<typeof look>;

const expected: Readonly<Record<"worker" | "manager", ReadonlySet<string>>> = {
  worker: new Set(["active", "candidate"]),
  manager: new Set(["active", "starting", "ready", "stopping"]),
};

const missing = (role: "worker" | "manager", party: LiveParty | null): boolean =>
  party !== null && party.live === false && expected[role].has(party.state);
const elsewhere = (party: LiveParty | null): boolean =>
  party !== null && party.recorded_pane_id !== null && party.tmux_pane_id !== null && party.recorded_pane_id !== party.tmux_pane_id;

/** One task as `db-doctor --live` shows it. */
export function liveResult(recorded: SupervisedTask, machine: Machine) {
  const worker = recorded.worker && look(recorded.worker, machine);
  const manager = recorded.manager && look(recorded.manager, machine);
  const drift = [
    ...(missing("worker", worker) ? ["worker_missing"] : []),
    ...(missing("manager", manager) ? ["manager_missing"] : []),
    ...(elsewhere(worker) ? ["worker_pane_mismatch"] : []),
    ...(elsewhere(manager) ? ["manager_pane_mismatch"] : []),
    ...(recorded.unfinished.length > 0 ? ["unfinished_commands"] : []),
  ];
  return {
    task: recorded.task,
    worker,
    manager: manager && { ...manager, last_seen_age_seconds: ageSeconds(manager.last_seen_at, machine.nowMs) },
    drift,
    unfinished_commands: recorded.unfinished,
  };
}

type LiveResult = ReturnType<typeof liveResult>;

/** A manager that runs but was never seen, or not for longer than `staleSeconds`; null when there is nothing to warn about. */
export function managerWarning({ task, manager }: LiveResult, staleSeconds: number, nowMs: number) {
  if (manager?.live !== true) return null;
  const about = { task: task.name, task_id: task.id, manager: manager.name, manager_id: manager.id };
  const age = ageSeconds(manager.last_seen_at, nowMs);
  const recommended_action = `conveyor cycle ${quoteWord(task.name)}`;
  if (age === null) return { ...about, reason: "manager_never_seen", recommended_action };
  if (age <= staleSeconds) return null;
  return {
    ...about,
    reason: "manager_seen_stale",
    age_seconds: age,
    stale_seconds: staleSeconds,
    last_seen_at: manager.last_seen_at,
    recommended_action,
  };
}
