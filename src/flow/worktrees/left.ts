/** Worktrees that nobody works in any more, and records of what is not there: for the doctor. */
import { lstatSync } from "node:fs";
import type { Context } from "../../context.ts";
import type { Worktree } from "../../core/worktree.ts";
import { findSession } from "../../store/sessions/sessions.ts";
import type { Store } from "../../store/store.ts";
import { listWorktrees } from "../../store/worktrees.ts";
import { bentIn } from "../../system/git/place.ts";
import { isGone } from "../../system/processes/holder.ts";

export interface LeftWorktree {
  readonly worker: string;
  readonly path: string;
  readonly why: string;
  /** What to do about it. */
  readonly next: string;
}

/** Without a call of git, and nothing is changed. */
export async function leftWorktrees(cx: Context, store: Store): Promise<LeftWorktree[]> {
  const found: LeftWorktree[] = [];
  for (const tree of listWorktrees(store)) {
    const why = await whyLeft(cx, store, tree);
    const { worker, path } = tree;
    if (why !== null) found.push({ worker, path, why, next: `${cx.program} worktree-remove ${worker}` });
  }
  return found;
}

async function whyLeft(cx: Context, store: Store, { worker, path, gitdir, common, state, holder }: Worktree): Promise<string | null> {
  if (state !== "made") {
    if (holder !== null && !(await isGone(holder, cx.env))) return null;
    return state === "making" ? "it was never made whole" : "its removal was cut off";
  }
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return "nothing stands there any more";
  const bent = bentIn({ common, gitdir: gitdir ?? common, path });
  if (bent !== null) return bent;
  const session = findSession(store, worker);
  return session === null ? "no session of that name is on record" : session.state === "active" ? null : `its session is ${session.state}`;
}
