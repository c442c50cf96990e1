/** Worktrees as text. */
import { reasonsToStay, type WorktreeReport } from "../core/worktree.ts";

const UNITS = ["bytes", "kB", "MB", "GB"] as const;
function size(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 1000 && unit < UNITS.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}

function age(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} days`;
}

/** One worktree: where, on what, and what is in the way of removing it. */
export function worktreeLines(report: WorktreeReport): string {
  const { worker, worker_state, task, branch, checked_out, base, path, age_seconds, ignored, inner } = report;
  const where = report.head !== null && checked_out !== branch ? ` (now on ${checked_out ?? "no branch"})` : "";
  const who = worker_state === "active" ? "" : worker_state === "none" ? ", of no session" : `, whose session is ${worker_state}`;
  const reasons = [...reasonsToStay(report), ...inner];
  return [
    `${worker}${who}: ${branch}${where}, from ${base}, ${age(age_seconds)} old${task === null ? "" : `, task ${task}`}`,
    `  ${path}`,
    ...(reasons.length === 0 ? ["  nothing is in the way of removing it"] : reasons.map((reason) => `  ${reason}`)),
    ...(ignored === null || ignored.files === 0 ? [] : [`  ignored: ${ignored.files} files, ${size(ignored.bytes)}`]),
  ].join("\n");
}

interface Removed {
  readonly worker: string;
  readonly path: string;
  readonly branch: string;
  readonly kept_ref: string | null;
  readonly forced: readonly string[];
  readonly dropped: WorktreeReport["ignored"];
}

export function removedLines({ worker, path, branch, kept_ref, forced, dropped }: Removed, program: string): string {
  return [
    `removed the worktree of ${worker} in ${path}; the branch ${branch} stays`,
    ...forced.map((reason) => `  forced: ${reason}`),
    ...(dropped === null || dropped.files === 0
      ? []
      : [`  not kept, since ignored: ${dropped.files} files, ${size(dropped.bytes)}: ${dropped.names.slice(0, 20).join(", ")}`]),
    ...(kept_ref === null ? [] : [`  kept: ${program} worktree-restore ${kept_ref.replace("refs/conveyor/kept/", "")} brings it back`]),
  ].join("\n");
}
