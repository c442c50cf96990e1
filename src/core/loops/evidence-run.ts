/** A command that this program ran itself as evidence, the state of the tree it ran in, and whether that still holds. */

import { quoteCommand } from "../shell.ts";

/** What a folder's repository looks like: equal states mean equal sources. */
export interface TreeState {
  /** Null before the first commit. */
  readonly head: string | null;
  /** Something differs from HEAD, or is not tracked and not ignored. */
  readonly dirty: boolean;
  /** Digest of what all its files hold that count. */
  readonly diff_sha256: string;
}

/** Something in a tree whose content no digest of it holds. */
export interface Unseen {
  readonly path: string;
  readonly why: "ignored" | "large" | "unreadable" | "leads out" | "our own records";
}

/** What a look at a tree did not see: how much, and the first of it by name. */
export interface NotSeen {
  readonly count: number;
  readonly named: readonly Unseen[];
}

/** So many are told in one line. */
const TOLD = 8;

/** One line for people; null when all was seen. */
export function notSeenLine({ count, named }: NotSeen): string | null {
  if (count === 0) return null;
  const told = named.slice(0, TOLD).map(({ path, why }) => `${JSON.stringify(path)} (${why})`);
  return `the proof does not see ${told.join(", ")}${count > told.length ? ` and ${count - told.length} more` : ""}`;
}

/** A row of `evidence_runs`. */
export interface EvidenceRun {
  readonly id: string;
  readonly task_id: string;
  readonly criterion_id: number;
  readonly loop_run_id: string | null;
  readonly iteration: number | null;
  readonly evidence_type: string | null;
  /** The words of the command, secrets masked. */
  readonly command: readonly string[];
  readonly folder: string;
  /** The state before the command ran; null where there is no git repository. */
  readonly tree: TreeState | null;
  /** The tree was another one when the command had ended. */
  readonly tree_changed: boolean;
  readonly started_at: string;
  readonly duration_ms: number;
  /** Null when a signal ended it. */
  readonly exit_code: number | null;
  readonly signal: string | null;
  readonly timed_out: boolean;
  readonly output_bytes: number;
  /** Of all it printed, on both streams, before anything was masked. */
  readonly output_sha256: string;
  /** The last lines, secrets masked. */
  readonly output_tail: string;
}

/** What of it is seen where it is run. */
export type MeasuredRun = Omit<EvidenceRun, "id" | "task_id" | "criterion_id" | "loop_run_id" | "iteration" | "evidence_type">;

type ProofState = "fresh" | "stale" | "unknown";

/** How a criterion that a machine proved stands now. */
export interface MachineProof {
  readonly evidence_run_id: string;
  readonly state: ProofState;
  /** Null when fresh. */
  readonly reason: string | null;
  readonly command: readonly string[];
  readonly folder: string;
  readonly git_head: string | null;
  readonly started_at: string;
  /** What lies in the tree now and takes no part in the proof; null when the tree cannot be read. */
  readonly not_seen: NotSeen | null;
}

export const succeeded = (run: Pick<EvidenceRun, "exit_code">): boolean => run.exit_code === 0;

/** @param now the folder's tree at this moment; null when it cannot be read */
export function proofOf(run: EvidenceRun, now: (TreeState & { not_seen: NotSeen }) | null): MachineProof {
  const { state, reason } = judge(run, now);
  return {
    evidence_run_id: run.id,
    state,
    reason,
    command: run.command,
    folder: run.folder,
    git_head: run.tree?.head ?? null,
    started_at: run.started_at,
    not_seen: now?.not_seen ?? null,
  };
}

function judge(run: EvidenceRun, now: TreeState | null): { state: ProofState; reason: string | null } {
  if (run.tree === null) return { state: "unknown", reason: "the command did not run in a git repository" };
  if (now === null) return { state: "unknown", reason: "the repository cannot be read" };
  if (run.tree_changed) return { state: "stale", reason: "the tree changed while the command ran" };
  if (now.head !== run.tree.head) return { state: "stale", reason: `HEAD was ${short(run.tree.head)} and is ${short(now.head)}` };
  if (now.diff_sha256 !== run.tree.diff_sha256) return { state: "stale", reason: "the working tree has changed since" };
  return { state: "fresh", reason: null };
}

export const sameTree = (a: TreeState | null, b: TreeState | null): boolean => a?.head === b?.head && a?.diff_sha256 === b?.diff_sha256;

const short = (head: string | null): string => head?.slice(0, 10) ?? "a tree without a commit";

/** One sentence for the criterion: what ran, how it ended, where it stood. */
export function proofSentence(run: Pick<EvidenceRun, "command" | "exit_code" | "signal" | "timed_out" | "duration_ms" | "tree">): string {
  const end = run.timed_out
    ? "ran out of time"
    : run.exit_code === null
      ? `was ended by ${run.signal ?? "a signal"}`
      : `ended with ${run.exit_code}`;
  const where = run.tree ? ` at ${short(run.tree.head)}${run.tree.dirty ? " with changes" : ""}` : "";
  return `${quoteCommand(run.command)} ${end} after ${(run.duration_ms / 1000).toFixed(1)} s${where}, run by conveyor itself.`;
}

/** What the criterion's evidence tells of the run; the rest is in the record that it names. */
export const machineEvidence = (run: EvidenceRun) => ({
  machine_proven: succeeded(run),
  evidence_run_id: run.id,
  command: run.command,
  folder: run.folder,
  exit_code: run.exit_code,
  git_head: run.tree?.head ?? null,
  git_dirty: run.tree?.dirty ?? null,
  diff_sha256: run.tree?.diff_sha256 ?? null,
  output_sha256: run.output_sha256,
});
