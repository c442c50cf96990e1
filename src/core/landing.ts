/** A landing: the merge of a worker's branch that is proven before the branch it goes into is moved. */
import type { Holder } from "./dispatch/holder.ts";
import type { EvidenceRun } from "./loops/evidence-run.ts";
import { REDACTED } from "./sessions/session.ts";

/** A proof that held on the merge result. */
export interface HeldProof {
  readonly criterion_id: number;
  readonly evidence_id: string;
}

/** A row of `landings`. */
export interface Landing {
  readonly id: string;
  readonly task_id: string;
  readonly worktree_id: string;
  readonly state: "proving" | "moving" | "landed" | "undone" | "unknown";
  readonly common: string;
  /** Full names, `refs/heads/…`. */
  readonly branch: string;
  readonly into_ref: string;
  /** Where it is merged and proven. */
  readonly folder: string;
  readonly before_commit: string | null;
  readonly after_commit: string | null;
  readonly checkout: string | null;
  readonly checkout_gitdir: string | null;
  readonly squash: boolean;
  readonly proofs: readonly HeldProof[];
  readonly began_at: string;
  readonly ended_at: string | null;
  /** Why it did not land, in words. */
  readonly why: string | null;
  readonly holder: Holder | null;
}

/** The name under which the merge result cannot be swept up while it is proven. */
export const keepOf = ({ id }: Pick<Landing, "id">): string => `refs/conveyor/landing/${id}`;

/** What `land` prints. */
export interface LandResult {
  readonly task: string;
  readonly branch: string | null;
  readonly into: string | null;
  readonly before: string | null;
  readonly after: string | null;
  readonly landed: boolean;
  readonly dry_run: boolean;
  /** BRANCH moved meanwhile, and all was merged and proven once more. */
  readonly restarted: boolean;
  readonly conflicts: readonly string[];
  readonly proofs: readonly {
    readonly criterion_id: number;
    readonly command: readonly string[];
    readonly exit_code: number | null;
    readonly evidence_id: string | null;
  }[];
  readonly refused: string | null;
  /** With `--finish`: the task was finished too. */
  readonly finished: boolean;
}

/** Programs that lie where the search path finds them are the same ones wherever they are called from. */
const HARMLESS = /^\/dev\/(?:null|zero|stdin|stdout|stderr|tty|fd\/\d+)$/;

/**
 * The first path in the words of a command that leads out of the tree it runs in; null when none does. Words of a shell are looked at piece
 * by piece. This is care and no wall: what a program opens no look at its words can tell.
 * @param depth how many folders its own lies below the root of the tree
 * @param isThere whether a folder directly below `/` exists: what only looks like a path (`/pattern/`) is none
 * @param onPath whether this is a program where the search path has it
 */
export function pathOutside(
  words: readonly string[],
  depth: number,
  isThere: (folder: string) => boolean,
  onPath: (program: string) => boolean,
): string | null {
  for (const piece of words.flatMap((word) => word.split(/[\s"'`=:,;|&<>()]+/))) {
    if (piece === "~" || piece.startsWith("~/")) return piece;
    if (piece.startsWith("/")) {
      const top = /^\/+[^/]+/.exec(piece)?.[0];
      if (top !== undefined && isThere(top.replace(/^\/+/, "/")) && !HARMLESS.test(piece) && !onPath(piece)) return piece;
    } else if (climbs(piece, depth)) return piece;
  }
  return null;
}

function climbs(piece: string, depth: number): boolean {
  let at = depth;
  for (const part of piece.split("/")) {
    if (part === "..") at--;
    else if (part !== "" && part !== ".") at++;
    if (at < 0) return true;
  }
  return false;
}

/** Whether words of the command were masked when it was stored, so that it cannot be run again. */
export const isMasked = ({ command }: Pick<EvidenceRun, "command">): boolean => command.some((word) => word.includes(REDACTED));
